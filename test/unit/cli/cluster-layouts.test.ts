/** The layouts of `ringmq cluster start` as files: each is a configuration that a broker takes without a warning. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { textOf, writeFiles } from '../../../src/cli/cluster/files.ts';
import { basePortFrom, clusterPlan, LAYOUT_NAMES, layoutNamed } from '../../../src/cli/cluster/layouts.ts';
import { loadBroker } from '../../../src/config/load.ts';
import { readProperties } from '../../../src/config/properties-file.ts';

const test = suite<{ directory: string }>('layouts of clusters');

test.before.each((context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'ringmq-layouts-'));
});

test.after.each(({ directory }) => rmSync(directory, { recursive: true, force: true }));

/** Name, role and copies of each broker, as it understands its own file. */
function rolesIn(directory: string, layout: (typeof LAYOUT_NAMES)[number]): string[] {
  const plan = clusterPlan(layout, directory, 20_000);
  writeFiles(plan);
  return plan.servers.slice(1).map(({ name, address, ports, file }) => {
    const { values, warnings } = loadBroker({ config: file });
    const { settings, replication, store, listener } = values;
    assert.equal(warnings, [], name);
    assert.is(address, `${listener.bindAddress}:${settings.listenPort}`);
    assert.equal(ports, [settings.listenPort, settings.listenPort - 2, replication.haListenPort]);
    assert.is(listener.namesrvAddr, plan.servers[0]?.address);
    assert.is(store.directory, join(directory, 'store', name));
    assert.is(store.commitLogDirectory, join(directory, 'store', name, 'commitlog'));
    const { brokerName, brokerId } = settings;
    return `${name}: ${brokerName} ${brokerId} ${replication.brokerRole} ${replication.inSyncReplicas}`;
  });
}

test('who is in them', ({ directory }) => {
  const roles = LAYOUT_NAMES.map((layout) => rolesIn(join(directory, layout), layout));
  assert.equal(roles, [
    ['broker-a: broker-a 0 ASYNC_MASTER 1'],
    ['broker-a: broker-a 0 ASYNC_MASTER 1', 'broker-b: broker-b 0 ASYNC_MASTER 1'],
    [
      'broker-a: broker-a 0 ASYNC_MASTER 1',
      'broker-a-s: broker-a 1 SLAVE 1',
      'broker-b: broker-b 0 ASYNC_MASTER 1',
      'broker-b-s: broker-b 1 SLAVE 1',
    ],
    [
      'broker-a: broker-a 0 SYNC_MASTER 2',
      'broker-a-s: broker-a 1 SLAVE 1',
      'broker-b: broker-b 0 SYNC_MASTER 2',
      'broker-b-s: broker-b 1 SLAVE 1',
    ],
  ]);
});

test("no port is anybody else's, with RocketMQ's ports or others", ({ directory }) => {
  for (const base of [undefined, 1, 20_000, 65_000]) {
    const ports = clusterPlan('2m-2s-sync', directory, base).servers.flatMap((server) => server.ports);
    assert.is(new Set(ports).size, 1 + 4 * 3, String(ports));
    assert.ok(
      ports.every((port) => port >= 1 && port <= 65_535),
      String(ports),
    );
  }
  const [nameServer, first] = clusterPlan('single', directory).servers;
  assert.is(nameServer?.address, '127.0.0.1:9876');
  assert.equal(first?.ports, [10_911, 10_909, 10_912]);
});

test('a file that somebody has added to stays; one of another cluster is named, and nothing is written', ({
  directory,
}) => {
  const plan = clusterPlan('2m', directory, 20_000);
  writeFiles(plan);
  const [, master] = plan.servers;
  const file = master?.file ?? '';
  const changed = `${readFileSync(file, 'utf8').replace('ASYNC_FLUSH', 'SYNC_FLUSH')}fileReservedTime=5\n`;
  writeFileSync(file, changed);
  writeFiles(plan);
  assert.is(readFileSync(file, 'utf8'), changed);
  const path = file.replaceAll('.', '\\.');
  assert.throws(
    () => writeFiles(clusterPlan('2m-2s-sync', directory, 20_000)),
    new RegExp(`^${path} has brokerRole=ASYNC_MASTER, and this start needs brokerRole=SYNC_MASTER: give`),
  );
  assert.throws(
    () => writeFiles(clusterPlan('2m-2s-async', directory)),
    /has listenPort=20000, .* listenPort=9876/,
  );
  assert.not.ok(existsSync(join(directory, 'broker-a-s.properties')));
  writeFileSync(file, changed.replace(/^namesrvAddr=.*$/m, ''));
  assert.throws(
    () => writeFiles(plan),
    /has no namesrvAddr, and this start needs namesrvAddr=127\.0\.0\.1:20000/,
  );
});

test('a folder with a backslash in its name is read back as it is', ({ directory }) => {
  const plan = clusterPlan('single', join(directory, 'a\\b'), 20_000);
  writeFiles(plan);
  for (const server of plan.servers) {
    assert.equal([...readProperties(server.file)], [...server.keys]);
    assert.is(readFileSync(server.file, 'utf8'), textOf(plan, server));
  }
});

test('a name that is none gets the nearest one', () => {
  assert.is(layoutNamed('2M-2S-SYNC'), '2m-2s-sync');
  assert.throws(
    () => layoutNamed('2m-2s-asink'),
    /^--layout 2m-2s-asink is not possible: did you mean 2m-2s-async\?/,
  );
  assert.throws(() => layoutNamed('sngle'), /did you mean single\?/);
  assert.throws(
    () => layoutNamed('2m-2s'),
    /did you mean 2m-2s-async\? There are single, 2m, 2m-2s-async, 2m-2s-sync/,
  );
  assert.throws(() => layoutNamed('toString'), /not possible: give single, 2m, /);
  assert.throws(() => layoutNamed(undefined), /^Which layout\? Give --layout: single, 2m, /);
  assert.is(basePortFrom('20000'), 20_000);
  for (const given of ['0', 'x', '65001', ''])
    assert.throws(
      () => basePortFrom(given),
      new RegExp(`^--base-port ${given} is not possible: give 1 to 65000`),
    );
});

test.run();
