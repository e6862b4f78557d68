/** The files of timed messages, field by field: checkpoint, wheel (the slots that hold something) and log. */
import { join } from 'node:path';
import {
  CHECK_BYTES,
  CHECK_FIELDS_BYTES,
  decodeTimerCheck,
  type TimerCheck,
} from '../../delivery/timer/timer-check.ts';
import {
  BLANK_BYTES,
  emptyUnit,
  isBlank,
  MAGIC_DELETE,
  MAGIC_ROLL,
  readSlot,
  readUnit,
  SLOT_BYTES,
  type TimerUnit,
  UNIT_BYTES,
} from '../../delivery/timer/timer-layout.ts';
import { readInt64 } from '../../lib/int64.ts';
import type { Disk, RangeFile } from '../../store/disk/disk.ts';
import { storePaths } from '../../store/paths.ts';
import type { DumpFile, Field, Item } from './item.ts';
import { time } from './record-fields.ts';
import { positionFiles } from './store-files.ts';

const CHECK_FIELDS = [
  ['lastReadTimeMs', 'slots before it have been delivered'],
  ['lastTimerLogFlushPos', 'the timer log is durable up to there'],
  ['lastTimerQueueOffset', 'entries of rmq_sys_wheel_timer before it are in the wheel'],
  ['masterTimerQueueOffset', 'the same, on a master'],
  ['stateVersion', ''],
  ['timestamp', 'of the last change'],
  ['counter', 'of changes'],
] as const;
const TIMES: ReadonlySet<string> = new Set(['lastReadTimeMs', 'timestamp']);
const BLOCK_BYTES = 64 * SLOT_BYTES * UNIT_BYTES;

/** Those that exist; `from` = position in the timer log before which nothing is shown. */
export function dumpTimerFiles(disk: Disk, root: string, from: number): DumpFile[] {
  const files: DumpFile[] = [];
  const wheel = storePaths.timerWheel(root);
  if (disk.size(wheel) >= 0) {
    files.push({
      path: 'timerwheel',
      about: `timerwheel: slots of ${SLOT_BYTES} bytes, each the head of a chain in the timer log; those that hold one.`,
      items: blocks(disk, wheel, 0, slots),
    });
  }
  const directory = storePaths.timerLog(root);
  for (const name of positionFiles(disk, directory)) {
    const path = join(directory, name);
    if (Number(name) + disk.size(path) <= from) continue;
    files.push({
      path: `timerlog/${name}`,
      about: `timer log: units of ${UNIT_BYTES} bytes, one for each time that a message was put into the wheel.`,
      items: blocks(disk, path, Math.max(0, from - Number(name)), (view, at, size) =>
        units(view, at, size, Number(name)),
      ),
    });
  }
  return files;
}

export function dumpTimerCheck(disk: Disk, root: string): DumpFile {
  return {
    path: 'config/timercheck',
    about:
      "timercheck: how far timed messages have come; seven numbers of 8 bytes, and from 2048 on RingMQ's own.",
    items: check(disk, storePaths.timerCheck(root)),
  };
}

function* check(disk: Disk, path: string): Iterable<Item> {
  const bytes = disk.readWhole(path);
  if (bytes === undefined || bytes.length < CHECK_FIELDS_BYTES) return;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const fields = CHECK_FIELDS.map(([name, meaning], i): Field => {
    const value = readInt64(view, i * 8);
    const date = TIMES.has(name) ? time(value) : '';
    return { at: i * 8, name, value, meaning: [meaning, date].filter((part) => part !== '').join(', ') };
  });
  yield { what: 'timercheck', at: 0, fields, bytes: bytes.subarray(0, CHECK_FIELDS_BYTES) };
  const decoded = decodeTimerCheck(bytes);
  if (typeof decoded === 'object' && decoded.own !== undefined)
    yield { what: "RingMQ's", at: CHECK_BYTES / 2, fields: ownFields(decoded.own) };
}

function ownFields(own: NonNullable<TimerCheck['own']>): Field[] {
  const { precisionMs, clock, readSlot, floor, remaking, displacedFrom } = own;
  return [
    { name: 'precisionMs', value: precisionMs, meaning: 'timerPrecisionMs' },
    { name: 'base', value: clock.base, meaning: 'elapsed time less the monotonic clock, ms' },
    { name: 'ahead', value: clock.ahead, meaning: "the machine's clock less elapsed time, ms" },
    { name: 'steps', value: clock.steps.length, meaning: 'times that the clock was set back' },
    { name: 'readSlot', value: readSlot, meaning: 'first slot of which something may be left' },
    {
      name: 'floor',
      value: floor,
      meaning: 'position in the timer log: its units up to there are delivered',
    },
    { name: 'remaking', value: remaking ? 1 : 0, meaning: 'wheel and log are being made anew' },
    {
      name: 'displacedFrom',
      value: displacedFrom,
      meaning: 'position in the timer log from which on units may stand in a later slot than their own',
    },
  ];
}

type ItemsOf = (view: DataView, at: number, size: number) => Iterable<Item>;

/** Walks a sparse file in blocks, and steps over what was never written. */
function* blocks(disk: Disk, path: string, from: number, itemsOf: ItemsOf): Iterable<Item> {
  const file = disk.open(path, -1);
  if (typeof file === 'number') throw new Error(`${path} cannot be read (errno ${-file}).`);
  try {
    for (let at = from - (from % UNIT_BYTES); ; ) {
      const data = disk.firstData(path, at);
      if (data < 0) return;
      const start = data - (data % BLOCK_BYTES);
      const block = blockOf(file, start);
      if (block === undefined) return;
      for (const item of itemsOf(block, start, block.byteLength))
        if (item.at >= from || start > from) yield item;
      at = start + BLOCK_BYTES;
    }
  } finally {
    file.close();
  }
}

function blockOf(file: RangeFile, start: number): DataView | undefined {
  const bytes = new Uint8Array(BLOCK_BYTES);
  const read = file.read(start, bytes, 0, BLOCK_BYTES);
  return read > 0 ? new DataView(bytes.buffer, 0, read) : undefined;
}

function* slots(view: DataView, start: number, size: number): Iterable<Item> {
  for (let at = 0; at + SLOT_BYTES <= size; at += SLOT_BYTES) {
    const { slot, first, last, count } = readSlot(view, at);
    if (slot <= 0 || last < 0) continue;
    yield {
      what: 'slot',
      at: start + at,
      short: true,
      fields: [
        {
          name: 'time',
          value: slot,
          meaning: `in units of timerPrecisionMs; ${time(slot * 1000)} with 1000`,
        },
        { name: 'first', value: first },
        { name: 'last', value: last, meaning: 'newest unit' },
        { name: 'count', value: count, meaning: 'messages less recalls' },
      ],
      bytes: new Uint8Array(view.buffer, at, SLOT_BYTES),
    };
  }
}

function* units(view: DataView, start: number, size: number, file: number): Iterable<Item> {
  const unit = emptyUnit();
  for (let at = 0; at + BLANK_BYTES <= size; at += UNIT_BYTES) {
    const bytes = new Uint8Array(view.buffer, at, Math.min(UNIT_BYTES, size - at));
    if (at + UNIT_BYTES <= size && readUnit(view, at, unit)) {
      yield { what: 'unit', at: file + start + at, short: true, fields: unitFields(unit), bytes };
    } else if (isBlank(view, at)) {
      yield {
        what: 'BLANK',
        at: file + start + at,
        short: true,
        fields: [{ name: 'size', value: view.getInt32(at) }],
      };
      return;
    }
  }
}

function unitFields({
  previous,
  magic,
  writeTime,
  slotTime,
  physical,
  recordSize,
  due,
  elapsed,
}: TimerUnit): Field[] {
  const kinds = [(magic & MAGIC_ROLL) !== 0 && 'rolls', (magic & MAGIC_DELETE) !== 0 && 'recalls'];
  const kind = kinds.filter((part) => part !== false).join(', ');
  const clock = elapsed ? 'elapsed time' : time(due);
  return [
    { name: 'magic', value: magic, meaning: kind === '' ? 'message' : kind },
    { name: 'slot', value: slotTime, meaning: time(slotTime) },
    { name: 'due', value: due, meaning: due === 0 ? 'RocketMQ wrote it' : clock },
    { name: 'written', value: writeTime },
    { name: 'phyOffset', value: physical },
    { name: 'size', value: recordSize },
    { name: 'previous', value: previous },
  ];
}
