/** Pops and notifications that wait for messages: who came first is served first, and each for its own time only. */
import { limitRemark, MAX_PARKED_EXPRESSION_BYTES } from '../../lib/limits.ts';
import { ResponseCode } from '../../protocol/codes.ts';
import { FIELDS, POPPED } from '../../ring/question-records.ts';
import type { Asked } from '../question-server.ts';
import { ORDER_REVIVE_QUEUE } from './ordered-pops.ts';
import type { PopContext } from './pop-context.ts';
import type { Parked } from './pop-pair.ts';
import type { Popped } from './pop-questions.ts';
import type { Outcome } from './popper.ts';
import type { Waiters } from './waiters.ts';

/** Waiting requests that are looked at in one turn. */
const BATCH = 64;

export interface PollingParts {
  context: Pick<PopContext, 'clock' | 'timers' | 'settings'>;
  /** Serves it if there is something. */
  take: (parked: Parked) => Outcome;
}

export class Polling {
  readonly #parts: PollingParts;
  /** Those for whom something may be there now. */
  readonly #awake = new Set<Waiters>();
  readonly #byConnection = new Map<string, Set<Parked>>();
  size = 0;
  #expressionBytes = 0;

  constructor(parts: PollingParts) {
    this.#parts = parts;
  }

  /** Why it cannot wait; undefined: it waits. */
  park(parked: Parked): string | undefined {
    const { question } = parked.wanting;
    const { popPollingSize, maxPopPollingSize } = this.#parts.context.settings();
    const what = 'pops and notifications that wait for messages';
    if (parked.among.count(question.queueId) >= popPollingSize) {
      return limitRemark(`${what} of one group and queue`, popPollingSize, 'popPollingSize');
    }
    if (this.size >= maxPopPollingSize) return limitRemark(what, maxPopPollingSize, 'maxPopPollingSize');
    const bytes = expressionBytes(parked);
    if (bytes > 0 && this.#expressionBytes + bytes > MAX_PARKED_EXPRESSION_BYTES) {
      const bound = MAX_PARKED_EXPRESSION_BYTES;
      return limitRemark('bytes in expressions of waiting pops', bound, 'MAX_PARKED_EXPRESSION_BYTES');
    }
    this.#expressionBytes += bytes;
    this.size += 1;
    parked.asked.waited = true;
    parked.among.add(parked);
    const connection = connectionOf(parked.asked);
    const others = this.#byConnection.get(connection);
    if (others === undefined) this.#byConnection.set(connection, new Set([parked]));
    else others.add(parked);
    parked.cancel = this.#parts.context.timers.after(question.pollTime, () => this.end(parked));
    return undefined;
  }

  /** Something may be there for who waits in these; false: nobody does. */
  wake(waiters: Iterable<Waiters>): boolean {
    let isAwaited = false;
    for (const among of waiters) {
      if (among.waiting.size === 0) continue;
      this.#awake.add(among);
      isAwaited = true;
    }
    return isAwaited;
  }

  /** Whether `serve` would look at something. */
  get pending(): boolean {
    return this.#awake.size > 0;
  }

  /** Serves who waits where something may be there, a bounded number. */
  serve(): number {
    let looked = 0;
    for (const among of this.#awake) {
      this.#awake.delete(among);
      looked += this.#serve(among);
      if (looked >= BATCH) break;
    }
    return looked;
  }

  /** The connection is closed. */
  gone(asked: Asked): void {
    for (const parked of this.#byConnection.get(connectionOf(asked)) ?? []) this.end(parked);
  }

  /** Ends all waits. */
  stop(): void {
    for (const parked of [...this.#byConnection.values()].flatMap((all) => [...all])) this.end(parked);
  }

  /** Who waits behind one that has got nothing with the same filter gets nothing either. */
  #serve(among: Waiters): number {
    let looked = 0;
    for (const waiting of [...among.waiting.values()]) {
      const without = new Set<Parked['filter']>();
      for (const parked of waiting) {
        if (without.has(parked.filter)) continue;
        if (looked >= BATCH) {
          this.#awake.add(among);
          return looked;
        }
        looked += 1;
        const outcome = this.#parts.take(parked);
        if (outcome === 'taken') this.#remove(parked);
        else without.add(parked.filter);
        if (outcome === 'more') this.#awake.add(among);
        if (outcome === 'nothing' && parked.filter === undefined && takes(parked)) break;
      }
    }
    return looked;
  }

  /** It waits no longer. */
  end(parked: Parked): void {
    this.#remove(parked);
    answerNothing(parked, ResponseCode.POLLING_TIMEOUT, this.#parts.context.clock.now());
  }

  #remove(parked: Parked): void {
    parked.cancel();
    parked.among.remove(parked);
    this.size -= 1;
    this.#expressionBytes -= expressionBytes(parked);
    const connection = connectionOf(parked.asked);
    const others = this.#byConnection.get(connection);
    others?.delete(parked);
    if (others?.size === 0) this.#byConnection.delete(connection);
  }
}

/** A notification says in its own way that nothing is there. `now`: ms since the epoch. */
export function answerNothing({ asked, wanting }: Parked, code: number, now: number): void {
  if (wanting.kind === 'lite') {
    const { topic, invisibleTime } = wanting.question;
    const rest = { popTime: now, invisibleTime, reviveQid: ORDER_REVIVE_QUEUE, restNum: 0, parts: [] };
    const nothing: Popped = { code, remark: 'NO_MESSAGE_IN_QUEUE', topic, ...rest };
    asked.answerJson(POPPED, { ...nothing, orderCountInfo: '', lite: true });
    return;
  }
  if (wanting.kind === 'pop') {
    const { topic, invisibleTime, order } = wanting.question;
    const rest = { popTime: now, invisibleTime, reviveQid: 0, restNum: 0, parts: [] };
    const popped: Popped = { code, remark: 'NO_MESSAGE_IN_QUEUE', topic, ...rest };
    asked.answerJson(POPPED, order ? { ...popped, orderCountInfo: '' } : popped);
    return;
  }
  const fields = { hasMsg: 'false', pollingFull: String(code === ResponseCode.POLLING_FULL) };
  asked.answerJson(FIELDS, { code: ResponseCode.SUCCESS, fields });
}

export function connectionOf({ thread, slot, generation }: Asked): string {
  return `${thread}.${slot}.${generation}`;
}

/** Not so a notification: those behind it may be told the same. */
function takes({ wanting }: Parked): boolean {
  return wanting.kind === 'pop' || wanting.kind === 'lite';
}

function expressionBytes({ wanting }: Parked): number {
  return wanting.kind === 'lite' ? 0 : (wanting.question.filter?.expression.length ?? 0);
}
