/** What network threads ask and tell control besides whole requests. */

import { newSubscription } from '../../clients/subscription.ts';
import { isLiteQueue } from '../../lib/lite-names.ts';
import { isNotSendableTopic, isRetryTopic } from '../../lib/names.ts';
import { RequestCode, ResponseCode, requestName } from '../../protocol/codes.ts';
import { RequestError } from '../../protocol/request-fields.ts';
import type { QueueIds } from '../../store/queue/queue-ids.ts';
import type { BrokerStats } from '../stats/broker-stats.ts';
import type { Given } from '../stats/given.ts';
import type { Tables } from '../tables.ts';
import type { Delta, EnsureGroup, EnsureTopic, PulledSubscription } from '../view/deltas.ts';

export interface RequestLookups {
  /** Name of the group that progress records call `id`. */
  groupName: (id: number) => string | undefined;
  /** Resolves when nothing of a deleted topic of this name is left to wait for. */
  topicSettled: (topic: string) => Promise<void>;
  /** Keeps a topic from the network threads until the result is called. */
  holdBack: (topic: string) => () => void;
}

export class Requests {
  readonly #tables: Tables;
  readonly #ids: QueueIds;
  readonly #stats: BrokerStats;
  readonly #lookups: RequestLookups;

  constructor(tables: Tables, ids: QueueIds, stats: BrokerStats, lookups: RequestLookups) {
    this.#tables = tables;
    this.#ids = ids;
    this.#stats = stats;
    this.#lookups = lookups;
  }

  /** Progress of a consumer, told with its pull; offsets are -1 when there is none. */
  progress(groupId: number, queue: number, commitOffset: number, pullOffset: number): void {
    const group = this.#lookups.groupName(groupId);
    const name = this.#ids.nameOf(queue);
    if (group === undefined || name === undefined) return;
    const { offsets } = this.#tables;
    const { topic, queueId } = name;
    if (commitOffset >= 0 && !offsets.hasReset(group, topic, queueId)) {
      offsets.commit(group, topic, queueId, commitOffset);
    }
    if (pullOffset < 0) return;
    offsets.commitPull(group, topic, queueId, pullOffset);
  }

  /** What a network thread has given to consumers. */
  given(given: readonly Given[]): void {
    for (const one of given) this.#stats.given(one);
  }

  /** Makes a topic or group on behalf of a client; answers when it is there, or why it will not be. */
  ensure(what: EnsureTopic | EnsureGroup, reply: (delta: Delta) => void): void {
    const answer = (code: number, remark: string) =>
      reply({ kind: 'ensured', what: what.what, name: what.name, code, remark });
    try {
      this.#ensure(what, answer);
    } catch (error) {
      const code = error instanceof RequestError ? error.code : ResponseCode.SYSTEM_ERROR;
      answer(code, error instanceof Error ? error.message : String(error));
    }
  }

  #ensure(what: EnsureTopic | EnsureGroup, answer: (code: number, remark: string) => void): void {
    if (what.what === 'group') {
      const by = { client: what.remoteAddress, request: requestName(RequestCode.PULL_MESSAGE) };
      const group = this.#tables.groups.findOrCreate(what.name, by);
      if (group !== undefined) answer(ResponseCode.SUCCESS, '');
      else
        answer(ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST, `subscription group [${what.name}] does not exist`);
      return;
    }
    if (isLiteQueue(what.name)) {
      this.#ensureLite(what.name, answer);
      return;
    }
    if (isNotSendableTopic(what.name)) {
      answer(ResponseCode.NO_PERMISSION, `Sending message to topic[${what.name}] is forbidden.`);
      return;
    }
    // A message must not be acknowledged in a topic that a crash would forget, by whatever thread, nor be mistaken for
    // one of a deleted topic of the same name.
    const announce = this.#lookups.holdBack(what.name);
    let created = false;
    try {
      created = this.#createTopic(what);
    } finally {
      if (!created) announce();
    }
    if (!created) {
      answer(ResponseCode.TOPIC_NOT_EXIST, `topic[${what.name}] not exist, apply first please!`);
      return;
    }
    const saved = this.#tables.topics.saved().finally(announce);
    Promise.all([saved, this.#lookups.topicSettled(what.name)]).then(
      () => answer(ResponseCode.SUCCESS, ''),
      (error: Error) => answer(ResponseCode.SYSTEM_ERROR, `the topic cannot be saved: ${error.message}`),
    );
  }

  /** It is in no file: its queue's folder says that it is there. */
  #ensureLite(queue: string, answer: (code: number, remark: string) => void): void {
    this.#tables.lites.ensure(queue);
    this.#lookups.topicSettled(queue).then(
      () => answer(ResponseCode.SUCCESS, ''),
      (error: Error) => answer(ResponseCode.SYSTEM_ERROR, error.message),
    );
  }

  #createTopic(what: EnsureTopic): boolean {
    const { topics } = this.#tables;
    const by = { client: what.remoteAddress, request: requestName(RequestCode.SEND_MESSAGE) };
    if (isRetryTopic(what.name)) {
      topics.createInternal(what.name, 1, by);
      return true;
    }
    const created = topics.createForSend({
      topic: what.name,
      defaultTopic: what.defaultTopic,
      queueNums: what.defaultTopicQueueNums,
      topicSysFlag: what.topicSysFlag,
      by,
    });
    return created !== undefined;
  }

  /** A consumer pulls with a subscription text of its own: counts as subscribed. */
  subscription({ group, topic, expression, expressionType, subVersion }: PulledSubscription): void {
    const subscription = newSubscription(topic, expression, expressionType, BigInt(Math.trunc(subVersion)));
    this.#tables.clients.consumers.offline.note(group, subscription);
  }
}
