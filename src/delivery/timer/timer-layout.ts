/**
 * The files of the timing wheel, byte by byte: RocketMQ 5.5's, which both may write in turns. Integers are big-endian.
 *
 *     unit of the timer log, 52 bytes            slot of the wheel, 32 bytes
 *      0 size         i32  52                     0 time    i64  slot number: ms / timerPrecisionMs
 *      4 previous     i64  unit before it in      8 first   i64  oldest unit of its chain, -1 = none
 *                          its slot, -1 = none   16 last    i64  newest unit of its chain, -1 = none
 *     12 magic        i32  1 | roll 2 | delete 4 24 count   i32  messages less recalls
 *     16 write time   i64  ms                    28 magic   i32  0 in RocketMQ, which leaves it as it is; here a seal
 *     24 delayed      i32  ms; with the write
 *                          time: of the slot     The last unit of a log file is followed by
 *     28 physical     i64  position of record     0 size    i32  bytes left in the file
 *     36 record size  i32                         4         i64  0
 *     40 topic hash   i32                        12 magic   i32  0xCBD43194
 *     44 due          i64  0 in RocketMQ, which ignores it; here the seal, 20 bits, and in the other 44 bits
 *                          2 × due ms, + 1 when it is counted in elapsed time
 *
 * A seal is a checksum of the rest, so that damage is not taken for what was written. What RocketMQ has written has
 * none.
 */
import { crc32 } from 'node:zlib';
import { readInt64, writeInt64 } from '../../lib/int64.ts';

export const UNIT_BYTES = 52;
export const BLANK_BYTES = 16;
export const BLANK_MAGIC = 0xcbd43194 | 0;
export const MAGIC_UNIT = 1;
/** The message goes into the timer topic once more when the slot comes, as its time is too far away. */
export const MAGIC_ROLL = 2;
/** The record recalls a message of the same slot. */
export const MAGIC_DELETE = 4;
const MAGIC_BITS = 0xf;

const PREVIOUS = 4;
const MAGIC = 12;
const WRITE_TIME = 16;
const DELAYED = 24;
const PHYSICAL = 28;
const RECORD_SIZE = 36;
const TOPIC_HASH = 40;
const DUE = 44;
/** Bits of the upper half of `DUE` that belong to the time; the seal is above them. */
const DUE_HIGH_BITS = 12;
const TWO_32 = 4294967296;
const LAST_DUE = 2 ** 43 - 1;

export const SLOT_BYTES = 32;
/** Seven days of seconds, twice, whatever the precision is. */
export const WHEEL_SLOTS = 2 * 7 * 86_400;
/** No unit: the end of a chain, or an empty slot. */
export const NONE = -1;

export interface TimerUnit {
  previous: number;
  magic: number;
  /** When it was put into the wheel, and the time of its slot; ms. */
  writeTime: number;
  slotTime: number;
  physical: number;
  recordSize: number;
  topicHash: number;
  /** ms; 0 where RocketMQ wrote the unit. */
  due: number;
  /** `due` counts on the clock that nobody sets (timer-clock.ts), else on the machine's. */
  elapsed: boolean;
}

/** It lies in the slot of the message that it recalls, until that slot is over. */
export function isRecall({ magic }: Readonly<TimerUnit>): boolean {
  return (magic & MAGIC_DELETE) !== 0 && (magic & MAGIC_ROLL) === 0;
}

export function emptyUnit(): TimerUnit {
  return {
    previous: NONE,
    magic: 0,
    writeTime: 0,
    slotTime: 0,
    physical: 0,
    recordSize: 0,
    topicHash: 0,
    due: 0,
    elapsed: false,
  };
}

export function writeUnit(view: DataView, at: number, unit: Readonly<TimerUnit>): void {
  view.setInt32(at, UNIT_BYTES);
  writeInt64(view, at + PREVIOUS, unit.previous);
  view.setInt32(at + MAGIC, unit.magic);
  writeInt64(view, at + WRITE_TIME, unit.writeTime);
  view.setInt32(at + DELAYED, unit.slotTime - unit.writeTime);
  writeInt64(view, at + PHYSICAL, unit.physical);
  view.setInt32(at + RECORD_SIZE, unit.recordSize);
  view.setInt32(at + TOPIC_HASH, unit.topicHash);
  writeInt64(view, at + DUE, 2 * Math.min(unit.due, LAST_DUE) + (unit.elapsed ? 1 : 0));
  view.setInt32(at + DUE, view.getInt32(at + DUE) | (sealOf(view, at) << DUE_HIGH_BITS));
}

/** Of the unit at `at`, whatever seal stands there. */
function sealOf(view: DataView, at: number): number {
  const high = view.getUint32(at + DUE) & ((1 << DUE_HIGH_BITS) - 1);
  const start = (view.getUint32(at + DUE + 4) ^ Math.imul(high, 0x9e3779b1)) >>> 0;
  return crc32(new Uint8Array(view.buffer, view.byteOffset + at, DUE), start) >>> DUE_HIGH_BITS;
}

/** Reads a unit into `unit`. False when none stands there: zeros, a BLANK, one that is damaged, or anything else. */
export function readUnit(view: DataView, at: number, unit: TimerUnit): boolean {
  const magic = view.getInt32(at + MAGIC);
  if (view.getInt32(at) !== UNIT_BYTES || magic === 0 || (magic | MAGIC_BITS) !== MAGIC_BITS) return false;
  unit.previous = readInt64(view, at + PREVIOUS);
  unit.magic = magic;
  unit.writeTime = readInt64(view, at + WRITE_TIME);
  unit.slotTime = unit.writeTime + view.getInt32(at + DELAYED);
  unit.physical = readInt64(view, at + PHYSICAL);
  unit.recordSize = view.getInt32(at + RECORD_SIZE);
  unit.topicHash = view.getInt32(at + TOPIC_HASH);
  const high = view.getUint32(at + DUE);
  const low = view.getUint32(at + DUE + 4);
  unit.elapsed = low % 2 !== 0;
  unit.due = Math.floor(((high & ((1 << DUE_HIGH_BITS) - 1)) * TWO_32 + low) / 2);
  return (high === 0 && low === 0) || high >>> DUE_HIGH_BITS === sealOf(view, at);
}

/** What ends a file in which `left` bytes are left. */
export function writeBlank(view: DataView, at: number, left: number): void {
  view.setInt32(at, left);
  writeInt64(view, at + 4, 0);
  view.setInt32(at + MAGIC, BLANK_MAGIC);
}

export function isBlank(view: DataView, at: number): boolean {
  return view.getInt32(at + MAGIC) === BLANK_MAGIC;
}

/** Bytes of a log file that hold units: no unit begins where a BLANK would not fit behind it. */
export function unitRoom(fileSize: number): number {
  return Math.floor((fileSize - BLANK_BYTES) / UNIT_BYTES) * UNIT_BYTES;
}

export interface WheelSlot {
  /** Slot number. */
  slot: number;
  first: number;
  last: number;
  count: number;
}

export function writeSlot(view: DataView, at: number, { slot, first, last, count }: WheelSlot): void {
  writeInt64(view, at, slot);
  writeInt64(view, at + 8, first);
  writeInt64(view, at + 16, last);
  view.setInt32(at + 24, count);
  view.setInt32(at + SLOT_SEAL, slotSeal(view, at));
}

const SLOT_SEAL = 28;

/** Never 0. */
function slotSeal(view: DataView, at: number): number {
  return crc32(new Uint8Array(view.buffer, view.byteOffset + at, SLOT_SEAL)) | 1 | 0;
}

/** Whether it has a seal that is not its own. RocketMQ leaves the seal of a slot as it is when it changes the slot. */
export function isUnsealed(view: DataView, at: number): boolean {
  const seal = view.getInt32(at + SLOT_SEAL);
  return seal !== 0 && seal !== slotSeal(view, at);
}

/** Whether it can be what stands in that place of a wheel: a chain, an empty slot, or zeros as RocketMQ makes them. */
export function isSlot({ slot, first, last, count }: WheelSlot, place: number, slots: number): boolean {
  if (slot === 0) return first === 0 && last === 0 && count === 0;
  if (slot < 0 || slot % slots !== place) return false;
  return last === NONE ? first === NONE : first >= 0 && first <= last;
}

export function readSlot(view: DataView, at: number): WheelSlot {
  const slot = readInt64(view, at);
  const first = readInt64(view, at + 8);
  const last = readInt64(view, at + 16);
  return { slot, first, last, count: view.getInt32(at + 24) };
}

/** RocketMQ's rule: what is due in (slot, slot + precision] is in that slot, so that its end is never too early. */
export function slotOf(dueMs: number, precisionMs: number): number {
  return Math.ceil(dueMs / precisionMs) - 1;
}

/** When that slot begins, ms since the epoch: a message's TIMER_OUT_MS. */
export function slotTimeOf(dueMs: number, precisionMs: number): number {
  return slotOf(dueMs, precisionMs) * precisionMs;
}
