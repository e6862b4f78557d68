// Requests and their replies: each request gets the reply that was made for it, a late reply finds nobody who waits,
// and one to a client that has gone is an error for who sends it.

import * as assert from 'uvu/assert';
import type { Args, Kit } from '../support/clients.ts';
import { Dialogue, type Refusal } from '../support/dialogue.ts';
import type { Program } from '../support/program.ts';
import type { Cluster } from '../support/target.ts';
import { createTopic, START } from './actors.ts';
import { flags } from './transacting.ts';

export const REPLY_TOPIC = 'DefaultCluster_REPLY_TOPIC';
/** The Go client is known to the broker a second after its start. */
const KNOWN_MS = 1_500;
const SYSTEM_ERROR = 1;

export interface Asking {
  readonly topic: string;
  readonly prefix: string;
  readonly number?: number;
  readonly timeout?: number;
  readonly body?: number;
  readonly 'reply-size'?: number;
}

export interface Reply {
  readonly right: boolean;
  readonly bodySize: number;
  readonly topic: string;
  readonly queueId: number;
  readonly bornTime: number;
  readonly storeTime: number;
  readonly bornHost: string;
  readonly storeHost: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly correlationId: string;
  readonly clientId: string;
}

interface Many {
  readonly right: number;
  readonly wrong: number;
  readonly failed: number;
  readonly all: boolean;
}

/** A client that asks. */
export class Requester {
  readonly program: Program;
  readonly #dialogue: Dialogue;

  constructor(kit: Kit, cluster: Cluster, args: Args = {}) {
    this.program = kit.start('Ask', { namesrv: cluster.nameServer.address, ...args });
    this.#dialogue = new Dialogue(this.program);
  }

  /** When the broker knows it. */
  async known(): Promise<void> {
    await this.program.waitForEvent('ready', START);
    await new Promise((resolve) => setTimeout(resolve, KNOWN_MS));
  }

  async ask(asking: Asking): Promise<Reply> {
    return (await this.#dialogue.ask(`ask ${flags(asking)}`)) as Reply;
  }

  refused(asking: Asking): Promise<Refusal> {
    return this.#dialogue.refused(`ask ${flags(asking)}`);
  }

  async askMany(asking: Asking & { count: number; 'in-flight': number }): Promise<Many> {
    return (await this.#dialogue.ask(`ask-many ${flags(asking)}`)) as Many;
  }

  end(): Promise<void> {
    return this.#dialogue.end();
  }
}

/** A client that answers. */
export class Replier {
  readonly program: Program;

  constructor(kit: Kit, cluster: Cluster, args: Args) {
    this.program = kit.start('Replier', { namesrv: cluster.nameServer.address, ...args });
  }

  events(name: string): Readonly<Record<string, unknown>>[] {
    return this.program.events.filter((event) => event.event === name);
  }

  async until(name: string, count: number): Promise<void> {
    const look = (): true | undefined => (this.events(name).length >= count ? true : undefined);
    await this.program.waitFor(`${count} times ${name}`, look, START);
  }

  async stop(): Promise<void> {
    assert.is(await this.program.stop(), 0, this.program.tail());
  }
}

async function pair(
  asking: Kit,
  replying: Kit,
  cluster: Cluster,
  topic: string,
  args: Args = {},
): Promise<{ requester: Requester; replier: Replier }> {
  await createTopic(asking, cluster, topic);
  const replier = new Replier(replying, cluster, { topic, group: `${topic}-repliers`, ...args });
  const requester = new Requester(asking, cluster, { topic });
  await Promise.all([requester.known(), replier.program.waitForEvent('ready', START)]);
  return { requester, replier };
}

/** One after the other, small and large, then many at once: each gets its own. */
export async function everyRequestIsAnswered(
  asking: Kit,
  replying: Kit,
  cluster: Cluster,
  { topic, many, large }: { topic: string; many: number; large: number },
): Promise<void> {
  const { requester, replier } = await pair(asking, replying, cluster, topic);
  for (const size of [0, large]) {
    const reply = await requester.ask({
      topic,
      prefix: 'one',
      number: size,
      body: 10_000,
      'reply-size': size,
    });
    assert.ok(reply.right, JSON.stringify(reply));
    assert.is(reply.topic, REPLY_TOPIC);
    assert.is(reply.properties['CORRELATION_ID'], reply.correlationId);
    assert.is(reply.properties['REPLY_TO_CLIENT'], reply.clientId);
    for (const name of ['PUSH_REPLY_TIME', 'ARRIVE_TIME', 'MSG_TYPE', 'TTL', 'MSG_REGION', 'TRACE_ON'])
      assert.ok(reply.properties[name] !== undefined, name);
  }
  const result = await requester.askMany({ topic, prefix: 'many', count: many, 'in-flight': 100 });
  assert.equal(result, { right: many, wrong: 0, failed: 0, all: true });
  await replier.until('replied', many + 2);
  assert.is(replier.events('reply-failed').length, 0, replier.program.tail());
  for (const { properties } of replier.events('asked'))
    assert.is((properties as Record<string, string>)['CLUSTER'], 'DefaultCluster');
  await Promise.all([requester.end(), replier.stop()]);
}

/** Nobody answers in time: the requester says so, and the reply that comes later has arrived all the same. */
export async function lateReply(kit: Kit, cluster: Cluster, topic: string): Promise<void> {
  const { requester, replier } = await pair(kit, kit, cluster, topic, { late: 3_000 });
  const refusal = await requester.refused({ topic, prefix: 'late', timeout: 1_000 });
  assert.match(refusal.message, /timeout/i);
  await replier.until('replied', 1);
  await Promise.all([requester.end(), replier.stop()]);
}

/** The requester is gone before the reply: who replies hears that nobody is there. */
export async function requesterGone(kit: Kit, cluster: Cluster, topic: string): Promise<void> {
  const { requester, replier } = await pair(kit, kit, cluster, topic, { late: 2_000 });
  const asked = requester.refused({ topic, prefix: 'gone', timeout: 20_000 }).catch(() => undefined);
  await replier.until('asked', 1);
  await requester.program.kill();
  await asked;
  await replier.until('reply-failed', 1);
  const error = replier.events('reply-failed')[0]?.['error'] as Refusal;
  // The Java client says no more than the code.
  if (kit.name.startsWith('Java')) assert.is(error.code, SYSTEM_ERROR);
  else assert.match(error.message, /push reply message fail, channel of <.+> not found/);
  await replier.stop();
}
