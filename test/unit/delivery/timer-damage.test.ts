/** Damage of what RocketMQ has written, which has no seals: units are checked against their records. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RecalledKeys, RecallRoom } from '../../../src/delivery/timer/recalled-keys.ts';
import { OpenSlot } from '../../../src/delivery/timer/slot-loader.ts';
import {
  encodeTimerCheck,
  readTimerCheck,
  type TimerCheck,
} from '../../../src/delivery/timer/timer-check.ts';
import { TimerRig } from './timer-support.ts';

const test = suite('damaged timers of RocketMQ');
const CHECK = '/store/config/timercheck';
const WHEEL = '/store/timerwheel';
const LOG = '/store/timerlog/00000000000000000000';
const COUNT = 20;
const BODIES = Array.from({ length: COUNT }, (_, i) => `m${i}`);

/** A store as RocketMQ leaves it: messages in two slots, one of them recalled; no seals, nothing of ours. */
async function rocketStore(): Promise<TimerRig> {
  const rig = new TimerRig();
  const second = Math.ceil(rig.time.now() / 1000) * 1000 + 5_000;
  for (const [i, body] of BODIES.entries()) rig.at(body, second + (i < COUNT / 2 ? 1_000 : 5_000));
  rig.at('recalled', second + 5_000);
  rig.recall('recalled', second + 4_000);
  await rig.time.advance(1_000);
  await rig.save();
  await rig.stop();
  const check = readTimerCheck(rig.disk, CHECK) as TimerCheck;
  rig.disk.bytesOf(CHECK).set(encodeTimerCheck({ ...check, own: undefined, late: undefined }));
  const log = rig.disk.bytesOf(LOG);
  for (let at = 0; at < check.logEnd; at += 52) log.fill(0, at + 44, at + 52);
  const wheel = rig.disk.bytesOf(WHEEL);
  for (let at = 0; at < wheel.length; at += 32) wheel.fill(0, at + 28, at + 32);
  return rig;
}

async function deliver(rig: TimerRig): Promise<string> {
  rig.begin();
  await rig.live(30_000);
  assert.equal([...new Set(rig.bodies)].sort(), [...BODIES].sort());
  for (const { body, at, message } of rig.delivered) {
    assert.is(message.properties.get('UNIQ_KEY'), body);
    assert.ok(at >= Number(message.properties.get('TIMER_DELIVER_MS')), `${body} is early`);
  }
  return rig.lines.join();
}

test('what RocketMQ has left is taken as it is', async () => {
  const lines = await deliver(await rocketStore());
  assert.not.match(lines, /made anew/);
});

/** Of the unit that comes third into its slot, and the last, which recalls. */
const THIRD = 2 * 52;
const RECALL = (COUNT + 1) * 52;
const damages: [string, (log: DataView) => void][] = [
  ['leads to another message', (log) => log.setInt32(THIRD + 32, log.getInt32(THIRD + 52 * 12 + 32))],
  ['leads to no record', (log) => log.setInt32(THIRD + 32, log.getInt32(THIRD + 32) + 7)],
  ['has another size', (log) => log.setInt32(THIRD + 36, log.getInt32(THIRD + 36) + 1)],
  ['has the hash of another topic', (log) => log.setInt32(THIRD + 40, 1)],
  ['recalls instead of being delivered', (log) => log.setInt32(THIRD + 12, 5)],
  ['recalls another message', (log) => log.setInt32(RECALL + 32, log.getInt32(THIRD + 32))],
];

for (const [what, damage] of damages) {
  test(`a unit that ${what}: the wheel is made anew, with a line that says why`, async () => {
    const rig = await rocketStore();
    damage(new DataView(rig.disk.bytesOf(LOG).buffer));
    assert.match(await deliver(rig), /a unit of slot \d+ leads to \d+, where no message of it stands/);
  });
}

test('a slot whose first unit is none of it has the wheel made anew', async () => {
  const rig = await rocketStore();
  const wheel = new DataView(rig.disk.bytesOf(WHEEL).buffer);
  for (let at = 0; at < wheel.byteLength; at += 32)
    if (wheel.getInt32(at + 20) > 52 * (COUNT / 2)) wheel.setInt32(at + 12, 52);
  assert.match(await deliver(rig), /there is no unit of slot/);
});

test('a checkpoint whose part of ours is damaged has the wheel made anew, whoever seems to have written it', async () => {
  for (const places of [[2051], [55, 2051]]) {
    const rig = new TimerRig();
    for (const body of BODIES) rig.at(body, rig.time.now() + 5_000);
    await rig.live(1_000);
    await rig.stop();
    for (const at of places) rig.disk.bytesOf(CHECK)[at] = 9;
    assert.match(await deliver(rig), /what the checkpoint says of the wheel is damaged/);
  }
});

test('a chain that leads past what is known of it is damaged', () => {
  const slot = { slot: 7, first: 52, last: 520, count: 3 };
  const open = new OpenSlot(slot, 0, new RecalledKeys(new RecallRoom(1)), 260);
  assert.is(open.next(), 520);
  assert.throws(() => open.pass(52), /chain of slot 7 leads past 260/);
  const since = new OpenSlot({ ...slot, first: 312 }, 0, new RecalledKeys(new RecallRoom(1)), 260);
  since.next();
  since.pass(-1);
  assert.ok(since.ready, 'a chain that was begun since is all new');
});

test.run();
