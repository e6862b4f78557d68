/** Control's end of delivery while a slave acts for its master, and when that is over. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ActedBefore } from '../../../src/delivery/acting/acted-timers.ts';
import { DelayLevels } from '../../../src/delivery/delay/levels.ts';
import { DeliveryLink } from '../../../src/delivery/delivery-link.ts';
import { DELIVERY_STOPS, POP_TOLD, TIMERS_SAVED } from '../../../src/delivery/delivery-records.ts';
import type { DeliveryReport, DueProgress } from '../../../src/delivery/delivery-shape.ts';
import { DelayOffsets } from '../../../src/metadata/delay-offsets.ts';
import { DelayTimes } from '../../../src/metadata/delay-times.ts';
import { LiteTopics } from '../../../src/metadata/lite-topics.ts';
import { OrderInfos } from '../../../src/metadata/order-infos.ts';
import { ENDLESS } from '../../../src/metadata/topics.ts';
import { plainChannel } from '../../../src/ring/channel.ts';
import { SimDisk } from '../../sim/sim-disk.ts';
import { setUp } from '../broker/support.ts';
import { silentLog } from '../metadata/support.ts';

const test = suite("control's end of delivery on a slave that acts");

function rig() {
  const { context, settings, directory, time } = setUp();
  const { offsets, topics, groups } = context;
  const tables = {
    ...{ settings, offsets, topics, groups, orders: new OrderInfos(directory) },
    delayOffsets: new DelayOffsets(directory, settings, time),
    delayTimes: new DelayTimes(directory, 'a boot', silentLog),
    lites: new LiteTopics(topics, ENDLESS),
  };
  topics.createInternal('T', 1);
  groups.findOrCreate('G');
  const levels = new DelayLevels(settings.messageDelayLevel);
  const { sender, receiver } = plainChannel({ ringBytes: 64 * 1024 });
  const store = { fileReservedTime: 72, directory: '/store' };
  const disk = new SimDisk();
  const begin = () => new DeliveryLink(tables, { levels, store, disk, log: silentLog }, sender);
  const report = (progress: DueProgress, stopped = false): DeliveryReport => ({
    ...{ kind: 'delivery', progress, figures: undefined, stopped },
  });
  const popped = (offset: number): DueProgress => ({
    pops: {
      ...{ deletions: 0, offsets: [['T', 'G', 0, offset]] },
      ...{ orders: [], scanned: -1, journaled: 0, revive: [] },
    },
  });
  const commands = () => {
    const types: number[] = [];
    while (receiver.next()) types.push(receiver.type);
    receiver.release();
    return types;
  };
  return { link: begin(), begin, disk, offsets, time, tables, report, popped, commands };
}

test('what it has come to last is noted, and then it has no say any more', async () => {
  const { link, offsets, time, tables, report, popped, commands } = rig();
  for (const life of [1, 2]) {
    link.beginActing(time);
    link.asked({ what: 'offsets', topic: 'T', group: 'G' });
    link.heard(
      report({ ...popped(10 * life), acted: [[life, 5]], delays: { offsets: [[2, life]], times: [] } }),
    );
    const stopped = link.stop();
    link.heard(report(popped(10 * life + 1), true));
    await stopped;
    link.endActing();
    assert.equal(commands(), [POP_TOLD, DELIVERY_STOPS]);
    assert.is(offsets.query('G', 'T', 0), 10 * life + 1);
    assert.equal(offsets.goneOn('G', 'T'), [0], 'what the master has written down of it is older');
    assert.is(tables.delayOffsets.get(2), life);
    assert.equal(link.acted.all.at(-1), [life, 5]);
    offsets.assignReset('G', 'T', 0, 3);
    assert.ok(offsets.hasReset('G', 'T', 0), 'it waits for the next pull');
    assert.equal(commands(), [], 'nobody is there to hear of it');
  }
});

test('timers that it has delivered are known to its next process, as a slave and as the master', async () => {
  const { link, begin, disk, time, report } = rig();
  const known = () => {
    const restarted = begin();
    restarted.loadActed();
    return restarted.acted.all;
  };
  const acted = (...position: number[]) => report({ acted: position.map((at) => [at, at]) });
  link.beginActing(time);
  link.heard(acted(1, 2));
  assert.equal(known(), []);
  link.endActing();
  assert.equal(known(), [
    [1, 1],
    [2, 2],
  ]);
  link.beginActing(time);
  link.heard(acted(2, 3));
  // The broker stops meanwhile.
  link.logIsDurable();
  assert.equal(known(), [
    [1, 1],
    [2, 2],
    [2, 2],
    [3, 3],
  ]);
  const asMaster = ActedBefore.load(disk, '/store', 0, (line) => assert.unreachable(line));
  assert.is(asMaster.size, 3);
});

test('what its timers wait to be written for is as good as written', async () => {
  const { link, time, report, commands } = rig();
  const timers = (sequence: number): DueProgress => ({
    timers: {
      ...{ sequence, oldest: -1 },
      check: {
        readTimeMs: 1_000,
        logEnd: 0,
        queueOffset: 1,
        timestamp: 1,
        own: undefined,
        late: undefined,
      },
    },
  });
  link.beginActing(time);
  link.heard(report(timers(3)));
  assert.equal(commands(), [TIMERS_SAVED], 'its slots can be cleared, and a damaged wheel be made anew');
  assert.ok(link.timerCheck !== undefined);
  const stopped = link.stop();
  link.heard(report(timers(4), true));
  await stopped;
  link.endActing();
  assert.equal(commands(), [DELIVERY_STOPS], 'and nothing is left for its next turn');
});

test.run();
