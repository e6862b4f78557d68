/** The tables of `log dump --explain` and docs/store-files.md, held against the code that writes the files. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CHECKPOINT_FIELDS } from '../../../src/cli/log/explain/formats/checkpoint.ts';
import { BLANK, RECORD } from '../../../src/cli/log/explain/formats/commit-log.ts';
import { ENTRY } from '../../../src/cli/log/explain/formats/consume-queue.ts';
import { HEADER, INDEX_ENTRY, SLOT } from '../../../src/cli/log/explain/formats/index-file.ts';
import { type PieceSpec, pieceBytes, placeFields } from '../../../src/cli/log/explain/formats/shape.ts';
import {
  TIMER_BLANK,
  TIMER_CHECK_FIELDS,
  TIMER_CHECK_OWN,
  TIMER_UNIT,
  WHEEL_SLOT,
} from '../../../src/cli/log/explain/formats/timers.ts';
import { pieceFields } from '../../../src/cli/log/explain/piece-fields.ts';
import {
  CHECK_BYTES,
  CHECK_FIELDS_BYTES,
  encodeTimerCheck,
} from '../../../src/delivery/timer/timer-check.ts';
import { MAX_STEPS } from '../../../src/delivery/timer/timer-clock.ts';
import * as timers from '../../../src/delivery/timer/timer-layout.ts';
import { encodeRecord } from '../../../src/record/encode.ts';
import * as layout from '../../../src/record/layout.ts';
import { bodyLengthOffset, RecordParts, storeTimestampOffset, sysFlagOf } from '../../../src/record/view.ts';
import * as index from '../../../src/store/index/index-layout.ts';
import { writeCheckpoint } from '../../../src/store/log/checkpoint.ts';
import { ENTRY_BYTES, ENTRY_SIZE_AT, ENTRY_TAGS_AT } from '../../../src/store/queue/consume-queue.ts';
import { SimDisk } from '../../sim/sim-disk.ts';

const test = suite('tables of layouts');

const V4 = { address: new Uint8Array([10, 0, 0, 1]), port: 4711 };
const V6 = { address: new Uint8Array(16).fill(0xfe), port: 4712 };

function record(topic: string, bornHost = V4, storeHost = V4): Uint8Array {
  const head = {
    queueId: 3,
    flag: 7,
    sysFlag: layout.SYS_COMPRESSED,
    bornTimestamp: 1_700_000_000_001,
    bornHost,
    storeHost,
    reconsumeTimes: 2,
    preparedTransactionOffset: 99,
  };
  return encodeRecord(
    head,
    Buffer.from(topic),
    Buffer.from('the body'),
    Buffer.from('KEYS\x01a b\x02TAGS\x01t\x02'),
  );
}

/** Offsets by name. */
function offsets(piece: PieceSpec, bytes: Uint8Array): Record<string, number> {
  return Object.fromEntries(placeFields(piece, bytes).map(({ spec, at }) => [spec.name, at]));
}

/** Values by name. */
function values(piece: PieceSpec, bytes: Uint8Array): Record<string, unknown> {
  return Object.fromEntries(pieceFields(piece, bytes).map(({ name, value }) => [name, value]));
}

test("a record's header stands where src/record/layout.ts says", () => {
  const at = offsets(RECORD, record('t'));
  assert.is(at['totalSize'], layout.TOTAL_SIZE);
  assert.is(at['magic'], layout.MAGIC);
  assert.is(at['bodyCrc'], layout.BODY_CRC);
  assert.is(at['queueId'], layout.QUEUE_ID);
  assert.is(at['flag'], layout.FLAG);
  assert.is(at['queueOffset'], layout.QUEUE_OFFSET);
  assert.is(at['physicalOffset'], layout.PHYSICAL_OFFSET);
  assert.is(at['sysFlag'], layout.SYS_FLAG);
  assert.is(at['bornTimestamp'], layout.BORN_TIMESTAMP);
  assert.is(at['bornHost'], layout.BORN_HOST);
  assert.is(at['storeTimestamp'], layout.STORE_TIMESTAMP_V4);
  assert.is(at['reconsumeTimes'], layout.RECONSUME_TIMES_V4);
});

for (const [name, bytes] of [
  ['V1, IPv4', record('orders')],
  ['V2, a topic of 200 bytes', record('o'.repeat(200))],
  ['bornHost IPv6', record('orders', V6)],
  ['both hosts IPv6, V2', record('o'.repeat(130), V6, V6)],
] as const) {
  test(`parts of a record: ${name}`, () => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const parts = new RecordParts();
    assert.ok(parts.locate(view, 0, bytes.length));
    const placed = placeFields(RECORD, bytes);
    const at = offsets(RECORD, bytes);
    const sysFlag = sysFlagOf(view, 0);
    assert.is(at['storeTimestamp'], storeTimestampOffset(sysFlag));
    assert.is(at['bodyLength'], bodyLengthOffset(sysFlag));
    assert.equal(
      [at['body'], at['topic'], at['properties']],
      [parts.bodyOffset, parts.topicOffset, parts.propertiesOffset],
    );
    const last = placed.at(-1);
    assert.is(
      (last?.at ?? 0) + (last?.bytes ?? 0),
      bytes.length,
      'every byte of the record belongs to a field',
    );
    const named = values(RECORD, bytes);
    assert.equal([named['queueId'], named['flag'], named['reconsumeTimes']], [3, 7, 2]);
    assert.is(named['preparedTransactionOffset'], 99);
    assert.is(named['body'], '"the body"');
    assert.equal([named['property KEYS'], named['property TAGS']], ['a b', 't']);
  });
}

test('fields of a record lie one behind the other, whatever its properties are', () => {
  const bytes = encodeRecord(
    {
      queueId: 0,
      flag: 0,
      sysFlag: 0,
      bornTimestamp: 0,
      bornHost: V4,
      storeHost: V4,
      reconsumeTimes: 0,
      preparedTransactionOffset: 0,
    },
    Buffer.from('t'),
    new Uint8Array(0),
    Buffer.from('nothing\x02A\x01b\x02\x01\x02C\x01d'),
  );
  let end = 0;
  for (const { at, bytes: length } of pieceFields(RECORD, bytes)) {
    assert.is(at, end);
    end += length;
  }
  assert.is(end, bytes.length);
});

test('BLANK, queue entry, index', () => {
  assert.is(pieceBytes(BLANK), layout.BLANK_BYTES);
  assert.is(pieceBytes(ENTRY), ENTRY_BYTES);
  const entry = offsets(ENTRY, new Uint8Array(ENTRY_BYTES));
  assert.equal(entry, { physicalOffset: 0, size: ENTRY_SIZE_AT, tagsCode: ENTRY_TAGS_AT });
  assert.equal(offsets(HEADER, new Uint8Array(index.INDEX_HEADER_BYTES)), {
    beginTimestamp: index.BEGIN_TIMESTAMP,
    endTimestamp: index.END_TIMESTAMP,
    beginPhyOffset: index.BEGIN_PHYSICAL,
    endPhyOffset: index.END_PHYSICAL,
    hashSlotCount: index.SLOT_COUNT,
    indexCount: index.INDEX_COUNT,
  });
  assert.is(pieceBytes(HEADER), index.INDEX_HEADER_BYTES);
  assert.is(pieceBytes(SLOT), index.SLOT_BYTES);
  assert.is(pieceBytes(INDEX_ENTRY), index.INDEX_ENTRY_BYTES);
  assert.equal(offsets(INDEX_ENTRY, new Uint8Array(index.INDEX_ENTRY_BYTES)), {
    keyHash: 0,
    phyOffset: index.ENTRY_PHYSICAL,
    timeDiff: index.ENTRY_TIME,
    previous: index.ENTRY_PREVIOUS,
  });
});

test('the checkpoint, as it is written', () => {
  const disk = new SimDisk();
  disk.makeDirectory('/store');
  writeCheckpoint(disk, '/store/checkpoint', {
    logTimestamp: 1,
    queueTimestamp: 2,
    indexTimestamp: 3,
    masterFlushedOffset: 4,
    confirmOffset: 5,
    queuePhysicalOffset: 6,
  });
  assert.equal(values(CHECKPOINT_FIELDS, disk.readWhole('/store/checkpoint') as Uint8Array), {
    physicMsgTimestamp: 1,
    logicsMsgTimestamp: 2,
    indexMsgTimestamp: 3,
    masterFlushedOffset: 4,
    confirmPhyOffset: 5,
    logicsPhysicalOffset: 6,
  });
});

test('wheel and timer log, as they are written', () => {
  const bytes = new Uint8Array(timers.UNIT_BYTES);
  const view = new DataView(bytes.buffer);
  timers.writeUnit(view, 0, {
    previous: 52,
    magic: timers.MAGIC_UNIT | timers.MAGIC_ROLL,
    writeTime: 1_700_000_000_000,
    slotTime: 1_700_000_004_000,
    physical: 77,
    recordSize: 300,
    topicHash: -5,
    due: 1_700_000_004_500,
    elapsed: true,
  });
  assert.is(pieceBytes(TIMER_UNIT), timers.UNIT_BYTES);
  const unit = values(TIMER_UNIT, bytes);
  assert.equal([unit['size'], unit['previous'], unit['magic']], [timers.UNIT_BYTES, 52, '0x00000003']);
  assert.equal([unit['writeTime'], unit['delayed'], unit['phyOffset']], [1_700_000_000_000, 4000, 77]);
  assert.equal([unit['sizePy'], unit['realTopicHash']], [300, -5]);
  assert.is(BigInt(unit['due'] as bigint) & 0xfffffffffffn, 2n * 1_700_000_004_500n + 1n, 'below the seal');
  timers.writeBlank(view, 0, 40);
  assert.equal(values(TIMER_BLANK, bytes), { size: 40, zero: 0, magic: '0xcbd43194' });
  assert.is(pieceBytes(TIMER_BLANK), timers.BLANK_BYTES);
  timers.writeSlot(view, 0, { slot: 9, first: 52, last: 104, count: 2 });
  const { seal, ...slot } = values(WHEEL_SLOT, bytes);
  assert.equal(slot, { time: 9, first: 52, last: 104, count: 2 });
  assert.not.equal(seal, 0);
  assert.is(pieceBytes(WHEEL_SLOT), timers.SLOT_BYTES);
  assert.match(WHEEL_SLOT.place, timers.WHEEL_SLOTS.toLocaleString('en'));
});

test('the timer checkpoint, both parts, as it is written', () => {
  const steps = Array.from({ length: 2 }, (_, i) => ({
    position: 52 * i,
    ahead: -i,
    lastSlot: 7,
    passed: 6,
  }));
  const bytes = encodeTimerCheck({
    readTimeMs: 1000,
    logEnd: 520,
    queueOffset: 9,
    timestamp: 11,
    counter: 12,
    own: {
      precisionMs: 100,
      clock: { boot: 13, base: 14.5, ahead: -15.5, steps },
      readSlot: 16,
      floor: 17,
      partly: {
        byTime: { due: 18, position: 19 },
        bySpan: { due: 20, position: 21 },
        slots: [[22, 23, true]],
      },
      remaking: true,
      displacedFrom: 24,
    },
    late: { first: 25, until: 26 },
  });
  assert.is(pieceBytes(TIMER_CHECK_FIELDS), CHECK_FIELDS_BYTES);
  assert.equal(values(TIMER_CHECK_FIELDS, bytes.subarray(0, CHECK_FIELDS_BYTES)), {
    lastReadTimeMs: 1000,
    lastTimerLogFlushPos: 520,
    lastTimerQueueOffset: 9,
    masterTimerQueueOffset: 9,
    stateVersion: 0,
    timestamp: 11,
    counter: 12,
  });
  const part = bytes.subarray(CHECK_BYTES / 2);
  const own = values(TIMER_CHECK_OWN, part);
  const names = [
    'ownCounter',
    'ownLogEnd',
    'precisionMs',
    'boot',
    'base',
    'ahead',
    'readSlot',
    'floor',
    'steps',
  ];
  assert.equal(
    names.map((name) => own[name]),
    [12, 520, 100, 13, 14.5, -15.5, 16, 17, 2],
  );
  const more = ['timeDue', 'timePosition', 'spanDue', 'spanPosition', 'slots', 'remaking', 'displacedFrom'];
  assert.equal(
    more.map((name) => own[name]),
    [18, 19, 20, 21, 1, 1, 24],
  );
  assert.equal([own['lateFirst'], own['lateUntil']], [25, 26]);
  assert.match(
    TIMER_CHECK_OWN.fields.find(({ name }) => name === 'stepTable')?.meaning ?? '',
    `${MAX_STEPS} entries`,
  );
  assert.is(Buffer.from(part).readBigInt64BE(0), 0x52494e474d52n);
  const end = pieceBytes(TIMER_CHECK_OWN);
  assert.ok(!part.subarray(end).some((byte) => byte !== 0), 'nothing is written behind the last field');
  assert.ok(
    part.subarray(end - 4, end).some((byte) => byte !== 0),
    'the last field is the last that is written',
  );
});

test('a name stands for one field of a piece', () => {
  for (const piece of [
    RECORD,
    BLANK,
    ENTRY,
    HEADER,
    INDEX_ENTRY,
    CHECKPOINT_FIELDS,
    TIMER_UNIT,
    WHEEL_SLOT,
    TIMER_CHECK_OWN,
  ]) {
    const names = piece.fields.map(({ name }) => name);
    assert.is(new Set(names).size, names.length, piece.name);
  }
});

test.run();
