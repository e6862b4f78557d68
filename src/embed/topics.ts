/**
 * Making topics for the host program, as an administrator would from outside: the request passes all checks and reaches
 * all threads. A topic counts as made when the name server leads to it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../lib/clock.ts';
import { RequestCode, ResponseCode } from '../protocol/codes.ts';
import { requestCommand } from '../protocol/command.ts';
import { asArray, asObject, parseBody } from '../protocol/json-fields.ts';
import type { CommandClient } from '../remoting/command-client.ts';

const REQUEST_MS = 10_000;
const ROUTED_WITHIN_MS = 10_000;
const LOOK_AGAIN_MS = 25;
const READ_AND_WRITE = 6;

export type TopicClient = Pick<CommandClient, 'request' | 'close'>;

interface Clients {
  broker: TopicClient;
  nameServer: TopicClient;
}

export class TopicMaker {
  readonly #clients: Clients;
  readonly #brokerName: string;
  readonly #routedWithinMs: number;
  /** The last call for each topic on its way: two at once would each wait for a number that the other replaces. */
  readonly #turns = new Map<string, Promise<void>>();
  #closed = false;

  constructor(clients: Clients, brokerName: string, routedWithinMs = ROUTED_WITHIN_MS) {
    this.#clients = clients;
    this.#brokerName = brokerName;
    this.#routedWithinMs = routedWithinMs;
  }

  /** What fails from then on fails because of that. */
  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Throws with the broker's remark when it refuses, and when the name server does not lead to the topic in time.
   * Calls for one topic go one after the other.
   */
  async make(topic: string, queues: number): Promise<void> {
    const made = (this.#turns.get(topic) ?? Promise.resolve()).then(() => this.#make(topic, queues));
    const turn = made.catch(() => {});
    this.#turns.set(topic, turn);
    try {
      await made;
    } finally {
      if (this.#turns.get(topic) === turn) this.#turns.delete(topic);
    }
  }

  close(): void {
    this.#closed = true;
    this.#clients.broker.close();
    this.#clients.nameServer.close();
  }

  async #make(topic: string, queues: number): Promise<void> {
    this.#checkOpen();
    const { code, remark } = await this.#clients.broker.request(
      requestCommand(RequestCode.UPDATE_AND_CREATE_TOPIC, {
        topic,
        defaultTopic: 'TBW102',
        readQueueNums: String(queues),
        writeQueueNums: String(queues),
        perm: String(READ_AND_WRITE),
        topicFilterType: 'SINGLE_TAG',
        topicSysFlag: '0',
        order: 'false',
      }),
      REQUEST_MS,
    );
    if (code !== ResponseCode.SUCCESS) throw new Error(remark ?? `the broker answers with code ${code}`);
    await this.#untilRouted(topic, queues);
  }

  async #untilRouted(topic: string, queues: number): Promise<void> {
    const until = systemClock.monotonic() + this.#routedWithinMs;
    for (;;) {
      const routed = await this.#routedQueues(topic);
      if (routed === queues) return;
      this.#checkOpen();
      if (systemClock.monotonic() >= until) throw new Error(this.#notRouted(topic, queues, routed));
      await sleep(LOOK_AGAIN_MS);
    }
  }

  #notRouted(topic: string, queues: number, routed: number | undefined): string {
    const made = `the broker has taken ${topic} with ${queues} queues, but ${this.#routedWithinMs} ms later`;
    return routed === undefined
      ? `${made} the name server has no route to it. Was it deleted meanwhile? Make it again.`
      : `${made} the route shows ${routed}. Was it changed meanwhile? Make it again for another number.`;
  }

  #checkOpen(): void {
    if (this.#closed) throw new Error('the broker is closed.');
  }

  /** Undefined while the name server does not lead to the topic on this broker. */
  async #routedQueues(topic: string): Promise<number | undefined> {
    const request = requestCommand(RequestCode.GET_ROUTEINFO_BY_TOPIC, { topic });
    const reply = await this.#clients.nameServer.request(request, REQUEST_MS);
    if (reply.code !== ResponseCode.SUCCESS) return undefined;
    const brokers = asArray(asObject(parseBody(reply.body))?.['queueDatas']).map((entry) => asObject(entry));
    const own = brokers.find((broker) => broker?.['brokerName'] === this.#brokerName);
    return own === undefined ? undefined : Number(own['writeQueueNums']);
  }
}
