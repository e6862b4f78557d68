/**
 * What ordered groups have out, written down as it changes: each message of the journal's topic holds the whole state
 * of one queue of a group, so the last one counts. Control's file (consumerOrderInfo.json) is some seconds behind, and
 * what was out would come at once after a kill; RocketMQ has only that file.
 */

import { SYSTEM_TOPIC_PREFIX } from '../../lib/names.ts';
import { asObject, integerFrom } from '../../protocol/json-fields.ts';
import type { RocketJson } from '../../protocol/rocketmq-json.ts';
import { PROPERTY_TAGS } from '../../record/properties.ts';
import { isStored } from '../../store/put/put-message.ts';
import type { KnownQueues } from '../known-queues.ts';
import { OrderInfo } from './order-info.ts';
import type { PopContext } from './pop-context.ts';
import type { PopQueue } from './pop-states.ts';

export const ORDER_JOURNAL_TOPIC = `${SYSTEM_TOPIC_PREFIX}POP_ORDER_JOURNAL`;
export const ORDER_JOURNAL_QUEUE = 0;
const TAG = 'order';
/** Control is asked for the topic so often, with such pauses; then those who wait are refused. */
const MAX_ASKS = 5;
const ASK_AGAIN_MS = 1_000;

export type Written = (isWritten: boolean, remark: string) => void;

/** A state as it stands in the journal. */
export interface JournaledOrder {
  topic: string;
  group: string;
  queueId: number;
  offset: number;
  order: OrderInfo | undefined;
}

export interface JournalParts {
  context: Pick<PopContext, 'acts' | 'clock' | 'timers' | 'put' | 'place'>;
  queues: Pick<KnownQueues, 'find'>;
  /** Asks control to make the topic. */
  needsTopic: () => void;
}

export class OrderJournal {
  readonly #parts: JournalParts;
  /** Queues whose state is to be written at the end of the turn, and who waits for that. */
  #turn = new Map<PopQueue, Written[]>();
  underWay = 0;

  /** Control has been asked for the topic, so often without success. */
  #asked = false;
  #asks = 0;
  #stopping = false;

  constructor(parts: JournalParts) {
    this.#parts = parts;
  }

  /** Whether `put` would write something now. */
  get pending(): boolean {
    return this.#turn.size > 0 && (this.#hasQueue || !this.#asked);
  }

  /** Nothing waits to be written, or for the topic. */
  get idle(): boolean {
    return this.#turn.size === 0;
  }

  /** The topic is there. */
  hasTopic(): void {
    this.#asked = false;
    this.#asks = 0;
  }

  /** Nobody waits for the topic any longer. */
  stop(): void {
    this.#stopping = true;
    if (!this.#hasQueue) this.#refuse();
  }

  get #hasQueue(): boolean {
    const { context, queues } = this.#parts;
    return context.acts || queues.find(ORDER_JOURNAL_TOPIC, ORDER_JOURNAL_QUEUE) !== undefined;
  }

  /** Whether all that has happened to the queue is in the log. */
  isStored({ written, stored }: PopQueue): boolean {
    return stored === written;
  }

  /** The state of the queue, as it is at the end of the turn. */
  write(queue: PopQueue, written: Written): void {
    queue.journaled = true;
    queue.written += 1;
    const waiting = this.#turn.get(queue);
    if (waiting === undefined) this.#turn.set(queue, [written]);
    else waiting.push(written);
  }

  /** Puts those of this turn; returns how many. */
  put(): number {
    const turn = this.#turn;
    if (turn.size === 0) return 0;
    if (!this.#hasQueue) {
      if (this.#stopping) this.#refuse();
      else if (!this.#asked) this.#ask();
      return 0;
    }
    this.#turn = new Map();
    const { clock, put } = this.#parts.context;
    const now = clock.now();
    for (const [queue, waiting] of turn) {
      this.underWay += 1;
      const number = queue.written;
      put(this.#messageOf(queue, now), ({ status, remark }) => {
        this.underWay -= 1;
        if (isStored(status)) queue.stored = Math.max(queue.stored, number);
        for (const written of waiting) written(isStored(status), remark ?? '');
      });
    }
    return turn.size;
  }

  #ask(): void {
    this.#asked = true;
    this.#asks += 1;
    this.#parts.needsTopic();
    this.#parts.context.timers.after(ASK_AGAIN_MS, () => {
      this.#asked = false;
      if (this.#asks < MAX_ASKS || this.#hasQueue) return;
      this.#asks = 0;
      this.#refuse();
    });
  }

  #refuse(): void {
    const turn = this.#turn;
    this.#turn = new Map();
    const remark = `the topic ${ORDER_JOURNAL_TOPIC} cannot be made now`;
    for (const waiting of turn.values()) for (const written of waiting) written(false, remark);
  }

  #messageOf({ offsets: { topic, group }, queueId, offset, order }: PopQueue, now: number) {
    const state = { t: topic, g: group, q: queueId, off: offset, o: order?.toJson() ?? null };
    return {
      ...{
        topic: ORDER_JOURNAL_TOPIC,
        queueId: ORDER_JOURNAL_QUEUE,
        body: Buffer.from(JSON.stringify(state)),
      },
      ...{
        properties: new Map([[PROPERTY_TAGS, TAG]]),
        bornTimestamp: now,
        bornHost: this.#parts.context.place.bornHost,
      },
      ...{ flag: 0, sysFlag: 0, reconsumeTimes: 0, preparedTransactionOffset: 0 },
    };
  }
}

/** Undefined when the body is no state. */
export function parseJournaled(body: Uint8Array): JournaledOrder | undefined {
  let json: ReturnType<typeof asObject>;
  try {
    json = asObject(JSON.parse(Buffer.from(body).toString()) as RocketJson);
  } catch {
    return undefined;
  }
  const [topic, group] = [json?.['t'], json?.['g']];
  const [queueId = -1, offset = -1] = [integerFrom(json?.['q']), integerFrom(json?.['off'])];
  if (typeof topic !== 'string' || typeof group !== 'string' || queueId < 0 || offset < 0) return undefined;
  return { topic, group, queueId, offset, order: OrderInfo.fromJson(json?.['o']) };
}
