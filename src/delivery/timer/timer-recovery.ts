/**
 * From the files of an earlier run to a wheel that can be used: the log is read on from the checkpoint, slots that lead
 * behind its end are mended from the log, what was delivered before goes. In pieces, as there may be millions of units.
 */

import { decodeRecord } from '../../record/decode.ts';
import { queueOffsetOf } from '../../record/view.ts';
import type { StoreReads } from '../../store/read/store-reads.ts';
import { DamagedTimers } from './damaged-timers.ts';
import { timedRecordOf } from './timed-record.ts';
import type { PartlyDelivered } from './timer-check.ts';
import { type Delivered, deliveredBy, slotOfRecord } from './timer-enqueue.ts';
import type { FoundTimers, TimerFiles } from './timer-files.ts';
import { NONE, type TimerUnit, UNIT_BYTES, type WheelSlot } from './timer-layout.ts';
import { COMMIT_PAUSE_MS, type Steps, type TimerStore } from './timer-store.ts';

/** Units that are read in one step. */
const STEP_UNITS = 2048;
/** The same when the record of each is read. */
const STEP_RECORDS = 64;

export interface Recovered {
  /** First slot that may have something left to deliver, and how far in its chain all is delivered. */
  slot: number;
  floor: number;
  partly: PartlyDelivered | undefined;
  /** Of the clock when that was told. */
  ahead: number;
  /** Next entry of the timer topic's queue to put into the wheel. */
  queueOffset: number;
  delivered: Delivered;
}

export class TimerRecovery {
  readonly #timers: TimerStore;
  readonly #files: TimerFiles;
  readonly #found: FoundTimers;
  readonly #store: Pick<StoreReads, 'recordAt'>;
  readonly #reader;
  readonly #queueEnd: number;
  /** First slot that was not delivered, by the checkpoint. */
  readonly #readSlot: number;
  #looked = 0;
  /** First slot that holds something; 0 = none. */
  #lowest = 0;

  /** `queueEnd`: where the queue of the timer topic ended when the broker started. */
  constructor(
    timers: TimerStore,
    files: TimerFiles,
    found: FoundTimers,
    store: Pick<StoreReads, 'recordAt'>,
    queueEnd: number,
  ) {
    this.#queueEnd = queueEnd;
    this.#timers = timers;
    this.#files = files;
    this.#found = found;
    this.#store = store;
    this.#reader = timers.reader();
    this.#readSlot = Math.floor((found.check?.readTimeMs ?? 0) / timers.clock.precisionMs);
  }

  /** Throws DamagedTimers when the files contradict themselves. */
  *run(): Steps<Recovered> {
    const { check, logStart, logEnd } = this.#found;
    const { wheel, log } = this.#timers;
    yield* wheel.scan(check?.own === undefined);
    if (wheel.errno !== 0) throw new DamagedTimers(`the wheel cannot be read (errno ${wheel.errno})`);
    const own = check?.own;
    const from = Math.min(
      Math.max(own === undefined ? this.#wholeFile() : (check?.logEnd ?? 0), logStart),
      logEnd,
    );
    // For reading, all of the files; for writing, up to where they hold something.
    log.resumeAt(logStart, logEnd);
    const queueOffset = yield* this.#readOn(from);
    const end = this.#looked;
    if (!this.#files.dropBehind(end, logEnd)) throw new DamagedTimers('the log cannot be written');
    log.resumeAt(logStart, end);
    yield* this.#mend(end);
    const displacedFrom = own?.displacedFrom ?? NONE;
    yield* this.#findDisplaced(displacedFrom === NONE ? from : Math.min(from, displacedFrom), end);
    while (!(this.#timers.commit() && log.touch(from) && wheel.touch())) yield COMMIT_PAUSE_MS;
    const ahead = own?.clock.ahead ?? 0;
    const begun = { slot: this.#lowest || this.#readSlot, floor: NONE, partly: own?.partly, ahead };
    if (own !== undefined && own.readSlot === begun.slot && own.floor < end) begun.floor = own.floor;
    const known = check?.queueOffset ?? queueOffset ?? 0;
    const next =
      own === undefined ? Math.min(queueOffset ?? known, known) : Math.max(queueOffset ?? 0, known);
    return { ...begun, queueOffset: next, delivered: deliveredBy(check, this.#timers.clock.precisionMs) };
  }

  /** RocketMQ reads the last file again, as its checkpoint may say more than was flushed. */
  #wholeFile(): number {
    const { fileSize } = this.#timers.log;
    const before = Math.max(0, (this.#found.check?.logEnd ?? 0) - fileSize);
    return before - (before % fileSize);
  }

  /**
   * Reads units from `from` on, into slots that do not know of them, up to where none follows (`#looked`). Behind the
   * checkpoint a power cut may have left units of records that it took. Offset of the entry behind those that are in
   * the log: behind the last one in RocketMQ's, which has them in order.
   */
  *#readOn(from: number): Steps<number | undefined> {
    const { check } = this.#found;
    const trusted = check?.logEnd ?? 0;
    let at = this.#behindBlank(from);
    let last = NONE;
    let offset: number | undefined;
    for (let units = 1; this.#isSound(at); units++) {
      const { physical } = this.#reader.unit;
      if (at >= trusted) {
        const behind = this.#behindEntryAt(physical, this.#reader.unit);
        if (behind === undefined) break;
        offset = check?.own === undefined ? behind : Math.max(offset ?? 0, behind);
      }
      this.#enter(at, this.#reader.unit);
      last = physical;
      if (units % (at >= trusted ? STEP_RECORDS : STEP_UNITS) === 0) yield;
      at = this.#behindBlank(at + UNIT_BYTES);
    }
    this.#looked = at;
    // RocketMQ's checkpoint may say more than is there; but then something is, or nobody knows what is missing.
    if (at < trusted && last === NONE) throw new DamagedTimers(`no unit stands at ${at} of the timer log`);
    return offset ?? (check?.own === undefined && last !== NONE ? this.#behindEntryAt(last) : undefined);
  }

  #behindBlank(at: number): number {
    const { fileSize } = this.#timers.log;
    return this.#reader.blankAt(at) ? at - (at % fileSize) + fileSize : at;
  }

  #isSound(at: number): boolean {
    if (!this.#reader.at(at)) return false;
    const { previous, slotTime, physical } = this.#reader.unit;
    return previous < at && previous >= NONE && slotTime > 0 && physical >= 0;
  }

  #enter(at: number, { slotTime, previous }: Readonly<TimerUnit>): void {
    const { wheel, clock } = this.#timers;
    const slot = Math.floor(slotTime / clock.precisionMs);
    // Without a checkpoint, a slot that has passed and is empty was delivered.
    if (slot < (this.#readSlot || clock.slot) && !this.#isNew(at)) return;
    const found = wheel.at(slot);
    // Which of two is the newer one is told by the log alone. A unit gets into a place that another turn of the wheel
    // had only when that is empty again, and a power cut may bring back what stood there; the clock may have been set
    // back since, so that the older slot has the higher number.
    if (found.last >= at) return;
    if (found.slot === slot && previous !== NONE && found.last !== NONE)
      wheel.set({ ...found, last: at, count: found.count + 1 });
    else wheel.set({ slot, first: at, last: at, count: 1 });
  }

  /** Whether a unit came after our checkpoint: the clock may have been set back, so that its slot seems to be over. */
  #isNew(at: number): boolean {
    const { check } = this.#found;
    return check?.own !== undefined && at >= check.logEnd;
  }

  /** Queue offset behind the entry whose record lies there; undefined when that came after the start, or is gone. */
  #behindEntryAt(physical: number, entered?: Readonly<TimerUnit>): number | undefined {
    let record: Uint8Array | undefined;
    try {
      record = this.#store.recordAt(physical);
    } catch {
      // Then it is taken from the queue again.
      return undefined;
    }
    if (record === undefined) return undefined;
    if (entered !== undefined) this.#noteLate(record, entered);
    const offset = queueOffsetOf(new DataView(record.buffer, record.byteOffset, record.length), 0);
    return offset < this.#queueEnd ? offset + 1 : undefined;
  }

  /** The checkpoint did not know of the unit. */
  #noteLate(record: Uint8Array, { slotTime }: Readonly<TimerUnit>): void {
    const message = decodeRecord(record);
    const timed = message === undefined ? 'none' : timedRecordOf(message);
    if (message === undefined || typeof timed === 'string') return;
    const slot = slotTime / this.#timers.clock.precisionMs;
    this.#timers.late.note(slot, slotOfRecord(timed, message, this.#timers));
  }

  /** Chains that lead behind the end of the log are found again in it; those of delivered slots go. */
  *#mend(end: number): Steps {
    const { wheel } = this.#timers;
    const broken = new Map<number, WheelSlot>();
    let from = end;
    for (const chain of wheel.chains()) {
      if (chain === undefined) yield;
      else if (chain.slot < this.#readSlot && !this.#isNew(chain.last)) wheel.clear(chain.slot);
      else if (chain.last >= end) {
        broken.set(chain.slot, { ...chain, first: NONE, last: NONE, count: 0 });
        from = Math.min(from, chain.first);
      } else {
        this.#timers.follow(this.#reader, chain.last, chain.slot);
        // What RocketMQ has written has no seal.
        if (this.#found.check?.own === undefined) this.#timers.follow(this.#reader, chain.first, chain.slot);
      }
    }
    if (broken.size > 0) {
      yield* this.#findAgain(broken, Math.max(from, this.#found.logStart), end);
      for (const slot of broken.values()) wheel.set(slot);
    }
    let lowest = Number.POSITIVE_INFINITY;
    for (const chain of wheel.chains()) {
      if (chain === undefined) yield;
      else lowest = Math.min(lowest, chain.slot);
    }
    this.#lowest = Number.isFinite(lowest) ? lowest : 0;
  }

  /** Slots that are to be open before their time: the checkpoint says from where on there may be such units. */
  *#findDisplaced(from: number, end: number): Steps {
    const { precisionMs } = this.#timers.clock;
    for (const [at, unit] of this.#units(Math.max(from, this.#found.logStart), end)) {
      if (unit === undefined) yield;
      else if (this.#timers.isDisplaced(at, unit)) {
        const slot = unit.slotTime / precisionMs;
        if (this.#timers.wheel.get(slot).last >= at) this.#timers.noteDisplaced(slot, at);
      }
    }
  }

  *#findAgain(broken: Map<number, WheelSlot>, from: number, end: number): Steps {
    for (const [at, unit] of this.#units(from, end)) {
      if (unit === undefined) yield;
      const slot = broken.get(Math.floor((unit?.slotTime ?? 0) / this.#timers.clock.precisionMs));
      if (slot === undefined) continue;
      slot.first = slot.first === NONE ? at : slot.first;
      slot.last = at;
      slot.count += 1;
    }
  }

  /** Units of the log and their positions; no unit between two pieces. */
  *#units(from: number, end: number): Generator<[at: number, unit: Readonly<TimerUnit> | undefined]> {
    let units = 0;
    for (let at = this.#behindBlank(from); at < end; at = this.#behindBlank(at + UNIT_BYTES)) {
      if (!this.#isSound(at)) throw new DamagedTimers(`no unit stands at ${at} of the timer log`);
      yield [at, this.#reader.unit];
      if (++units % STEP_UNITS === 0) yield [at, undefined];
    }
  }
}
