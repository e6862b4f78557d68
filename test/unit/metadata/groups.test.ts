import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { newGroupConfig } from '../../../src/metadata/group-config.ts';
import { GroupTable } from '../../../src/metadata/groups.ts';
import type { BrokerSettings } from '../../../src/metadata/settings.ts';
import { writeRocketJson } from '../../../src/protocol/rocketmq-json.ts';
import { FakeTime, temporaryDirectory, testSettings } from './support.ts';

const test = suite('groups');

function newTable(directory = temporaryDirectory(), changes: Partial<BrokerSettings> = {}) {
  const table = new GroupTable(directory, testSettings(changes), new FakeTime());
  table.load();
  return { table, directory };
}

test('has the built-in groups and creates others on demand', async () => {
  const { table, directory } = newTable();
  assert.ok(table.has('TOOLS_CONSUMER'));
  assert.ok(table.has('CID_RMQ_SYS_TRANS'));
  const created = table.findOrCreate('g');
  assert.is(created?.retryMaxTimes, 16);
  assert.is(table.findOrCreate('bad name'), undefined);
  await table.saved();
  assert.is(writeRocketJson(newTable(directory).table.get('g')), writeRocketJson(created));
  assert.match(
    readFileSync(join(directory, 'subscriptionGroup.json'), 'utf8'),
    /"groupRetryPolicy":\{\n\t+"type":"CUSTOMIZED"\n/,
  );
});

test('with auto-creation off only system groups come into being', () => {
  const { table } = newTable(undefined, { autoCreateSubscriptionGroup: false });
  assert.is(table.findOrCreate('g'), undefined);
  assert.ok(table.findOrCreate('CID_RMQ_SYS_x'));
});

test('updates, deletes and announces', () => {
  const { table } = newTable();
  const events: string[] = [];
  table.changed.add((config) => events.push(`+${config.groupName}`));
  table.deleted.add((name) => events.push(`-${name}`));
  table.update({ ...newGroupConfig('g'), attributes: new Map([['+priority.factor', '50']]) });
  assert.is(table.get('g')?.attributes.get('priority.factor'), '50');
  assert.throws(
    () => table.update({ ...newGroupConfig('g'), attributes: new Map([['+priority.factor', '101']]) }),
    /^value is not in range\(0, 100\)$/,
  );
  assert.ok(table.delete('g'));
  assert.equal(events, ['+g', '-g']);
});

test('forbids reading per topic, and remembers it', async () => {
  const { table, directory } = newTable();
  table.findOrCreate('g');
  assert.ok(table.mayRead('g', 't'));
  table.setMayRead('g', 't', false);
  assert.not.ok(table.mayRead('g', 't'));
  assert.ok(table.mayRead('g', 'other'));
  await table.saved();
  const reloaded = newTable(directory).table;
  assert.is(reloaded.forbiddenBits('g', 't'), 4);
  reloaded.setMayRead('g', 't', true);
  assert.is(reloaded.toJson().forbiddenTable.size, 0);
});

test.run();
