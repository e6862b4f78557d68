// A load with a ledger on a master that may be killed, and may be another broker afterwards: who sent what, what was
// answered with SEND_OK, and what a consumer group has got of it.

import { setTimeout as sleep } from 'node:timers/promises';
import { RequestCode, ResponseCode } from '../../src/protocol/codes.ts';
import { type RemotingCommand, requestCommand } from '../../src/protocol/command.ts';
import { CommandClient } from '../../src/remoting/command-client.ts';
import { pullRequest, recordsIn, sendRequest } from './broker-process.ts';

export const TOPIC = 'replicated';
export const QUEUES = 4;
const GROUP = 'test-consumers';
const SENDERS = 8;
const BODY = 1_000;
const TIMEOUT_MS = 5_000;
const REST_MS = 20;

/** Of every body, so that a message is found in the bytes of a log. */
export const KEY_IN_BODY = /<(s\d+-\d+)>/g;

/** One address, however often the broker there is killed. */
class Client {
  readonly #clients = new Map<string, CommandClient>();

  async request(address: string, command: RemotingCommand): Promise<RemotingCommand | undefined> {
    const client = this.#clients.get(address) ?? new CommandClient({ address });
    this.#clients.set(address, client);
    try {
      return await client.request(command, TIMEOUT_MS);
    } catch {
      // Nobody is there, or not any more: what became of the request is not known.
      await sleep(REST_MS);
      return undefined;
    }
  }

  close(): void {
    for (const client of this.#clients.values()) client.close();
  }
}

/** Sends each key once, and never again: what is not answered may be there or not. */
export class LedgerSender {
  sent = 0;
  /** Answered with SEND_OK. */
  readonly acknowledged = new Set<string>();
  /** Other answers, by code. */
  readonly others = new Map<number, number>();
  /** To nobody, or answered by nobody any more. */
  unanswered = 0;
  readonly #address: () => string;
  readonly #client = new Client();
  readonly #running: Promise<void>;
  #isOver = false;

  /** `address`: of the master as it is now. */
  constructor(address: () => string) {
    this.#address = address;
    this.#running = Promise.all(Array.from({ length: SENDERS }, (_, id) => this.#send(id))).then(() => {});
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#running;
    this.#client.close();
  }

  async #send(id: number): Promise<void> {
    for (let n = 0; !this.#isOver; n++) {
      const key = `s${id}-${n}`;
      const body = Buffer.from(`<${key}>`.padEnd(BODY, '.'));
      this.sent++;
      const reply = await this.#client.request(this.#address(), sendRequest(TOPIC, n % QUEUES, key, body));
      if (reply === undefined) this.unanswered++;
      else if (reply.code === 0) this.acknowledged.add(key);
      else this.others.set(reply.code, (this.others.get(reply.code) ?? 0) + 1);
      // Without a slave each is answered at once: that is no load that a ledger is for.
      if (reply?.code !== 0) await sleep(REST_MS);
    }
  }
}

/** A group that pulls all queues from the master, or from its slave while that is gone, and commits what it has got. */
export class LedgerConsumer {
  readonly received = new Map<string, number>();
  readonly #addresses: () => readonly string[];
  readonly #client = new Client();
  #running: Promise<unknown> | undefined;
  #isOver = false;

  /** `addresses`: the master first, then its slave. */
  constructor(addresses: () => readonly string[]) {
    this.#addresses = addresses;
  }

  get deliveries(): number {
    return [...this.received.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Goes on where the group has committed, as a client does that is started. */
  start(): void {
    this.#isOver = false;
    this.#running = Promise.all(Array.from({ length: QUEUES }, (_, queueId) => this.#consume(queueId)));
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#running;
  }

  close(): void {
    this.#client.close();
  }

  async #consume(queueId: number): Promise<void> {
    let offset = await this.#committed(queueId);
    while (!this.#isOver) {
      const reply = await this.#ask(pullRequest(TOPIC, queueId, offset));
      if (reply?.code === ResponseCode.SUCCESS && reply.body !== undefined) {
        for (const record of recordsIn(reply.body)) this.#got(record?.properties.get('UNIQ_KEY') ?? '');
        offset = Number(reply.fields['nextBeginOffset']);
        await this.#ask(commitOf(queueId, offset));
        continue;
      }
      // A slave may not have come so far, and says where it is.
      if (reply?.code === ResponseCode.PULL_OFFSET_MOVED) offset = Number(reply.fields['nextBeginOffset']);
      await sleep(REST_MS);
    }
  }

  #got(key: string): void {
    this.received.set(key, (this.received.get(key) ?? 0) + 1);
  }

  /** The first of the addresses at which somebody answers. */
  async #ask(command: RemotingCommand): Promise<RemotingCommand | undefined> {
    for (const address of this.#addresses()) {
      const reply = await this.#client.request(address, command);
      if (reply !== undefined) return reply;
    }
    return undefined;
  }

  async #committed(queueId: number): Promise<number> {
    const query = requestCommand(RequestCode.QUERY_CONSUMER_OFFSET, {
      ...{ consumerGroup: GROUP, topic: TOPIC, queueId: String(queueId) },
    });
    for (;;) {
      const reply = await this.#ask(query);
      if (reply?.code === ResponseCode.SUCCESS) return Number(reply.fields['offset']);
      // Nothing was committed yet.
      if (reply !== undefined || this.#isOver) return 0;
    }
  }
}

function commitOf(queueId: number, offset: number): RemotingCommand {
  const fields = { consumerGroup: GROUP, topic: TOPIC, queueId: String(queueId) };
  return requestCommand(RequestCode.UPDATE_CONSUMER_OFFSET, { ...fields, commitOffset: String(offset) });
}
