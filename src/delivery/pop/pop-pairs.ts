/**
 * The groups that pop topics: each pair is made when it is first asked for, and let go when nobody has asked for a
 * while and nothing of it is out. Control then has its offsets again.
 */
import { popRetryTopicOf } from '../../lib/names.ts';
import { ResponseCode } from '../../protocol/codes.ts';
import type { Asked } from '../question-server.ts';
import { answerNothing, connectionOf, type Polling } from './polling.ts';
import type { PopContext } from './pop-context.ts';
import { type PairParked, PopPair } from './pop-pair.ts';
import type { PopStates } from './pop-states.ts';

/** What nobody has asked for so long is let go, and so often it is looked for. */
export const IDLE_MS = 300_000;
const LOOK_MS = 60_000;

export interface PopPairsParts {
  context: Pick<PopContext, 'clock' | 'timers' | 'settings'>;
  states: PopStates;
  polling: Polling;
  /** Serves a pop that had to wait until control has told where its group stands. */
  begin: (parked: PairParked) => void;
}

export class PopPairs {
  readonly #parts: PopPairsParts;
  /** By topic and group. */
  readonly #pairs = new Map<string, PopPair>();
  /** Pops that wait until control has told where their groups stand. */
  readonly #early = new Map<PopPair, Set<PairParked>>();

  constructor(parts: PopPairsParts) {
    this.#parts = parts;
    this.#lookLater();
  }

  get all(): Iterable<PopPair> {
    return this.#pairs.values();
  }

  /** Pops that wait for what control tells. */
  get early(): number {
    let size = 0;
    for (const early of this.#early.values()) size += early.size;
    return size;
  }

  find(topic: string, group: string): PopPair | undefined {
    return this.#pairs.get(keyOf(topic, group));
  }

  /** A string says why there is no room for more. */
  of(topic: string, group: string): PopPair | string {
    const { states, context } = this.#parts;
    const known = this.find(topic, group);
    if (known !== undefined) {
      known.usedAt = context.clock.monotonic();
      return known;
    }
    const main = states.of(topic, group);
    if (typeof main === 'string') return main;
    const retry = states.of(popRetryTopicOf(topic, group), group);
    if (typeof retry === 'string') return retry;
    const pair = new PopPair(main, retry, context.clock.monotonic());
    main.pairs.add(pair);
    retry.pairs.add(pair);
    this.#pairs.set(keyOf(topic, group), pair);
    return pair;
  }

  /** Until control has told where the group stands; as many as may wait for messages. */
  wait(parked: PairParked): void {
    const { clock, settings } = this.#parts.context;
    const early = this.#early.get(parked.among) ?? new Set();
    if (early.size >= settings().popPollingSize)
      answerNothing(parked, ResponseCode.POLLING_FULL, clock.now());
    else this.#early.set(parked.among, early.add(parked));
  }

  /** Control has told. */
  goOn(pair: PopPair): void {
    const early = this.#early.get(pair);
    this.#early.delete(pair);
    for (const parked of early ?? []) this.#parts.begin(parked);
  }

  forgetTopic(topic: string): void {
    for (const pair of this.#pairs.values())
      if (pair.main.topic === topic || pair.retry.topic === topic) this.#forget(pair);
  }

  forgetGroup(group: string): void {
    for (const pair of this.#pairs.values()) if (pair.main.group === group) this.#forget(pair);
  }

  #forget(pair: PopPair): void {
    this.#remove(pair);
    for (const waiting of [...pair.waiting.values()])
      for (const parked of [...waiting]) this.#parts.polling.end(parked);
    this.#endEarly(pair);
  }

  #remove(pair: PopPair): void {
    this.#pairs.delete(keyOf(pair.main.topic, pair.main.group));
    pair.main.pairs.delete(pair);
    pair.retry.pairs.delete(pair);
  }

  #endEarly(pair: PopPair): void {
    const early = this.#early.get(pair) ?? [];
    this.#early.delete(pair);
    const now = this.#parts.context.clock.now();
    for (const parked of early) answerNothing(parked, ResponseCode.POLLING_TIMEOUT, now);
  }

  /** The connection is closed: nothing is taken for it any more. */
  gone(asked: Asked): void {
    const connection = connectionOf(asked);
    for (const early of this.#early.values())
      for (const parked of early) if (connectionOf(parked.asked) === connection) early.delete(parked);
  }

  /** Ends all waits. */
  stop(): void {
    for (const pair of [...this.#early.keys()]) this.#endEarly(pair);
  }

  #lookLater(): void {
    this.#parts.context.timers.after(LOOK_MS, () => {
      this.#look();
      this.#lookLater();
    });
  }

  #look(): void {
    const { context, states } = this.#parts;
    const before = context.clock.monotonic() - IDLE_MS;
    for (const pair of this.#pairs.values())
      if (pair.usedAt <= before && pair.waiting.size === 0 && !this.#early.has(pair)) this.#remove(pair);
    states.letGo(before);
  }
}

function keyOf(topic: string, group: string): string {
  return `${topic}@${group}`;
}
