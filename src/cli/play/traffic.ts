/** What flows while somebody plays: messages that are sent, who consumes them, and a ledger of what was answered. */

import { RequestCode } from '../../protocol/codes.ts';
import { decodeMessageId } from '../../record/message-id.ts';
import { PROPERTY_DELAY, PROPERTY_KEYS } from '../../record/properties.ts';
import { Refused } from '../admin/failure.ts';
import { committedOffset } from '../admin/lag.ts';
import { idOf } from '../admin/message-text.ts';
import { pull } from '../admin/queue-reads.ts';
import type { Queue } from '../admin/routes.ts';
import { type Sent, send } from '../admin/send.ts';
import type { Servers } from '../admin/servers.ts';
import { pause } from '../admin/stopping.ts';
import { PLAY_BROKER, PLAY_GROUP, PLAY_QUEUES, PLAY_TOPIC } from './play-store.ts';

/** Sends without an answer at one time. */
const IN_FLIGHT = 32;
/** A message each so many ms. */
const FLOW_MS = 50;
/** Bodies are not all of one length: records end anywhere. */
const BODY_BYTES = 160;
const BODY_STEPS = 40;
const PULL_WAIT_MS = 1000;
const AT_ONCE = 32;
/** After a broker that has gone. */
const AGAIN_MS = 500;

/** Where to send to, while there is somebody. */
export interface Broker {
  readonly servers: Servers;
  readonly address: string;
}

export interface Outcome {
  acknowledged: number;
  refused: number;
  unanswered: number;
  last: Sent | undefined;
  /** Of the first that was not acknowledged. */
  reason: string;
}

export const positionOf = ({ offsetId }: Sent): number => decodeMessageId(offsetId)?.physicalOffset ?? -1;

export class Producer {
  /** Positions of messages that were acknowledged, by their unique keys. */
  readonly ledger = new Map<string, number>();
  acknowledged = 0;
  refused = 0;
  unanswered = 0;
  readonly #broker: () => Broker | undefined;
  readonly #under = new Set<Promise<void>>();
  #number = 0;
  #flow: NodeJS.Timeout | undefined;

  constructor(broker: () => Broker | undefined) {
    this.#broker = broker;
  }

  get flows(): boolean {
    return this.#flow !== undefined;
  }

  setFlow(isOn: boolean): void {
    clearInterval(this.#flow);
    this.#flow = isOn ? setInterval(() => this.#drop(), FLOW_MS) : undefined;
  }

  /** Sends one after the other into the queues by turns, several under way; until `enough` says so. */
  async send(count: number, enough: (outcome: Outcome) => boolean = () => false): Promise<Outcome> {
    const outcome = noOutcome();
    for (let i = 0; i < count && !enough(outcome); i++) {
      this.#post(outcome, new Map());
      if (this.#under.size >= IN_FLIGHT) await Promise.race(this.#under);
    }
    await Promise.all(this.#under);
    return outcome;
  }

  /** `level`: one of RocketMQ's delay levels. */
  async sendLater(level: number): Promise<Outcome> {
    const outcome = noOutcome();
    this.#post(outcome, new Map([[PROPERTY_DELAY, String(level)]]));
    await Promise.all(this.#under);
    return outcome;
  }

  #drop(): void {
    if (this.#under.size < IN_FLIGHT && this.#broker() !== undefined) this.#post(noOutcome(), new Map());
  }

  #post(outcome: Outcome, properties: Map<string, string>): void {
    const sending = this.#one(outcome, properties).finally(() => this.#under.delete(sending));
    this.#under.add(sending);
  }

  async #one(outcome: Outcome, properties: Map<string, string>): Promise<void> {
    const number = this.#number++;
    const queueId = number % PLAY_QUEUES;
    try {
      const broker = this.#broker();
      if (broker === undefined) throw new Error('no broker runs');
      const queue = queueOf(broker.address, queueId);
      properties.set(PROPERTY_KEYS, `m${number}`);
      const sent = await send(broker.servers, queue, { body: bodyOf(number), properties });
      this.ledger.set(sent.id, positionOf(sent));
      this.acknowledged++;
      outcome.acknowledged++;
      outcome.last = sent;
    } catch (error) {
      if (outcome.reason === '') outcome.reason = error instanceof Error ? error.message : String(error);
      if (error instanceof Refused) {
        this.refused++;
        outcome.refused++;
      } else {
        this.unanswered++;
        outcome.unanswered++;
      }
    }
  }
}

function noOutcome(): Outcome {
  return { acknowledged: 0, refused: 0, unanswered: 0, last: undefined, reason: '' };
}

function bodyOf(number: number): Buffer {
  const text = `message ${number} of play `;
  return Buffer.from(text.padEnd(BODY_BYTES + 4 * (number % BODY_STEPS), '.'));
}

export function queueOf(address: string, queueId: number): Queue {
  return { topic: PLAY_TOPIC, broker: PLAY_BROKER, address, queueId };
}

/** Reads both queues and commits, for as long as it is on; a broker that comes back is read on. */
export class Consumer {
  consumed = 0;
  again = 0;
  readonly #broker: () => Broker | undefined;
  readonly #seen = new Set<string>();
  #ended: AbortController | undefined;

  constructor(broker: () => Broker | undefined) {
    this.#broker = broker;
  }

  get isOn(): boolean {
    return this.#ended !== undefined;
  }

  set(isOn: boolean): void {
    this.#ended?.abort();
    this.#ended = isOn ? new AbortController() : undefined;
    const { signal } = this.#ended ?? {};
    if (signal === undefined) return;
    for (let queueId = 0; queueId < PLAY_QUEUES; queueId++) void this.#read(queueId, signal);
  }

  async #read(queueId: number, ended: AbortSignal): Promise<void> {
    while (!ended.aborted) {
      const broker = this.#broker();
      try {
        if (broker !== undefined) await this.#readFrom(broker, queueId, ended);
      } catch {
        // It has gone; the next one goes on where the group has committed.
      }
      await pause(AGAIN_MS, ended);
    }
  }

  async #readFrom({ servers, address }: Broker, queueId: number, ended: AbortSignal): Promise<void> {
    const queue = queueOf(address, queueId);
    let offset = (await committedOffset(servers, address, PLAY_GROUP, queue)) ?? 0;
    while (!ended.aborted) {
      const { messages, next } = await pull(servers, queue, {
        ...{ offset, count: AT_ONCE, group: PLAY_GROUP, waitMs: PULL_WAIT_MS },
      });
      if (ended.aborted) return;
      for (const message of messages) {
        const key = idOf(message);
        this.consumed++;
        if (this.#seen.has(key)) this.again++;
        this.#seen.add(key);
      }
      if (next === offset) continue;
      offset = next;
      await servers.ask(address, {
        code: RequestCode.UPDATE_CONSUMER_OFFSET,
        fields: { consumerGroup: PLAY_GROUP, topic: PLAY_TOPIC, queueId, commitOffset: offset },
        to: `commit an offset of ${PLAY_GROUP}`,
      });
    }
  }
}
