/** What is put in the place of a record that waited in the wheel, and whether it was recalled. */
import { javaHashCode } from '../../lib/java-hash.ts';
import { TIMER_TOPIC } from '../../lib/names.ts';
import { decodeRecord, type StoredMessage } from '../../record/decode.ts';
import type { InternalMessage } from '../../store/put/put-message.ts';
import type { StoreReads } from '../../store/read/store-reads.ts';
import { copyOf, deliveryOf } from '../due-message.ts';
import type { DuePut } from '../due-puts.ts';
import { DamagedTimers } from './damaged-timers.ts';
import { digestOf, type KeyDigest, type RecalledKeys, recalledIn } from './recalled-keys.ts';
import { TIMER_OUT_MS } from './rewrite.ts';
import type { Piece } from './slot-loader.ts';
import {
  ELAPSED_MS,
  recallKeyOf,
  TIMER_DEQUEUE_MS,
  TIMER_ENQUEUE_MS,
  TIMER_ROLL_TIMES,
  timedRecordOf,
} from './timed-record.ts';
import { MAGIC_DELETE, MAGIC_ROLL, slotTimeOf, type TimerUnit } from './timer-layout.ts';
import type { TimerStore } from './timer-store.ts';

/** A unit whose time has come. */
export interface TimerPut extends DuePut {
  readonly piece: Piece;
  /** Of its unit. */
  readonly position: number;
  /** It goes into the timer topic once more. */
  readonly rolls: boolean;
  /** And is no message itself. */
  readonly recalls: boolean;
  readonly topicHash: number;
  readonly due: number;
  readonly elapsed: boolean;
  readonly writeTime: number;
  /** When it was to be put, by its own clock. */
  readonly key: number;
  /** It is to be put into a later slot. */
  readonly early: boolean;
  /** What its message is known by, where memory does not tell whether that was recalled. */
  doubt: KeyDigest | undefined;
  /** It is known not to be recalled. */
  decided: boolean;
}

export class TimedMessages {
  readonly #timers: TimerStore;
  readonly #store: Pick<StoreReads, 'recordAt'>;

  constructor(timers: TimerStore, store: Pick<StoreReads, 'recordAt'>) {
    this.#timers = timers;
    this.#store = store;
  }

  /**
   * Undefined when the message was recalled, or may have been: then it is in doubt. A string says why the record cannot
   * be delivered.
   */
  of(
    record: Uint8Array,
    put: TimerPut,
    recalled: ReadonlySet<RecalledKeys>,
  ): InternalMessage | string | undefined {
    const message = put.rolls ? this.#rolled(record, put) : deliveryOf(record);
    if (typeof message === 'string') return message;
    if (!put.rolls && recalled.size > 0) {
      const key = recallKeyOf(message);
      const digest = key === undefined ? undefined : digestOf(key);
      const known = digest === undefined ? false : recalledIn(digest, recalled);
      if (known === undefined && !put.decided) put.doubt = digest;
      if (known === true || put.doubt !== undefined) return undefined;
    }
    if (!put.rolls) message.properties.delete(ELAPSED_MS);
    message.properties.set(TIMER_ENQUEUE_MS, String(put.writeTime));
    message.properties.set(TIMER_DEQUEUE_MS, String(this.#timers.clock.nowMs));
    return message;
  }

  #rolled(record: Uint8Array, { due, elapsed }: TimerPut): InternalMessage | string {
    const stored = decodeRecord(record);
    if (stored === undefined) return 'the parked bytes are no record';
    const message = copyOf(stored, TIMER_TOPIC, 0);
    const { properties } = message;
    properties.set(TIMER_ROLL_TIMES, String((Number(properties.get(TIMER_ROLL_TIMES)) || 0) + 1));
    if (elapsed && due !== 0) {
      // A span ends at another time when the clock was set meanwhile.
      const { clock } = this.#timers;
      const outMs = slotTimeOf(clock.machineTime(due, true), clock.precisionMs);
      const before = Number(properties.get(TIMER_OUT_MS));
      if (Math.abs(outMs - before) > clock.precisionMs) properties.set(TIMER_OUT_MS, String(outMs));
      properties.set(ELAPSED_MS, String(due));
    }
    return message;
  }

  /**
   * Throws DamagedTimers when a unit that RocketMQ has written does not lead to a record that would be in its slot; on
   * our own there is a seal.
   */
  check(unit: Readonly<TimerUnit>): void {
    if (unit.due !== 0) return;
    let record: Uint8Array | undefined;
    try {
      record = this.#store.recordAt(unit.physical);
    } catch {
      // That is told when it is delivered.
      return;
    }
    const message = record?.length === unit.recordSize ? decodeRecord(record) : undefined;
    if (message === undefined || !this.#belongs(message, unit)) {
      const slot = unit.slotTime / this.#timers.clock.precisionMs;
      throw new DamagedTimers(
        `a unit of slot ${slot} leads to ${unit.physical}, where no message of it stands`,
      );
    }
  }

  #belongs(message: StoredMessage, { magic, topicHash, slotTime }: Readonly<TimerUnit>): boolean {
    const timed = timedRecordOf(message);
    if (message.topic !== TIMER_TOPIC || typeof timed === 'string') return false;
    const { precisionMs } = this.#timers.clock;
    const isThen = Math.floor(timed.outMs / precisionMs) * precisionMs === slotTime;
    const recalls = (magic & MAGIC_DELETE) !== 0;
    return (
      javaHashCode(timed.realTopic) === topicHash &&
      timed.recalls === recalls &&
      (isThen || (magic & MAGIC_ROLL) !== 0)
    );
  }

  /** Remembers which message the record recalls; false when the record does not tell. */
  noteRecall(physical: number, recalled: RecalledKeys): boolean {
    const digest = this.digestAt(physical);
    if (digest !== undefined) recalled.add(digest);
    return digest !== undefined;
  }

  /** Whether the message at `physical` was recalled; its digest when memory does not tell. */
  isRecalled(physical: number, recalled: readonly RecalledKeys[]): boolean | KeyDigest {
    const digest = recalled.every(({ isEmpty }) => isEmpty) ? undefined : this.digestAt(physical);
    return digest === undefined ? false : (recalledIn(digest, recalled) ?? digest);
  }

  /** What the message at `physical`, or the one that is recalled there, is known by. */
  digestAt(physical: number): KeyDigest | undefined {
    const key = this.#keyAt(physical);
    return key === undefined ? undefined : digestOf(key);
  }

  #keyAt(physical: number): string | undefined {
    let record: Uint8Array | undefined;
    try {
      record = this.#store.recordAt(physical);
    } catch {
      // Of a recall that cannot be read nobody knows which message it means.
      return undefined;
    }
    const message = record === undefined ? undefined : decodeRecord(record);
    return message === undefined ? undefined : recallKeyOf(message);
  }
}
