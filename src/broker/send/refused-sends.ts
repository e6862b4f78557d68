/**
 * Sends that were refused, for the log: counted by reason where they are refused, told four times a second at most to
 * control, which writes one line a second of a reason, then ever fewer while it goes on. An example stands for all.
 */
import type { Clock } from '../../lib/clock.ts';
import type { ControlLog, LogLevel } from '../../lib/log.ts';
import { quote } from '../../lib/quote.ts';
import type { Timers } from '../../lib/timers.ts';
import { ResponseCode } from '../../protocol/codes.ts';
import { NO_ROOM_REMARK, TOO_FEW_COPIES_REMARK } from '../../store/put/append-failure.ts';

/** Who has to do something: the operator (error), perhaps somebody (warn). */
const REASONS = {
  noRoom: ['error', 'there is no room on the disk for the next messages'],
  notWritable: ['error', 'the broker takes no messages now (remark)'],
  copies: ['error', 'fewer copies than minInSyncReplicas are in sync'],
  busy: ['warn', 'the broker is busy'],
  permission: ['warn', 'it is not permitted'],
  topicUnknown: ['warn', 'there is no such topic, and it may not be made'],
  illegal: ['warn', 'the message is illegal: its size, its queue or a name'],
  other: ['warn', 'another reason (remark)'],
} as const satisfies Readonly<Record<string, readonly [LogLevel, string]>>;

export type RefusalReason = keyof typeof REASONS;

export interface RefusedSend {
  reason: RefusalReason;
  /** Sends since the last time. */
  count: number;
  /** Of the first of them: address, topic where it is known, and what the client was told. */
  client: string;
  topic: string;
  remark: string;
}

const BY_CODE: ReadonlyMap<number, RefusalReason> = new Map([
  [ResponseCode.SERVICE_NOT_AVAILABLE, 'notWritable'],
  [ResponseCode.SYSTEM_BUSY, 'busy'],
  [ResponseCode.NO_PERMISSION, 'permission'],
  [ResponseCode.TOPIC_NOT_EXIST, 'topicUnknown'],
  [ResponseCode.MESSAGE_ILLEGAL, 'illegal'],
  [ResponseCode.INVALID_PARAMETER, 'illegal'],
]);

/** The reason behind an answer. */
export function reasonOf(code: number, remark: string): RefusalReason {
  if (remark === TOO_FEW_COPIES_REMARK) return 'copies';
  return remark === NO_ROOM_REMARK ? 'noRoom' : (BY_CODE.get(code) ?? 'other');
}

/** Counts the sends that one thread refuses. */
export class RefusalCounts {
  readonly #counts = new Map<RefusalReason, RefusedSend>();

  /** `topic` is asked for only when nobody has been refused for this reason since the last time. */
  note(code: number, remark: string, client: string, topic: () => string): void {
    const reason = reasonOf(code, remark);
    const known = this.#counts.get(reason);
    if (known !== undefined) known.count += 1;
    else {
      const example = { client, topic: quote(topic()), remark: quote(remark, 256) };
      this.#counts.set(reason, { reason, count: 1, ...example });
    }
  }

  /** What was refused since the last time; to be called a few times a second. */
  take(): RefusedSend[] {
    if (this.#counts.size === 0) return [];
    const all = [...this.#counts.values()];
    this.#counts.clear();
    return all;
  }
}

const SHORTEST_GAP_MS = 1_000;
const LONGEST_GAP_MS = 60_000;

/** What is known of a reason for which sends were refused lately. */
interface Told {
  /** Monotonic ms of its last line, and of when there may be another one. */
  at: number;
  next: number;
  gap: number;
  waiting: RefusedSend | undefined;
}

export class RefusedSends {
  readonly #log: ControlLog;
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #told = new Map<RefusalReason, Told>();

  constructor(log: ControlLog, clock: Clock, timers: Timers) {
    this.#log = log;
    this.#clock = clock;
    this.#timers = timers;
  }

  readonly add = (refused: RefusedSend): void => {
    const { reason } = refused;
    const now = this.#clock.monotonic();
    const told = this.#told.get(reason) ?? { at: -Infinity, next: now, gap: 0, waiting: undefined };
    this.#told.set(reason, told);
    if (told.waiting !== undefined) {
      told.waiting.count += refused.count;
      return;
    }
    told.waiting = { ...refused };
    if (now >= told.next) this.#write(told, now);
    else this.#timers.after(told.next - now, () => this.#write(told, this.#clock.monotonic()));
  };

  /** Writes what waits for its turn. To be called when the process ends. */
  flush(): void {
    for (const told of this.#told.values()) this.#write(told, this.#clock.monotonic());
  }

  #write(told: Told, now: number): void {
    const { waiting } = told;
    if (waiting === undefined) return;
    const { reason, count, client, topic, remark } = waiting;
    const [level, sentence] = REASONS[reason];
    const where = topic === '' ? {} : { topic };
    this.#log[level]({ reason, count, ...where, client, remark }, `sends refused: ${sentence}`);
    // After a rest it is news again.
    const goesOn = now - told.at <= 2 * told.gap;
    told.gap = goesOn ? Math.min(2 * told.gap, LONGEST_GAP_MS) : SHORTEST_GAP_MS;
    told.at = now;
    told.next = now + told.gap;
    told.waiting = undefined;
  }
}
