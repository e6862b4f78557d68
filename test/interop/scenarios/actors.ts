// A producer and a consumer as the scenarios see them: what was acknowledged, what arrived, which queues are held.

import * as assert from 'uvu/assert';
import type { Args, Kit } from '../support/clients.ts';
import type { Ledger } from '../support/ledger.ts';
import type { Program } from '../support/program.ts';
import type { Reachable } from '../support/target.ts';

export const START = 30_000;
export const LONG = 60_000;

export interface Sent {
  readonly key: string;
  readonly tag: string;
  readonly msgId: string;
  readonly offsetMsgId: string;
  readonly status: string;
  readonly queueId: number;
  readonly queueOffset: number;
}

export interface Delivered {
  readonly key: string;
  readonly topic: string;
  readonly tag: string;
  readonly msgId: string;
  readonly queueId: number;
  readonly queueOffset: number;
  readonly physicalOffset: number;
  readonly reconsumeTimes: number;
  readonly intact: boolean;
  readonly bodySize: number;
  readonly storeSize: number;
  readonly sysFlag: number;
  readonly bornTime: number;
  readonly storeTime: number;
  readonly storeHost: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly at: number;
}

export class Producer {
  readonly program: Program;
  readonly acked: Sent[] = [];
  readonly oneway: string[] = [];
  readonly failed: unknown[] = [];

  constructor(kit: Kit, cluster: Reachable, args: Args, ledger?: Ledger) {
    this.program = kit.start('Produce', { namesrv: cluster.nameServer.address, ...args });
    this.program.onEvent((event) => {
      if (event.event === 'send-failed') this.failed.push(event['error']);
      if (event.event === 'oneway') this.oneway.push(String(event['key']));
      if (event.event === 'sent') this.acked.push(event as unknown as Sent);
      if (event.event === 'sent' || event.event === 'oneway') ledger?.send(String(event['key']));
    });
  }

  /** Runs to its end; every send must have succeeded. */
  async finish(timeout = LONG): Promise<readonly Sent[]> {
    const code = await this.program.waitForEnd(timeout);
    assert.is(code, 0, this.program.tail());
    return this.acked;
  }
}

export class Consumer {
  readonly program: Program;
  readonly delivered: Delivered[] = [];
  held: readonly number[] = [];

  constructor(kit: Kit, cluster: Reachable, args: Args, ledger?: Ledger) {
    this.program = kit.start(args['program'] === undefined ? 'Consume' : String(args['program']), {
      namesrv: cluster.nameServer.address,
      ...args,
    });
    this.program.onEvent((event) => {
      if (event.event === 'queues') this.held = event['held'] as number[];
      if (event.event !== 'message') return;
      const message = { ...(event['message'] as Delivered), at: Number(event['at']) };
      this.delivered.push(message);
      if (event['ok'] === true) ledger?.deliver(message.key);
    });
  }

  holds(count: number, timeout = START): Promise<true> {
    const look = (): true | undefined => (this.held.length === count ? true : undefined);
    return this.program.waitFor(`${count} queues`, look, timeout);
  }

  receives(ledger: Ledger, timeout = LONG): Promise<true> {
    return this.program.waitFor(`the last of ${ledger.sent.size} messages`, () => ledger.complete(), timeout);
  }

  count(count: number, timeout = LONG): Promise<true> {
    const look = (): true | undefined => (this.delivered.length >= count ? true : undefined);
    return this.program.waitFor(`${count} deliveries`, look, timeout);
  }

  async stop(): Promise<void> {
    assert.is(await this.program.stop(), 0, this.program.tail());
  }
}

/** Waits until all of the ledger has come in through several consumers. */
export async function allReceived(
  consumers: readonly Consumer[],
  ledger: Ledger,
  timeout = LONG,
): Promise<void> {
  await Promise.any(consumers.map((consumer) => consumer.receives(ledger, timeout))).catch(
    (error: AggregateError) => {
      const held = consumers.map((consumer) => `[${consumer.held}]`).join(' ');
      throw new Error(
        `${ledger.missing} of ${ledger.sent.size} missing, queues held ${held}\n${error.errors.join('\n')}`,
      );
    },
  );
}

/** Creates the topic by a first send, so that consumers started afterwards find its route at once. */
export async function createTopic(kit: Kit, cluster: Reachable, topic: string): Promise<void> {
  await new Producer(kit, cluster, { topic, prefix: `first-of-${topic}` }).finish();
}

/**
 * Lets a group exist before the test. A client asks for the route of its %RETRY% topic before the heartbeat that
 * creates it, so the very first consumer of a group sees its retries only after the next route poll, 30 s later.
 */
export async function introduceGroup(
  kit: Kit,
  cluster: Reachable,
  topic: string,
  group: string,
): Promise<void> {
  const consumer = new Consumer(kit, cluster, { topic, group, expression: 'no-such-tag' });
  await consumer.program.waitForEvent('ready', START);
  await consumer.stop();
}

export function allIntact(delivered: readonly Delivered[]): void {
  const broken = delivered.filter((message) => !message.intact);
  assert.is(broken.length, 0, `bodies or properties changed on the way: ${JSON.stringify(broken[0])}`);
}
