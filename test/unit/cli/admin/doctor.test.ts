/** What `ringmq doctor` says of what it finds. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  existingFolder,
  fileSystemFinding,
  measureSyncs,
  spaceFinding,
  syncFindingOf,
} from '../../../../src/cli/admin/doctor/disk.ts';
import {
  ClockWatch,
  descriptorFinding,
  kernelFinding,
  mapFinding,
  memoryFinding,
  nodeFinding,
  syncFinding,
} from '../../../../src/cli/admin/doctor/machine.ts';
import { addressRemedy, clockFinding, isContainerAddress } from '../../../../src/cli/admin/doctor/network.ts';

const test = suite('doctor');

test('Node.js and kernel', () => {
  assert.is(nodeFinding('20.18.0').level, 'ok');
  assert.match(nodeFinding('20.17.9').remedy, /^RingMQ needs 20\.18 or newer/);
  assert.is(kernelFinding('linux', '6.1.0-13-amd64').level, 'ok');
  assert.is(kernelFinding('linux', '4.18.0').level, 'poor');
  assert.is(kernelFinding('linux', '3.10.0').level, 'bad');
  assert.match(kernelFinding('darwin', '23.0').remedy, /Linux only/);
});

test('limits', () => {
  const limits = (soft: string) =>
    `Limit  Soft  Hard  Units\nMax open files            ${soft}   1048576   files\n`;
  assert.is(descriptorFinding(limits('1048576')).level, 'ok');
  assert.is(descriptorFinding(limits('unlimited')).level, 'ok');
  assert.match(descriptorFinding(limits('1024')).remedy, /LimitNOFILE=65535/);
  assert.is(mapFinding('65530\n').level, 'ok');
  assert.match(mapFinding('1024\n').remedy, /sysctl -w vm\.max_map_count=65530/);
  assert.is(mapFinding('').level, 'poor');
  assert.is(memoryFinding(['max\n', undefined], 2 ** 30).level, 'ok');
  assert.match(memoryFinding(['134217728\n'], 2 ** 30).found, /^0\.1 GiB by the limit of its cgroup$/);
});

test('clock', () => {
  assert.is(syncFinding(true, []).level, 'ok');
  assert.is(syncFinding(false, ['bash', 'chronyd']).found, 'kept by chronyd');
  assert.is(syncFinding(false, ['bash']).level, 'poor');
  const watch = new ClockWatch();
  assert.is(watch.finding().level, 'ok');
  const stepped = watch.finding(Date.now() - performance.now() + 5_000);
  assert.match(stepped.found, /^it was set by (?:5000|4999|5001) ms while this ran$/);
});

test('file systems', () => {
  const level = (type: number) => fileSystemFinding('/store', type).level;
  assert.equal([0xef53, 0x58465342, 0x01021994, 0x794c7630, 0x6969, 0xfe534d42, 0x1234].map(level), [
    'ok',
    'ok',
    'poor',
    'poor',
    'bad',
    'bad',
    'unknown',
  ]);
  assert.is(existingFolder('/no/such/folder'), '/');
});

test('disk space by the watermarks of the broker', () => {
  const at = (used: number) =>
    spaceFinding('/', { bsize: 4096, blocks: 1000, bfree: 1000 - used * 10, bavail: 1000 - used * 10 });
  assert.equal(
    [50, 75, 85, 90].map((used) => at(used).level),
    ['ok', 'poor', 'bad', 'bad'],
  );
  assert.match(at(90).remedy, /diskSpaceWarningLevelRatio/);
});

test('disk speed: measured, leaving nothing behind', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ringmq-test-'));
  try {
    assert.ok(measureSyncs(folder).length > 0);
    assert.equal(readdirSync(folder), []);
    assert.is(
      syncFindingOf(folder, () => [1, 2, 3]).found,
      '4 KiB are durable after 2.00 ms (median of 3), 3.00 ms (p99)',
    );
    assert.is(syncFindingOf(folder, () => [20, 20, 20]).level, 'poor');
    assert.match(syncFindingOf(join(folder, 'missing')).remedy, /right to write there/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('the container trap', () => {
  assert.equal(['172.17.0.2', '10.244.1.3', '192.168.1.1', '10.0.0.5', 'broker'].map(isContainerAddress), [
    true,
    true,
    false,
    false,
    false,
  ]);
  assert.match(addressRemedy('172.17.0.2', true, []), /set brokerIP1 to the address of the host/);
  assert.match(addressRemedy('172.17.0.2', true, ['172.17.0.2']), /address of this machine/);
  assert.match(addressRemedy('192.168.1.9', true, []), /set brokerIP1 to one that they reach/);
  assert.match(addressRemedy('192.168.1.9', false, []), /does not answer/);
});

test("a broker's clock is compared with this one by when it started and how long it runs", () => {
  const started = 1_700_000_000_000;
  const upMs = ((1 * 24 + 2) * 60 + 3) * 60_000 + 4_000;
  const figures = new Map([
    ['bootTimestamp', String(started)],
    ['runtime', '[ 1 days, 2 hours, 3 minutes, 4 seconds ]'],
  ]);
  const at = (offMs: number, tookMs = 10) => {
    const now = started + upMs + offMs;
    return clockFinding('a', figures, { from: now, to: now + tookMs });
  };
  for (const off of [-1_900, 0, 500, 1_000, 2_900]) assert.is(at(off).level, 'ok', `${off}`);
  assert.match(at(60_000).found, /^59\.0 s behind this machine's$/);
  assert.match(at(-60_000).found, /^60\.0 s ahead of this machine's$/);
  assert.is(at(60_000).level, 'poor');
  assert.is(at(-2_500, 3_000).level, 'ok', 'a slow answer says less');
  for (const known of [new Map(), new Map([['bootTimestamp', '5']]), new Map([['runtime', 'long']])])
    assert.is(clockFinding('a', known, { from: started, to: started }).level, 'unknown');
});

test.run();
