import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { SlotSet } from '../../../src/delivery/timer/slot-set.ts';
import {
  decodeTimerCheck,
  encodeTimerCheck,
  type TimerCheck,
} from '../../../src/delivery/timer/timer-check.ts';
import {
  emptyUnit,
  readUnit,
  slotOf,
  type TimerUnit,
  UNIT_BYTES,
  unitRoom,
  WHEEL_SLOTS,
  writeSlot,
  writeUnit,
} from '../../../src/delivery/timer/timer-layout.ts';
import { TimerLog, UnitReader } from '../../../src/delivery/timer/timer-log.ts';
import { TimerWheel } from '../../../src/delivery/timer/timer-wheel.ts';
import type { RangeFile } from '../../../src/store/disk/disk.ts';
import { SimDisk } from '../../sim/sim-disk.ts';
import { Random } from '../../support/random.ts';

const test = suite('timer files');

const UNIT: TimerUnit = {
  previous: 104,
  magic: 3,
  writeTime: 1_700_000_000_000,
  slotTime: 1_700_000_007_000,
  physical: 0x1_0000_0001,
  recordSize: 300,
  topicHash: -2,
  due: 1_700_000_007_250,
  elapsed: true,
};

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

function wheelOn(disk: SimDisk, slots: number): TimerWheel {
  disk.makeDirectory('/store');
  return new TimerWheel(disk.open('/store/timerwheel', slots * 32) as RangeFile, slots);
}

test('a unit has the bytes that RocketMQ writes, and the due time where it writes nothing', () => {
  const bytes = new Uint8Array(UNIT_BYTES);
  writeUnit(new DataView(bytes.buffer), 0, UNIT);
  assert.is(
    hex(bytes),
    '00000034' +
      '0000000000000068' +
      '00000003' +
      '0000018bcfe56800' +
      '00001b58' +
      '0000000100000001' +
      '0000012c' +
      'fffffffe' +
      // Above the time stands the seal.
      hex(
        new Uint8Array(
          Buffer.from(
            ((0x3f7ecn << 44n) + 1_700_000_007_250n * 2n + 1n).toString(16).padStart(16, '0'),
            'hex',
          ),
        ),
      ),
  );
  const unit = emptyUnit();
  assert.ok(readUnit(new DataView(bytes.buffer), 0, unit));
  assert.equal(unit, UNIT);
});

test('zeros, another size and an unknown magic are no unit; a reserved field of zeros has no due time', () => {
  const bytes = new Uint8Array(UNIT_BYTES);
  const view = new DataView(bytes.buffer);
  assert.not(readUnit(view, 0, emptyUnit()));
  for (let bit = 0; bit < 8 * UNIT_BYTES; bit++) {
    writeUnit(view, 0, UNIT);
    view.setUint8(bit >> 3, view.getUint8(bit >> 3) ^ (1 << (bit & 7)));
    assert.not(readUnit(view, 0, emptyUnit()), `bit ${bit} is another one`);
  }
  for (const [at, value] of [
    [0, 51],
    [12, 17],
    [12, 0],
  ] as const) {
    writeUnit(view, 0, UNIT);
    view.setInt32(at, value);
    assert.not(readUnit(view, 0, emptyUnit()), `${value} at ${at}`);
  }
  writeUnit(view, 0, UNIT);
  view.setBigInt64(44, 0n);
  const unit = emptyUnit();
  assert.ok(readUnit(view, 0, unit));
  assert.equal([unit.due, unit.elapsed], [0, false]);
});

test("RocketMQ's wheel has 38,707,200 bytes, and its rule of slots is never early", () => {
  assert.is(WHEEL_SLOTS * 32, 38_707_200);
  const bytes = new Uint8Array(32);
  writeSlot(new DataView(bytes.buffer), 0, { slot: 1_700_000_007, first: 0, last: 52, count: 2 });
  // RocketMQ has 0 where the seal stands.
  assert.is(hex(bytes), '000000006553f10700000000000000000000000000000034' + '00000002a2af0967');
  assert.equal(
    [5_000, 5_001, 5_999, 6_000, 6_001].map((due) => slotOf(due, 1000)),
    [4, 5, 5, 5, 6],
  );
});

test('a log file ends with a BLANK where a unit and a BLANK do not fit any more', () => {
  const disk = new SimDisk();
  const size = 4 * UNIT_BYTES + 16 + 10;
  const log = new TimerLog(disk, '/store/timerlog', size);
  const positions: number[] = [];
  for (let i = 0; i < 9; i++) {
    assert.ok(log.makeRoom());
    positions.push(log.append({ ...UNIT, physical: i }));
  }
  assert.ok(log.flush());
  assert.is(unitRoom(size), 4 * UNIT_BYTES);
  assert.equal(positions.slice(3), [156, size, size + 52, size + 104, size + 156, 2 * size]);
  const bytes = disk.bytesOf('/store/timerlog/00000000000000000000');
  assert.is(hex(bytes.subarray(208, 224)), '0000001a0000000000000000cbd43194');
  const reader = new UnitReader(log);
  assert.equal(
    positions.toReversed().map((position) => (reader.at(position) ? reader.unit.physical : -1)),
    [8, 7, 6, 5, 4, 3, 2, 1, 0],
  );
  assert.ok(reader.blankAt(208));
  assert.not(reader.at(208));
  assert.not(reader.at(2 * size + 52), 'nothing was appended there');
  log.deleteBefore(2 * size);
  assert.equal(disk.paths(), [`/store/timerlog/${String(2 * size).padStart(20, '0')}`]);
});

test('units whose write the disk refused are written later', () => {
  const disk = new SimDisk();
  const log = new TimerLog(disk, '/store/timerlog', 4096);
  log.append(UNIT);
  assert.ok(log.flush());
  disk.fail('write', 0, 28);
  const at = log.append({ ...UNIT, physical: 7 });
  assert.not(log.flush());
  assert.is(log.errno, 28);
  assert.ok(log.flush());
  const reader = new UnitReader(log);
  assert.ok(reader.at(at));
  assert.is(reader.unit.physical, 7);
});

test('the wheel finds its next chain, also around its end, and knows a slot of another turn', () => {
  const disk = new SimDisk();
  const wheel = wheelOn(disk, 100);
  assert.is(wheel.nextFilled(0), Number.POSITIVE_INFINITY);
  for (const slot of [1_005, 1_070, 1_099, 1_101])
    wheel.set({ slot, first: slot * 52, last: slot * 52, count: 1 });
  const all: number[] = [];
  for (let slot = wheel.nextFilled(1_003); slot < 1_103; slot = wheel.nextFilled(slot + 1)) all.push(slot);
  assert.equal(all, [1_005, 1_070, 1_099, 1_101]);
  assert.is(wheel.at(1_105).slot, 1_005);
  assert.is(wheel.get(1_105).last, -1);
  assert.ok(wheel.flush());
  const again = wheelOn(disk, 100);
  for (const _ of again.scan(false));
  assert.equal([again.filled, again.nextFilled(1_006), again.get(1_070).last], [4, 1_070, 1_070 * 52]);
  again.clear(1_070);
  assert.equal([again.filled, again.nextFilled(1_006)], [3, 1_099]);
});

test('the next chain of a wheel full of slots of another turn is found without reading one', () => {
  const disk = new SimDisk();
  disk.makeDirectory('/store');
  const file = disk.open('/store/timerwheel', WHEEL_SLOTS * 32) as RangeFile;
  let reads = 0;
  const counting: RangeFile = {
    read: (...args) => {
      reads += 1;
      return file.read(...args);
    },
    write: (...args) => file.write(...args),
    size: () => file.size(),
    close: () => file.close(),
  };
  const wheel = new TimerWheel(counting, WHEEL_SLOTS);
  const now = 1_700_000_000;
  const years = now + 50 * WHEEL_SLOTS;
  for (let i = 0; i < 50_000; i++) wheel.set({ slot: years + i, first: 0, last: 0, count: 1 });
  wheel.set({ slot: now + WHEEL_SLOTS - 1, first: 0, last: 0, count: 1 });
  assert.ok(wheel.flush());
  assert.equal([wheel.nextFilled(now), wheel.nextFilled(now + WHEEL_SLOTS)], [now + WHEEL_SLOTS - 1, years]);
  for (let i = 0; i < 50_000; i++) wheel.clear(years + i);
  assert.is(wheel.nextFilled(now + WHEEL_SLOTS), Number.POSITIVE_INFINITY);
  assert.is(reads, 0);
});

test('an ordered set of slots agrees with a sorted list', () => {
  const random = new Random(7);
  const set = new SlotSet();
  const list = new Set<number>();
  for (let i = 0; i < 5_000; i++) {
    const base = random.pick([0, 1_700_000_000, 1_700_000_000_000, 2 ** 50 - 1_100]);
    const slot = base + random.int(0, random.pick([70, 1_099]));
    if (random.chance(0.5)) {
      set.add(slot);
      list.add(slot);
    } else {
      set.delete(slot);
      list.delete(slot);
    }
    const from = random.chance(0.5) ? slot + 1 : random.int(0, 2 ** 31);
    const next = Math.min(...[...list].filter((other) => other >= from));
    assert.equal([set.next(from), set.size, set.has(slot)], [next, list.size, list.has(slot)]);
  }
});

const CHECK: TimerCheck = {
  readTimeMs: 1_700_000_000_000,
  logEnd: 520,
  queueOffset: 10,
  timestamp: 1_700_000_000_123,
  counter: 3,
  own: {
    precisionMs: 1000,
    clock: {
      boot: 77,
      base: 1.5,
      ahead: -250.25,
      steps: [{ position: 52, ahead: -250.25, lastSlot: 9, passed: 7 }],
    },
    readSlot: 1_700_000_000,
    floor: 468,
    remaking: false,
    partly: {
      byTime: { due: 1_700_000_000_500, position: 52 },
      bySpan: { due: Number.POSITIVE_INFINITY, position: 0 },
      slots: [
        [1_700_000_000, 468, false],
        [1_700_000_001, 520, true],
      ],
    },
    displacedFrom: 156,
  },
  late: { first: 1_699_999_990, until: 1_700_000_009 },
};

test('the checkpoint has the fields of RocketMQ, the queue offset twice, and ours behind them', () => {
  const bytes = encodeTimerCheck(CHECK);
  assert.is(bytes.length, 4096);
  const view = new DataView(bytes.buffer);
  assert.equal(
    [0, 8, 16, 24, 32, 40, 48].map((at) => Number(view.getBigInt64(at))),
    [1_700_000_000_000, 520, 10, 10, 0, 1_700_000_000_123, 3],
  );
  assert.equal(decodeTimerCheck(bytes), CHECK);
});

test('our fields hold only as long as RocketMQ has not written the file, and as they were written', () => {
  for (const at of [8, 48, 2080, 2100]) {
    const bytes = encodeTimerCheck(CHECK);
    bytes[at + 7] = (bytes[at + 7] as number) ^ 1;
    assert.is((decodeTimerCheck(bytes) as TimerCheck).own, undefined, `changed at ${at}`);
  }
  for (const at of [0, 40]) {
    const bytes = encodeTimerCheck(CHECK);
    bytes[at + 7] = (bytes[at + 7] as number) ^ 1;
    assert.match(String(decodeTimerCheck(bytes)), /checksum/, `changed at ${at}`);
  }
  const theirs = { ...CHECK, own: undefined, late: undefined };
  assert.equal(decodeTimerCheck(encodeTimerCheck(theirs)), theirs);
});

test('a checkpoint that cannot be meant is none', () => {
  assert.match(String(decodeTimerCheck(new Uint8Array(55))), /55 bytes/);
  const bytes = encodeTimerCheck(CHECK);
  bytes[8] = 0xff;
  assert.match(String(decodeTimerCheck(bytes)), /no position/);
});

test.run();
