/**
 * A member of a group of consumers, as RocketMQ's own clients are one: it says so by heartbeats, shares the queues out
 * with the other members by the rule that they all follow, and commits what it has printed.
 */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { DLQ_PREFIX, groupNameProblem, retryTopicOf } from '../../lib/names.ts';
import { UserError } from '../../lib/user-error.ts';
import { RequestCode, ResponseCode } from '../../protocol/codes.ts';
import { asArray } from '../../protocol/json-fields.ts';
import { type ConsumeFlags, expressionOf, formOf, limitOf, printMessage } from './consume.ts';
import { popRetryTopicsOf } from './dead-letters.ts';
import { Failure } from './failure.ts';
import { unlessStopped } from './follow.ts';
import { groupOfDerivedTopic, membersOf } from './groups.ts';
import { committedOffset } from './lag.ts';
import type { OnlineFlags } from './online.ts';
import { note } from './output.ts';
import { ALL, type Expression, endsOf, type LocatedMessage, pull } from './queue-reads.ts';
import { type Queue, READABLE, readableQueues, requireRoute, routeOf } from './routes.ts';
import { compare, objectOf, type Servers } from './servers.ts';
import { shareOf } from './share.ts';
import { pause, untilStopped } from './stopping.ts';
import { now } from './times.ts';
import { topicConfig } from './topic-configs.ts';

const ROUND_MS = 2_000;
const WAIT_MS = 5_000;
const AT_ONCE = 16;

export async function consumeInGroup(
  servers: Servers,
  topic: string,
  group: string,
  flags: ConsumeFlags & OnlineFlags,
): Promise<void> {
  const problem = groupNameProblem(group);
  if (problem !== undefined) throw new UserError(problem);
  requireOrdinary(topic, group);
  formOf(flags);
  await tellOfPops(servers, topic, group);
  const member = new GroupMember(servers, topic, group, flags);
  await member.run();
}

/** Its own retry topic a member reads anyway, and what it gives up of its dead letters would be there again. */
function requireOrdinary(topic: string, group: string): void {
  const owner = groupOfDerivedTopic(group);
  if (owner !== undefined)
    throw new UserError(`${group} is the name of a topic: give the group itself, ${owner}.`);
  if (groupOfDerivedTopic(topic) !== group) return;
  const instead = topic.startsWith(DLQ_PREFIX)
    ? `"ringmq dlq resend ${group}" gives them to it again`
    : `it gets them beside those of each topic that it consumes`;
  throw new UserError(
    `${topic} has messages of group ${group} itself: ${instead}. Without --group they are shown, and nothing changes.`,
  );
}

/** Pulls and pops of one group go by the same offsets; what was popped comes again in a topic that only pops read. */
async function tellOfPops(servers: Servers, topic: string, group: string): Promise<void> {
  for (const { broker, address } of await requireRoute(servers, topic))
    for (const retryTopic of popRetryTopicsOf(topic, group))
      if ((await topicConfig(servers, address, retryTopic)) !== undefined)
        return note(
          `Group ${group} has popped from ${topic} on ${broker}: what comes again of that lies in ${retryTopic}, which is not read here.`,
        );
}

interface Reader {
  readonly queue: Queue;
  readonly ended: AbortController;
  done: Promise<void>;
  /** Where the group goes on when this reader has ended. */
  next: number;
}

class GroupMember {
  readonly #servers: Servers;
  readonly #topic: string;
  readonly #group: string;
  readonly #flags: ConsumeFlags & OnlineFlags;
  readonly #expression: Expression;
  readonly #clientId =
    `${hostname().replaceAll(/[^\w.-]/g, '_')}@${process.pid}#${randomBytes(3).toString('hex')}`;
  readonly #stopped = untilStopped();
  readonly #enough = new AbortController();
  readonly #readers = new Map<string, Reader>();
  readonly #most: number;
  /** Queues that have been read to where they ended when this member got them. */
  readonly #ended = new Set<string>();
  /** Queues have been shared out, so it is known which there are to read to their end. */
  #isShared = false;
  #printed = 0;
  #failure: unknown;
  #brokers: string[] = [];

  constructor(servers: Servers, topic: string, group: string, flags: ConsumeFlags & OnlineFlags) {
    this.#servers = servers;
    this.#topic = topic;
    this.#group = group;
    this.#flags = flags;
    this.#expression = expressionOf(flags) ?? ALL;
    this.#most = limitOf(flags);
    this.#stopped.addEventListener('abort', () => this.#enough.abort());
  }

  async run(): Promise<void> {
    try {
      this.#brokers = (await requireRoute(this.#servers, this.#topic)).map(({ address }) => address);
      await this.#requireSameSubscription();
      while (!this.#enough.signal.aborted) {
        await this.#heartbeat();
        await this.#share();
        await pause(ROUND_MS, this.#enough.signal);
      }
    } finally {
      await this.#leave();
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Members of a group must be subscribed to the same: otherwise they take each other's subscriptions away. */
  async #requireSameSubscription(): Promise<void> {
    for (const address of this.#brokers) {
      const { members, subscriptions } = await membersOf(this.#servers, address, this.#group);
      if (members.length === 0) continue;
      const others = [...subscriptions].filter(([topic]) => topic !== retryTopicOf(this.#group));
      const isSame =
        others.length === 1 && others[0]?.[0] === this.#topic && others[0][1] === this.#expression.text;
      if (isSame) continue;
      const theirs = others.map(([topic, text]) => `${topic} (${text})`).join(', ');
      throw new Failure(
        `Group ${this.#group} has members online that are subscribed to ${theirs}: one that wants ${this.#topic} (${this.#expression.text}) would take that from them. Use another group, or none.`,
      );
    }
  }

  async #heartbeat(): Promise<void> {
    const subscription = (topic: string, { text, type }: Expression) => ({
      classFilterMode: false,
      topic,
      subString: text,
      tagsSet: type === 'TAG' && text !== '*' ? text.split('||').map((tag) => tag.trim()) : [],
      codeSet: [],
      subVersion: now(),
      expressionType: type,
    });
    const consumer = {
      groupName: this.#group,
      consumeType: 'CONSUME_PASSIVELY',
      messageModel: 'CLUSTERING',
      consumeFromWhere: 'CONSUME_FROM_LAST_OFFSET',
      subscriptionDataSet: [
        subscription(this.#topic, this.#expression),
        subscription(retryTopicOf(this.#group), ALL),
      ],
      unitMode: false,
    };
    const heartbeat = { clientID: this.#clientId, producerDataSet: [], consumerDataSet: [consumer] };
    for (const address of this.#brokers)
      await this.#servers.ask(address, {
        code: RequestCode.HEART_BEAT,
        body: Buffer.from(JSON.stringify(heartbeat)),
        to: `take a member into group ${this.#group}`,
      });
  }

  /** Begins with what this member has got, and gives up what it has lost. */
  async #share(): Promise<void> {
    const wanted = new Map<string, Queue>();
    for (const topic of [this.#topic, retryTopicOf(this.#group)]) {
      const parts =
        topic === this.#topic
          ? await requireRoute(this.#servers, topic)
          : await routeOf(this.#servers, topic);
      const queues = readableQueues(
        topic,
        (parts ?? []).filter(({ perm }) => (perm & READABLE) !== 0),
      );
      for (const queue of shareOf(queues, await this.#memberIds(), this.#clientId))
        wanted.set(keyOf(queue), queue);
    }
    for (const [key, reader] of this.#readers) {
      if (wanted.has(key)) continue;
      this.#readers.delete(key);
      await this.#giveUp(reader);
    }
    for (const [key, queue] of wanted) if (!this.#readers.has(key)) await this.#begin(key, queue);
    this.#isShared ||= wanted.size > 0;
    this.#endIfRead();
  }

  async #memberIds(): Promise<string[]> {
    const [address = ''] = this.#brokers;
    const { body } = await this.#servers.ask(address, {
      code: RequestCode.GET_CONSUMER_LIST_BY_GROUP,
      fields: { consumerGroup: this.#group },
      to: `tell who is in group ${this.#group}`,
      accept: [ResponseCode.SYSTEM_ERROR],
    });
    return asArray(objectOf(body)['consumerIdList']).map(String).sort(compare);
  }

  async #begin(key: string, queue: Queue): Promise<void> {
    const { address } = queue;
    const ends = await endsOf(this.#servers, queue);
    // A group that is new begins with what is there.
    const next = Math.max(
      ends.min,
      (await committedOffset(this.#servers, address, this.#group, queue)) ?? ends.min,
    );
    const reader: Reader = { queue, ended: new AbortController(), done: Promise.resolve(), next };
    this.#readers.set(key, reader);
    reader.done = this.#read(key, reader, ends.max).catch((error) => {
      this.#failure ??= error;
      this.#enough.abort();
    });
  }

  async #read(key: string, reader: Reader, end: number): Promise<void> {
    const stopped = AbortSignal.any([reader.ended.signal, this.#enough.signal]);
    const { queue } = reader;
    const expression = queue.topic === this.#topic ? this.#expression : ALL;
    while (!stopped.aborted) {
      if (reader.next >= end) this.#reachedEnd(key);
      if (stopped.aborted) return;
      const asked = pull(this.#servers, queue, {
        offset: reader.next,
        count: AT_ONCE,
        group: this.#group,
        expression,
        waitMs: WAIT_MS,
      });
      const pulled = await unlessStopped(asked, stopped);
      if (pulled === undefined) return;
      for (const message of pulled.messages) {
        if (stopped.aborted) break;
        await this.#take(message);
        reader.next = message.queueOffset + 1;
      }
      if (!stopped.aborted) reader.next = pulled.next;
      await this.#commit(reader);
    }
  }

  #reachedEnd(key: string): void {
    this.#ended.add(key);
    this.#endIfRead();
  }

  #endIfRead(): void {
    if (this.#flags.untilEnd !== true || !this.#isShared) return;
    if ([...this.#readers.keys()].every((key) => this.#ended.has(key))) this.#enough.abort();
  }

  async #take(message: LocatedMessage): Promise<void> {
    this.#printed++;
    if (this.#printed >= this.#most) this.#enough.abort();
    await printMessage(message, this.#flags, this.#brokers.length);
  }

  async #commit({ queue, next }: Reader): Promise<void> {
    await this.#servers.ask(queue.address, {
      code: RequestCode.UPDATE_CONSUMER_OFFSET,
      fields: { consumerGroup: this.#group, topic: queue.topic, queueId: queue.queueId, commitOffset: next },
      to: `commit an offset of ${this.#group}`,
    });
  }

  async #giveUp(reader: Reader): Promise<void> {
    reader.ended.abort();
    await reader.done;
    await this.#commit(reader);
  }

  async #leave(): Promise<void> {
    this.#enough.abort();
    try {
      for (const reader of this.#readers.values()) await this.#giveUp(reader);
      for (const address of this.#brokers)
        await this.#servers.ask(address, {
          code: RequestCode.UNREGISTER_CLIENT,
          fields: { clientID: this.#clientId, consumerGroup: this.#group },
          to: `let a member of group ${this.#group} go`,
        });
    } catch (error) {
      note(`Not all was committed: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

function keyOf({ topic, broker, queueId }: Queue): string {
  return `${topic}\n${broker}\n${queueId}`;
}
