/** The files of timed messages, field by field: checkpoint, wheel (the slots that hold something) and log. */
import { join } from 'node:path';
import { CHECK_BYTES, decodeTimerCheck } from '../../delivery/timer/timer-check.ts';
import {
  BLANK_BYTES,
  emptyUnit,
  isBlank,
  isSlot,
  isUnsealed,
  MAGIC_DELETE,
  MAGIC_ROLL,
  readSlot,
  readUnit,
  SLOT_BYTES,
  type TimerUnit,
  UNIT_BYTES,
  WHEEL_SLOTS,
} from '../../delivery/timer/timer-layout.ts';
import type { Disk, RangeFile } from '../../store/disk/disk.ts';
import { storePaths } from '../../store/paths.ts';
import { type PieceSpec, pieceBytes } from './explain/formats/shape.ts';
import {
  TIMER_BLANK,
  TIMER_CHECK,
  TIMER_CHECK_FIELDS,
  TIMER_CHECK_OWN,
  TIMER_LOG,
  TIMER_UNIT,
  TIMER_WHEEL,
  WHEEL_SLOT,
} from './explain/formats/timers.ts';
import { pieceFields } from './explain/piece-fields.ts';
import { unitDamage, ZeroGap } from './explain/timer-damage.ts';
import type { Damage, DumpFile, Field, Item } from './item.ts';
import { time } from './record-fields.ts';
import { positionFiles } from './store-files.ts';

const TIMES: ReadonlySet<string> = new Set(['lastReadTimeMs', 'timestamp']);
const BLOCK_BYTES = 64 * SLOT_BYTES * UNIT_BYTES;
const OWN_AT = CHECK_BYTES / 2;
/** Of RingMQ's part what is of use without knowing how delivery works. */
const OWN_SHOWN: ReadonlySet<string> = new Set([
  'precisionMs',
  'base',
  'ahead',
  'steps',
  'readSlot',
  'floor',
  'remaking',
  'displacedFrom',
]);

/** Those that exist; `from` = position in the timer log before which nothing is shown. */
export function dumpTimerFiles(disk: Disk, root: string, from: number): DumpFile[] {
  const sealed = isOurs(disk, root);
  const files: DumpFile[] = disk
    .list(root)
    .filter((name) => /^timerwheel(?:\.\d+)?$/.test(name) && !disk.isDirectory(join(root, name)))
    .sort()
    .map((name) => wheelFile(disk, root, name, sealed && name === 'timerwheel'));
  const directory = storePaths.timerLog(root);
  const names = positionFiles(disk, directory);
  const usual = disk.size(join(directory, names[0] ?? ''));
  for (const name of names) {
    const source = join(directory, name);
    const size = disk.size(source);
    if (Number(name) + size <= from) continue;
    const gap = new ZeroGap();
    files.push({
      path: `timerlog/${name}`,
      source,
      format: TIMER_LOG,
      about: `timer log: units of ${UNIT_BYTES} bytes, one for each time that a message was put into the wheel.`,
      items: blocks(disk, source, Math.max(0, from - Number(name)), (view, at) =>
        units(view, at, Number(name), gap),
      ),
      damage: () =>
        size === usual
          ? []
          : [{ at: size, text: `the file ends here: it has ${size} bytes, the others have ${usual}` }],
    });
  }
  return files;
}

/** RingMQ has written the wheel last: a seal that is not its own is damage. */
function isOurs(disk: Disk, root: string): boolean {
  const bytes = disk.readWhole(storePaths.timerCheck(root));
  const check = bytes && decodeTimerCheck(bytes);
  return typeof check === 'object' && check.own !== undefined;
}

function wheelFile(disk: Disk, root: string, path: string, sealed: boolean): DumpFile {
  const source = join(root, path);
  const size = disk.size(source);
  const wanted = WHEEL_SLOTS * SLOT_BYTES;
  return {
    path,
    source,
    format: TIMER_WHEEL,
    about: `timerwheel: slots of ${SLOT_BYTES} bytes, each the head of a chain in the timer log; those that hold one.`,
    items: blocks(disk, source, 0, (view, at) => slots(view, at, sealed)),
    damage: () =>
      size === wanted
        ? []
        : [{ at: Math.min(size, wanted), text: `the file has ${size} bytes, ${wanted} belong there` }],
  };
}

export function dumpTimerCheck(disk: Disk, root: string): DumpFile {
  const source = storePaths.timerCheck(root);
  return {
    path: 'config/timercheck',
    source,
    format: TIMER_CHECK,
    about:
      "timercheck: how far timed messages have come; seven numbers of 8 bytes, and from 2048 on RingMQ's own.",
    items: check(disk, source),
    damage: () => checkDamage(disk.readWhole(source)),
  };
}

function* check(disk: Disk, path: string): Iterable<Item> {
  const whole = disk.readWhole(path);
  if (whole === undefined || whole.length < pieceBytes(TIMER_CHECK_FIELDS)) return;
  const bytes = whole.subarray(0, pieceBytes(TIMER_CHECK_FIELDS));
  yield {
    what: 'timercheck',
    at: 0,
    fields: described(TIMER_CHECK_FIELDS, bytes),
    bytes,
    piece: TIMER_CHECK_FIELDS,
  };
  const part = whole.subarray(OWN_AT);
  if (!part.some((byte) => byte !== 0)) return;
  const decoded = decodeTimerCheck(whole);
  const isValid = typeof decoded === 'object' && decoded.own !== undefined;
  const fields = described(TIMER_CHECK_OWN, part).filter(({ name }) => OWN_SHOWN.has(name));
  yield { what: "RingMQ's", at: OWN_AT, fields, bytes: part, piece: TIMER_CHECK_OWN, explains: !isValid };
}

function described(piece: PieceSpec, bytes: Uint8Array): Field[] {
  return pieceFields(piece, bytes).map(({ at, name, value, spec }) => {
    const date = TIMES.has(name) ? time(Number(value)) : '';
    return { at, name, value, meaning: date === '' ? spec.meaning : `${spec.meaning}, ${date}` };
  });
}

/** RingMQ's part may be older than RocketMQ's fields; then it says nothing, which is no damage. */
function checkDamage(bytes: Uint8Array | undefined): Damage[] {
  const wanted = pieceBytes(TIMER_CHECK_FIELDS);
  if (bytes === undefined) return [];
  if (bytes.length < wanted)
    return [{ at: bytes.length, text: `the file ends here, ${wanted} bytes belong there at least` }];
  const damage: Damage[] = [];
  for (const { at, name, value } of pieceFields(TIMER_CHECK_FIELDS, bytes.subarray(0, wanted)).slice(0, 4)) {
    if (Number(value) < 0 || !Number.isSafeInteger(Number(value)))
      damage.push({ at, text: `${name} is ${value}, which is no time and no position` });
  }
  const decoded = decodeTimerCheck(bytes);
  const own = pieceFields(TIMER_CHECK_OWN, bytes.subarray(OWN_AT));
  const crcAt = (name: string) => OWN_AT + (own.find((field) => field.name === name)?.at ?? 0);
  if (damage.length === 0 && typeof decoded === 'string')
    damage.push({ at: crcAt('fieldsCrc'), text: decoded });
  return damage;
}

type ItemsOf = (view: DataView, at: number) => Iterable<Item>;

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
      for (const item of itemsOf(block, start)) if (item.at >= from || start > from) yield item;
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

function* slots(view: DataView, start: number, sealed: boolean): Iterable<Item> {
  for (let at = 0; at + SLOT_BYTES <= view.byteLength; at += SLOT_BYTES) {
    const slot = readSlot(view, at);
    const damage = slotDamage(view, at, start, sealed);
    const isEmpty = slot.slot <= 0 || slot.last < 0;
    if (isEmpty && damage === undefined) continue;
    yield {
      what: 'slot',
      at: start + at,
      short: true,
      explains: isEmpty,
      fields: [
        {
          name: 'time',
          value: slot.slot,
          meaning: `in units of timerPrecisionMs; ${time(slot.slot * 1000)} with 1000`,
        },
        { name: 'first', value: slot.first },
        { name: 'last', value: slot.last, meaning: 'newest unit' },
        { name: 'count', value: slot.count, meaning: 'messages less recalls' },
      ],
      bytes: new Uint8Array(view.buffer, at, SLOT_BYTES),
      piece: WHEEL_SLOT,
      ...(damage === undefined ? {} : { damage: [damage] }),
    };
  }
}

function slotDamage(view: DataView, at: number, start: number, sealed: boolean): Damage | undefined {
  const slot = readSlot(view, at);
  const place = (start + at) / SLOT_BYTES;
  if (!isSlot(slot, place, WHEEL_SLOTS)) {
    const isTime = slot.slot < 0 || (slot.slot > 0 && slot.slot % WHEEL_SLOTS !== place);
    return isTime
      ? { at: start + at, text: `slot number ${slot.slot} does not belong into place ${place}` }
      : {
          at: start + at + 8,
          text: `first ${slot.first} and last ${slot.last} are no chain of slot ${slot.slot}`,
        };
  }
  if (!sealed || !isUnsealed(view, at)) return undefined;
  return { at: start + at + SLOT_BYTES - 4, text: 'the seal is not that of the 28 bytes in front' };
}

function* units(view: DataView, start: number, file: number, gap: ZeroGap): Iterable<Item> {
  const unit = emptyUnit();
  for (let at = 0; at + BLANK_BYTES <= view.byteLength; at += UNIT_BYTES) {
    const bytes = new Uint8Array(view.buffer, at, Math.min(UNIT_BYTES, view.byteLength - at));
    const isUnit = bytes.length === UNIT_BYTES && readUnit(view, at, unit);
    const isEnd = !isUnit && isBlank(view, at);
    if (!isUnit && !isEnd && !bytes.some((byte) => byte !== 0)) {
      gap.begin(start + at);
      continue;
    }
    if (gap.from >= 0) yield gap.item(file);
    const place = { at: file + start + at, byte: start + at, short: true };
    if (isUnit) {
      const damage = unitDamage(view, at, start);
      yield { what: 'unit', ...place, fields: unitFields(unit), bytes, piece: TIMER_UNIT, damage };
    } else if (isEnd) {
      const fields = [{ name: 'size', value: view.getInt32(at) }];
      yield { what: 'BLANK', ...place, fields, bytes: bytes.subarray(0, BLANK_BYTES), piece: TIMER_BLANK };
      return;
    } else {
      yield {
        what: 'no unit',
        ...place,
        explains: true,
        fields: [],
        bytes,
        damage: unitDamage(view, at, start),
      };
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
