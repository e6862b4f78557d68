/**
 * Puts of what is due: reads the record, makes the message, hands it to the writer. A put that fails is tried again
 * with growing pauses, and until then nothing new should be issued; a record that cannot be read or whose topic is gone
 * is dropped with a line.
 */
import type { ControlLog } from '../lib/log.ts';
import { ResponseCode, responseName } from '../protocol/codes.ts';
import { type BeginPut, type InternalMessage, isStored } from '../store/put/put-message.ts';
import type { StoreReads } from '../store/read/store-reads.ts';

/** Each pause is longer than the one before by this. */
export const RETRY_STEP_MS = 100;
const RETRY_LONGEST_MS = 60_000;
/** A record that cannot be read is tried so often, with growing pauses: half a minute. */
export const READ_ATTEMPTS = 25;

/** A slave that acts (`acts`) drops none: its master has another copy, and is not to pass it by. */
export function readAttemptsOf(acts: boolean): number {
  return acts ? Number.POSITIVE_INFINITY : READ_ATTEMPTS;
}

/** Trying again would not help: the message does not fit, or its topic is gone. */
const HOPELESS: ReadonlySet<number> = new Set([
  ResponseCode.MESSAGE_ILLEGAL,
  ResponseCode.TOPIC_NOT_EXIST,
  ResponseCode.INVALID_PARAMETER,
]);

export interface DuePut {
  /** Position of the record that waited. */
  readonly physicalOffset: number;
  attempts: number;
}

export interface DuePutsParts<E extends DuePut> {
  log: ControlLog;
  store: Pick<StoreReads, 'recordAt'>;
  put: (message: InternalMessage, done: Parameters<BeginPut>[1], entry: E) => void;
  /** Whether no more may be put until some of what is under way has ended. */
  busy: () => boolean;
  /** How often a record is tried that cannot be read; READ_ATTEMPTS unless it is said. */
  readAttempts?: number;
  /** For lines of the log: `delayed message`. */
  what: string;
  fieldsOf: (entry: E) => object;
  /** What to put in the record's place; undefined: nothing. A string says why it cannot be delivered. */
  messageOf: (record: Uint8Array, entry: E) => InternalMessage | string | undefined;
  /** `done`: stored or dropped. Otherwise it has to be repeated. */
  ended: (entry: E, done: boolean, stored: boolean) => void;
}

export class DuePuts<E extends DuePut> {
  readonly #parts: DuePutsParts<E>;
  /** Those that have to be put once more. */
  #failed: E[] = [];
  /** Issued and not ended. */
  underWay = 0;

  constructor(parts: DuePutsParts<E>) {
    this.#parts = parts;
  }

  /** Whether some have to be repeated before anything new is issued. */
  get hasFailed(): boolean {
    return this.#failed.length > 0;
  }

  /** Pause before they are. */
  get pauseMs(): number {
    return Math.min((this.#failed[0]?.attempts ?? 0) * RETRY_STEP_MS, RETRY_LONGEST_MS);
  }

  /** Those that have failed are no longer its concern. */
  takeFailed(): E[] {
    const failed = this.#failed;
    this.#failed = [];
    return failed;
  }

  /** False when the way to the writer was full before all were put. */
  repeat(): boolean {
    const failed = this.#failed;
    this.#failed = [];
    for (const [i, entry] of failed.entries()) {
      if (this.#parts.busy()) {
        this.#failed.push(...failed.slice(i));
        return false;
      }
      this.issue(entry);
    }
    return true;
  }

  issue(entry: E): void {
    const { store, put, log, what, fieldsOf, messageOf, readAttempts = READ_ATTEMPTS } = this.#parts;
    entry.attempts += 1;
    this.underWay += 1;
    let record: Uint8Array | undefined;
    try {
      record = store.recordAt(entry.physicalOffset);
    } catch (error) {
      // The device may work again in a while; the messages behind this one do not wait for ever.
      const hopeless = entry.attempts >= readAttempts;
      const status = hopeless ? ResponseCode.MESSAGE_ILLEGAL : ResponseCode.SYSTEM_ERROR;
      this.#settle(entry, status, (error as Error).message);
      return;
    }
    const message = record === undefined ? 'the record is gone' : messageOf(record, entry);
    if (typeof message === 'object') {
      put(message, ({ status, remark }) => this.#settle(entry, status, remark), entry);
      return;
    }
    if (message !== undefined) log.error({ ...fieldsOf(entry), reason: message }, `${what} dropped`);
    this.#end(entry, true, false);
  }

  #settle(entry: E, status: number, remark: string | undefined): void {
    const hopeless = HOPELESS.has(status);
    if (!isStored(status)) this.#tellFailure(entry, status, hopeless, remark);
    this.#end(entry, hopeless || isStored(status), isStored(status));
  }

  #tellFailure(entry: E, status: number, hopeless: boolean, remark: string | undefined): void {
    const { log, what, fieldsOf } = this.#parts;
    const fields = { ...fieldsOf(entry), reason: remark ?? responseName(status) };
    if (status === ResponseCode.TOPIC_NOT_EXIST)
      log.info(fields, `${what} dropped: its topic was deleted meanwhile`);
    else if (hopeless) log.error(fields, `${what} dropped`);
    else log.warn(fields, `${what} could not be put, will be tried again`);
  }

  #end(entry: E, done: boolean, stored: boolean): void {
    this.underWay -= 1;
    if (!done) this.#failed.push(entry);
    this.#parts.ended(entry, done, stored);
  }
}
