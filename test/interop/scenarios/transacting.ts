// A transactional producer as the scenarios see it: what it sent, which checks it was asked; and how far the broker is
// with its half messages.

import { setTimeout as sleep } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import type { Args, Kit } from '../support/clients.ts';
import { Dialogue, type Refusal } from '../support/dialogue.ts';
import type { Program } from '../support/program.ts';
import { RawConnection, send } from '../support/raw.ts';
import type { Broker } from '../support/servers.ts';
import type { Cluster } from '../support/target.ts';
import type { Delivered, Sent } from './actors.ts';

export const HALF_TOPIC = 'RMQ_SYS_TRANS_HALF_TOPIC';
export const OP_TOPIC = 'RMQ_SYS_TRANS_OP_HALF_TOPIC';
export const MAX_TIME_TOPIC = 'TRANS_CHECK_MAX_TIME_TOPIC';
export const CHECK_GROUP = 'CID_RMQ_SYS_TRANS';

/** Short, so that checks come soon; the operations on half messages are written after at most half a second. */
export const CHECK_CONF = {
  transactionCheckInterval: 1_000,
  transactionTimeOut: 2_000,
  transactionCheckMax: 5,
  transactionOpBatchInterval: 500,
} as const;

const QUERY_CONSUMER_OFFSET = 14;
const GET_MAX_OFFSET = 30;
const PRODUCERS_OF_GROUP = 204;
const SETTLED_TIMEOUT = 60_000;
const LOOK_EVERY = 200;

export interface HalfSent extends Sent {
  readonly transactionId: string;
  readonly state: string;
  readonly recallHandle: string | null;
}

export interface Checked extends Delivered {
  readonly answer: string;
  readonly transactionId: string;
}

export interface Sending {
  readonly topic: string;
  readonly prefix: string;
  readonly number?: number;
  readonly local?: string;
  readonly checks?: string;
  readonly tags?: string;
  readonly immunity?: number;
  readonly 'delay-level'?: number;
  readonly 'delay-ms'?: number;
}

export class Transactor {
  readonly program: Program;
  readonly checks: Checked[] = [];
  readonly #group: string;
  readonly #dialogue: Dialogue;

  constructor(kit: Kit, cluster: Pick<Cluster, 'nameServer'>, args: Args = {}) {
    this.#group = String(args['group'] ?? 'interop-transactions');
    this.program = kit.start('Transact', { namesrv: cluster.nameServer.address, ...args });
    this.#dialogue = new Dialogue(this.program);
    this.program.onEvent((event) => {
      if (event.event !== 'check') return;
      const message = event['message'] as Delivered;
      const [answer, transactionId] = [String(event['answer']), String(event['transactionId'])];
      this.checks.push({ ...message, answer, transactionId, at: Number(event['at']) });
    });
  }

  async ready(): Promise<void> {
    await this.program.waitForEvent('ready', SETTLED_TIMEOUT);
  }

  /**
   * Sends and commits one message, then waits until the broker has heard from the group: what is open before that may
   * count checks that go to nobody. A Java client says so within a second, a Go client after one or 31.
   */
  async known(broker: Broker, sending: Sending): Promise<HalfSent> {
    const half = await this.send({ ...sending, local: 'commit' });
    const connection = await RawConnection.open(broker.address);
    const ask = { code: PRODUCERS_OF_GROUP, ext: { producerGroup: this.#group } };
    try {
      for (const end = Date.now() + SETTLED_TIMEOUT; (await connection.request(ask)).code !== 0; ) {
        assert.ok(Date.now() < end, `the broker has heard from ${this.#group}`);
        await sleep(LOOK_EVERY);
      }
    } finally {
      connection.destroy();
    }
    return half;
  }

  async send(sending: Sending): Promise<HalfSent> {
    return (await this.#dialogue.ask(`send ${flags(sending)}`)) as HalfSent;
  }

  refused(sending: Sending): Promise<Refusal> {
    return this.#dialogue.refused(`send ${flags(sending)}`);
  }

  async plain(sending: Sending): Promise<Sent> {
    return (await this.#dialogue.ask(`plain ${flags(sending)}`)) as Sent;
  }

  /** Sends a message whose script ends the process before it has answered. */
  async vanish(sending: Sending): Promise<void> {
    await this.ready();
    this.program.send(`send ${flags({ ...sending, local: 'halt' })}`);
    assert.is(await this.program.waitForEnd(SETTLED_TIMEOUT), 0, this.program.tail());
  }

  checksOf(key: string): Checked[] {
    return this.checks.filter((check) => check.key === key);
  }

  checked(key: string, times: number, timeout = SETTLED_TIMEOUT): Promise<true> {
    const look = (): true | undefined => (this.checksOf(key).length >= times ? true : undefined);
    return this.program.waitFor(`check ${times} of ${key}`, look, timeout);
  }

  end(): Promise<void> {
    return this.#dialogue.end();
  }
}

export function flags(sending: object): string {
  return Object.entries(sending)
    .map(([name, value]) => `--${name} ${value}`)
    .join(' ');
}

/** Waits until the broker has seen the end of every half message: nothing is pending. */
export async function settled(broker: Broker): Promise<void> {
  const connection = await RawConnection.open(broker.address);
  try {
    for (const end = Date.now() + SETTLED_TIMEOUT; ; ) {
      const [done, max] = [await checkProgress(connection), await maxOffset(connection, HALF_TOPIC)];
      if (Math.max(0, done) === Math.max(0, max)) return;
      if (Date.now() > end) throw new Error(`half messages are checked to ${done} of ${max}`);
      await sleep(LOOK_EVERY);
    }
  } finally {
    connection.destroy();
  }
}

export async function checkProgress(connection: RawConnection, topic = HALF_TOPIC): Promise<number> {
  const ext = { consumerGroup: CHECK_GROUP, topic, queueId: 0 };
  const { extFields } = await connection.request({ code: QUERY_CONSUMER_OFFSET, ext });
  return Number(extFields?.['offset'] ?? -1);
}

export async function maxOffset(connection: RawConnection, topic: string, queueId = 0): Promise<number> {
  const { extFields } = await connection.request({ code: GET_MAX_OFFSET, ext: { topic, queueId } });
  return Number(extFields?.['offset'] ?? -1);
}

/** Waits until what lies in the log by now can be read: queues are filled in the order of the log. */
export async function dispatched(connection: RawConnection): Promise<void> {
  const { extFields } = await connection.request(send('fence'));
  const mine = Number(extFields?.['queueOffset']);
  for (
    const end = Date.now() + SETTLED_TIMEOUT;
    (await maxOffset(connection, 'fence')) <= mine;
    await sleep(5)
  ) {
    if (Date.now() > end) throw new Error(`message ${mine} of the topic fence is not to be seen`);
  }
}
