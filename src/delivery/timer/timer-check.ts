/**
 * config/timercheck: how far the wheel has come. 4096 bytes, seven big-endian i64 of RocketMQ, which leaves the others
 * alone; there we keep what it does not know. Ours hold only with the counter and the log position that they were
 * written with: when RocketMQ has had the store meanwhile, they say nothing.
 *
 *      0 lastReadTimeMs          slots before it have been delivered
 *      8 lastTimerLogFlushPos    the timer log is durable up to there
 *     16 lastTimerQueueOffset    entries of the timer topic's queue before it are in the wheel
 *     24 masterTimerQueueOffset  the same on a master; with 0, RocketMQ would put the whole queue into the wheel again
 *     32 stateVersion, 40 timestamp, 48 counter of the data version
 *   2048 RingMQ's: see OWN
 */
import { crc32 } from 'node:zlib';
import { readInt64, writeInt64 } from '../../lib/int64.ts';
import type { Disk } from '../../store/disk/disk.ts';
import type { LateSlots } from './late-slots.ts';
import { type ClockStep, MAX_STEPS, type TimerClockState } from './timer-clock.ts';

export const CHECK_BYTES = 4096;
/** As far as RocketMQ writes. */
export const CHECK_FIELDS_BYTES = 56;
const OWN = 2048;
const OWN_MAGIC = 0x52494e474d52;
const OWN_COUNTER = OWN + 8;
const OWN_LOG_END = OWN + 16;
const OWN_PRECISION = OWN + 24;
const OWN_BOOT = OWN + 32;
const OWN_BASE = OWN + 40;
const OWN_AHEAD = OWN + 48;
const OWN_READ_SLOT = OWN + 56;
const OWN_FLOOR = OWN + 64;
const OWN_STEPS = OWN + 72;
const STEP_BYTES = 32;
const OWN_MARKS = OWN + 80 + MAX_STEPS * STEP_BYTES;
const OWN_SLOTS = OWN_MARKS + 32;
export const MAX_PARTLY = 16;
const OWN_REMAKING = OWN_SLOTS + 8 + MAX_PARTLY * 16;
const OWN_DISPLACED = OWN_REMAKING + 8;
const OWN_CRC = OWN_DISPLACED + 8;
const LATE = OWN_CRC + 8;
/** Of `LATE` and of RocketMQ's fields as they were written with it. */
const FIELDS_CRC = LATE + 16;

/** RocketMQ has written wheel and log, and does not tell. */
const UNKNOWN_LATE: LateSlots = { first: -2, until: -2 };

/** A place in the order of delivery: by time, and where that is the same by position in the timer log. */
export interface DueMark {
  due: number;
  position: number;
}

/** `whole`: all up to `last` is delivered, and the chain is only not emptied yet. */
export type PartSlot = readonly [slot: number, last: number, whole: boolean];

/** Of slots that are delivered in part: units up to `last` that come before the mark of their clock are. */
export interface PartlyDelivered {
  byTime: DueMark;
  bySpan: DueMark;
  slots: readonly PartSlot[];
}

export const NOTHING_PARTLY: PartlyDelivered = {
  byTime: { due: 0, position: 0 },
  bySpan: { due: 0, position: 0 },
  slots: [],
};

/** What only we know. */
export interface OwnTimerState {
  precisionMs: number;
  clock: TimerClockState;
  /** In the first slot that is not delivered, units up to there are. */
  readSlot: number;
  floor: number;
  partly: PartlyDelivered;
  /** Wheel and log are being made anew from the queue: only how far all was delivered is known. */
  remaking: boolean;
  /** Position in the timer log before which no unit stands in a later slot than its own; -1: none does. */
  displacedFrom: number;
}

export interface TimerCheck {
  readTimeMs: number;
  logEnd: number;
  queueOffset: number;
  /** Of the data version. */
  timestamp: number;
  counter: number;
  own: OwnTimerState | undefined;
  /** Ours too, and valid as long as RocketMQ has not written its fields, also when `own` is damaged. */
  late: LateSlots | undefined;
}

export function encodeTimerCheck(check: TimerCheck): Uint8Array {
  const bytes = new Uint8Array(CHECK_BYTES);
  const view = new DataView(bytes.buffer);
  const { readTimeMs, logEnd, queueOffset, timestamp, counter, own, late } = check;
  const fields = [readTimeMs, logEnd, queueOffset, queueOffset, 0, timestamp, counter];
  for (const [i, value] of fields.entries()) writeInt64(view, i * 8, value);
  if (own !== undefined) writeOwn(view, check, own);
  if (own !== undefined || late !== undefined) writeLate(view, late ?? UNKNOWN_LATE);
  return bytes;
}

function writeOwn(view: DataView, { logEnd, counter }: TimerCheck, own: OwnTimerState): void {
  const { precisionMs, clock, readSlot, floor } = own;
  writeInt64(view, OWN, OWN_MAGIC);
  writeInt64(view, OWN_COUNTER, counter);
  writeInt64(view, OWN_LOG_END, logEnd);
  writeInt64(view, OWN_PRECISION, precisionMs);
  writeInt64(view, OWN_BOOT, clock.boot);
  view.setFloat64(OWN_BASE, clock.base);
  view.setFloat64(OWN_AHEAD, clock.ahead);
  writeInt64(view, OWN_READ_SLOT, readSlot);
  writeInt64(view, OWN_FLOOR, floor);
  const steps = clock.steps.slice(-MAX_STEPS);
  writeInt64(view, OWN_STEPS, steps.length);
  for (const [i, step] of steps.entries()) {
    const at = OWN_STEPS + 8 + i * STEP_BYTES;
    writeInt64(view, at, step.position);
    view.setFloat64(at + 8, step.ahead);
    writeInt64(view, at + 16, step.lastSlot);
    writeInt64(view, at + 24, step.passed);
  }
  writePartly(view, own.partly);
  writeInt64(view, OWN_REMAKING, own.remaking ? 1 : 0);
  writeInt64(view, OWN_DISPLACED, own.displacedFrom);
  view.setUint32(OWN_CRC, ownCrc(view));
}

function writePartly(view: DataView, { byTime, bySpan, slots }: PartlyDelivered): void {
  for (const [i, value] of [byTime.due, byTime.position, bySpan.due, bySpan.position].entries())
    view.setFloat64(OWN_MARKS + i * 8, value);
  const kept = slots.slice(0, MAX_PARTLY);
  writeInt64(view, OWN_SLOTS, kept.length);
  for (const [i, [slot, last, whole]] of kept.entries()) {
    writeInt64(view, OWN_SLOTS + 8 + i * 16, slot);
    writeInt64(view, OWN_SLOTS + 16 + i * 16, 2 * last + (whole ? 1 : 0));
  }
}

function readPartly(view: DataView): PartlyDelivered {
  const [a = 0, b = 0, c = 0, e = 0] = [0, 8, 16, 24].map((at) => view.getFloat64(OWN_MARKS + at));
  const count = Math.min(readInt64(view, OWN_SLOTS), MAX_PARTLY);
  const slots = Array.from({ length: count }, (_, i): PartSlot => {
    const last = readInt64(view, OWN_SLOTS + 16 + i * 16);
    return [readInt64(view, OWN_SLOTS + 8 + i * 16), Math.floor(last / 2), last % 2 === 1];
  });
  return { byTime: { due: a, position: b }, bySpan: { due: c, position: e }, slots };
}

function ownCrc(view: DataView): number {
  return crc32(new Uint8Array(view.buffer, view.byteOffset + OWN, OWN_CRC - OWN));
}

function fieldsCrc(view: DataView): number {
  const bytes = (at: number, length: number) => new Uint8Array(view.buffer, view.byteOffset + at, length);
  return crc32(bytes(LATE, 16), crc32(bytes(0, CHECK_FIELDS_BYTES)));
}

function writeLate(view: DataView, late: LateSlots): void {
  writeInt64(view, LATE, late.first);
  writeInt64(view, LATE + 8, late.until);
  view.setUint32(FIELDS_CRC, fieldsCrc(view));
}

function readLate(view: DataView): LateSlots | undefined {
  if (view.byteLength < CHECK_BYTES || view.getUint32(FIELDS_CRC) !== fieldsCrc(view)) return undefined;
  const first = readInt64(view, LATE);
  return first === UNKNOWN_LATE.first ? undefined : { first, until: readInt64(view, LATE + 8) };
}

/** What the file says; a string says why it says nothing that can be meant. */
export function decodeTimerCheck(bytes: Uint8Array): TimerCheck | string {
  if (bytes.length < CHECK_FIELDS_BYTES) return `it has ${bytes.length} bytes, at least 56 belong there`;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const [readTimeMs = 0, logEnd = 0, behind = 0, master = 0] = [0, 8, 16, 24].map((at) =>
    readInt64(view, at),
  );
  for (const value of [readTimeMs, logEnd, behind, master]) {
    if (value < 0 || !Number.isSafeInteger(value))
      return `it holds ${value}, which is no time and no position`;
  }
  const check = {
    readTimeMs,
    logEnd,
    queueOffset: Math.min(behind, master),
    timestamp: readInt64(view, 40),
    counter: readInt64(view, 48),
  };
  const own = readOwn(view, check);
  return typeof own === 'string' ? own : { ...check, own, late: readLate(view) };
}

function readOwn(
  view: DataView,
  { logEnd, counter }: Pick<TimerCheck, 'logEnd' | 'counter'>,
): OwnTimerState | string | undefined {
  if (view.byteLength < CHECK_BYTES || readInt64(view, OWN) !== OWN_MAGIC) return undefined;
  if (readInt64(view, OWN_COUNTER) !== counter || readInt64(view, OWN_LOG_END) !== logEnd) return undefined;
  const count = readInt64(view, OWN_STEPS);
  if (view.getUint32(FIELDS_CRC) !== fieldsCrc(view)) return 'its checksum is not that of what it holds';
  if (view.getUint32(OWN_CRC) !== ownCrc(view) || count > MAX_STEPS) return undefined;
  return {
    precisionMs: readInt64(view, OWN_PRECISION),
    clock: {
      boot: readInt64(view, OWN_BOOT),
      base: view.getFloat64(OWN_BASE),
      ahead: view.getFloat64(OWN_AHEAD),
      steps: Array.from({ length: count }, (_, i) => readStep(view, OWN_STEPS + 8 + i * STEP_BYTES)),
    },
    readSlot: readInt64(view, OWN_READ_SLOT),
    floor: readInt64(view, OWN_FLOOR),
    partly: readPartly(view),
    remaking: readInt64(view, OWN_REMAKING) !== 0,
    displacedFrom: readInt64(view, OWN_DISPLACED),
  };
}

function readStep(view: DataView, at: number): ClockStep {
  const position = readInt64(view, at);
  const [lastSlot, passed] = [readInt64(view, at + 16), readInt64(view, at + 24)];
  return { position, ahead: view.getFloat64(at + 8), lastSlot, passed };
}

/**
 * Why wheel and log cannot be told from what is kept of them, whoever has written since. RocketMQ leaves our bytes as
 * they are: zeros in its own file.
 */
export function unsound(disk: Disk, path: string): string | undefined {
  const bytes = disk.readWhole(path);
  if (bytes === undefined || bytes.length < CHECK_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint32(OWN_CRC) !== ownCrc(view) && bytes.subarray(OWN, OWN_CRC + 4).some((byte) => byte !== 0))
    return 'what the checkpoint says of the wheel is damaged';
  if (readInt64(view, OWN_REMAKING) === 0) return undefined;
  return 'a stop or a crash came when the wheel was being made anew';
}

/** Undefined when there is no file. */
export function readTimerCheck(disk: Disk, path: string): TimerCheck | string | undefined {
  const bytes = disk.readWhole(path);
  return bytes === undefined ? undefined : decodeTimerCheck(bytes);
}

export function writeTimerCheck(disk: Disk, path: string, check: TimerCheck): void {
  disk.writeWhole(path, encodeTimerCheck(check));
}
