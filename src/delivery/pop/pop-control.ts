/** Control's end of pops: says where groups stand, makes retry topics, and keeps what the owner tells in its tables. */
import { MAX_QUEUES_PER_TOPIC } from '../../lib/limits.ts';
import { SYSTEM_GROUP_PREFIX, TIMER_TOPIC } from '../../lib/names.ts';
import type { GroupTable } from '../../metadata/groups.ts';
import type { LiteTopics } from '../../metadata/lite-topics.ts';
import type { OffsetTable } from '../../metadata/offsets.ts';
import type { OrderInfos } from '../../metadata/order-infos.ts';
import type { BrokerSettings } from '../../metadata/settings.ts';
import { reviveTopicOf } from '../../metadata/system-topics.ts';
import type { TopicTable } from '../../metadata/topics.ts';
import { RequestError } from '../../protocol/request-fields.ts';
import type { RocketJson } from '../../protocol/rocketmq-json.ts';
import { type LiteAsk, type LiteFigures, NO_LITE_FIGURES } from '../lite/lite-figures.ts';
import { ORDER_JOURNAL_TOPIC } from './order-journal.ts';
import type { PopSettings } from './pop-context.ts';
import type { PopAsk, PopStart, PopTold } from './pop-link.ts';
import type { PopProgress } from './pop-progress.ts';

/** RocketMQ keeps the progress of its revive topic as offsets of this group; RingMQ that of the timer topic, too. */
export const REVIVE_GROUP = `${SYSTEM_GROUP_PREFIX}REVIVE_GROUP`;

export interface PopTables {
  settings: BrokerSettings;
  offsets: OffsetTable;
  orders: OrderInfos;
  topics: TopicTable;
  lites: LiteTopics;
  groups: GroupTable;
}

/**
 * Saves what ordered groups have out, and then says how far the journal is in that: a start reads it from there on, so
 * that must not be said before.
 */
export async function saveOrders({ orders, offsets }: Pick<PopTables, 'orders' | 'offsets'>): Promise<void> {
  const { journaled } = orders;
  orders.persist();
  await orders.saved();
  if (journaled > 0 && journaled !== offsets.query(REVIVE_GROUP, ORDER_JOURNAL_TOPIC, 0))
    offsets.commit(REVIVE_GROUP, ORDER_JOURNAL_TOPIC, 0, journaled);
}

export class PopControl {
  readonly #tables: PopTables;
  readonly #tell: (told: PopTold) => void;
  /** Who waits for figures of lite topics, by number. */
  readonly #asking = new Map<number, (figures: LiteFigures) => void>();
  #lastAsk = 0;
  /** Of topics and groups, since the process began. */
  #deletions = 0;
  /** By name: the last deletion of which the owner has not said yet that it has heard of it. */
  readonly #deletedTopics = new Map<string, number>();
  readonly #deletedGroups = new Map<string, number>();

  /** `tell` reaches the owner, if it has been started. */
  constructor(tables: PopTables, tell: (told: PopTold) => void) {
    this.#tables = tables;
    this.#tell = tell;
    const { offsets } = tables;
    offsets.poppedSet.add(({ topic, group, queueId, offset }) => {
      // No pull will ever hear of the reset.
      offsets.takeReset(group, topic, queueId);
      tell({ what: 'set', topic, group, queueId, offset });
    });
  }

  get settings(): PopSettings {
    const { popPollingSize, maxPopPollingSize, popFromRetryProbability } = this.#tables.settings;
    const { popFromRetryProbabilityForPriority, priorityOrderAsc, maxLiteSubscriptionCount } =
      this.#tables.settings;
    return {
      ...{ popPollingSize, maxPopPollingSize, popFromRetryProbability },
      ...{ popFromRetryProbabilityForPriority, priorityOrderAsc, maxLiteSubscriptionCount },
    };
  }

  /**
   * Resolves when a process that follows will find the checkpoints of this one, however this one ends: it looks for
   * them from the saved offset on, which a store that has not been popped yet does not have. `end`: of the timer topic.
   */
  async prepare(end: number): Promise<void> {
    const { offsets } = this.#tables;
    if (offsets.query(REVIVE_GROUP, TIMER_TOPIC, 0) >= 0) return;
    offsets.commit(REVIVE_GROUP, TIMER_TOPIC, 0, end);
    offsets.persist();
    // What cannot be saved is told of, and tried again, by the upkeep of the tables.
    await offsets.saved().catch(() => {});
  }

  get start(): PopStart {
    // An owner that begins now has heard of nothing that is over.
    this.#deletedTopics.clear();
    this.#deletedGroups.clear();
    const { settings, offsets, orders } = this.#tables;
    const reviveTopic = reviveTopicOf(settings.brokerClusterName);
    const { reviveQueueNum } = settings;
    // What is in queues that pops do not use any more is followed to its end.
    const used = [...(offsets.queuesOf(REVIVE_GROUP, reviveTopic)?.keys() ?? [])];
    const length = Math.min(Math.max(reviveQueueNum, ...used.map((id) => id + 1)), MAX_QUEUES_PER_TOPIC);
    const revive = Array.from({ length }, (_, queueId) => offsets.query(REVIVE_GROUP, reviveTopic, queueId));
    return {
      reviveTopic,
      brokerName: settings.brokerName,
      scanned: offsets.query(REVIVE_GROUP, TIMER_TOPIC, 0),
      deletions: this.#deletions,
      journaled: Math.max(0, offsets.query(REVIVE_GROUP, ORDER_JOURNAL_TOPIC, 0)),
      ...{ revive, reviveQueueNum },
      orders: [...orders.entries()],
    };
  }

  /** Whether something in the revive queue that ends there may not be done. */
  waits(queueId: number, end: number): boolean {
    const { settings, offsets } = this.#tables;
    const reviveTopic = reviveTopicOf(settings.brokerClusterName);
    return end > offsets.query(REVIVE_GROUP, reviveTopic, queueId) + 1;
  }

  /** The owner must have been started. */
  askLite(ask: LiteAsk): Promise<LiteFigures> {
    this.#lastAsk += 1;
    const id = this.#lastAsk;
    return new Promise((resolve) => {
      this.#asking.set(id, resolve);
      this.#tell({ what: 'liteAsk', id, ask });
    });
  }

  #liteTold(id: number, figures: LiteFigures): void {
    this.#asking.get(id)?.(figures);
    this.#asking.delete(id);
  }

  /** The owner answers no more. */
  ownerEnds(): void {
    for (const id of this.#asking.keys()) this.#liteTold(id, NO_LITE_FIGURES);
  }

  /** It has ended, and another one may begin: the offsets of groups are nobody's meanwhile. */
  ownerHasEnded(): void {
    this.#tables.offsets.endAllPops();
  }

  readonly asked = (ask: PopAsk): void => {
    if (ask.what === 'liteFigures') {
      this.#liteTold(ask.id, ask.figures);
      return;
    }
    if (ask.what === 'orderJournal') {
      this.#makeTopic(ORDER_JOURNAL_TOPIC);
      return;
    }
    const { topic, group } = ask;
    if (ask.what === 'idle') this.#tables.offsets.endPop(group, topic);
    else if (ask.what === 'offsets') {
      const { offsets } = this.#tables;
      const told = offsets.beginPops(group, topic);
      const goneOn = offsets.goneOn(group, topic);
      this.#tell({ what: 'offsets', topic, group, offsets: told, goneOn });
    } else if (!this.#makeRetryTopic(ask.retryTopic, topic, group)) {
      this.#tell({ what: 'noRetryTopic', retryTopic: ask.retryTopic });
    }
  };

  /** False: nobody is to get what was popped. */
  #makeRetryTopic(retryTopic: string, topic: string, group: string): boolean {
    const { topics, groups, offsets } = this.#tables;
    if (topics.get(topic) === undefined || !groups.has(group)) return false;
    if (!this.#makeTopic(retryTopic)) return true;
    if (offsets.query(group, retryTopic, 0) < 0) offsets.commitPopped(group, retryTopic, 0, 0);
    return true;
  }

  /** False: there is no room for another topic now, and it is asked for again. */
  #makeTopic(topic: string): boolean {
    try {
      this.#tables.topics.createInternal(topic, 1);
      return true;
    } catch (error) {
      if (error instanceof RequestError) return false;
      throw error;
    }
  }

  /** The same on a slave that acts for its master. */
  noteActing(progress: PopProgress): void {
    this.note(progress);
    for (const [topic, group, queueId] of progress.offsets)
      this.#tables.offsets.hasGoneOn(group, topic, queueId);
  }

  note({ deletions, offsets, orders, scanned, journaled, revive }: PopProgress): void {
    const { settings, offsets: table, orders: infos, topics, lites, groups } = this.#tables;
    const isOld = (topic: string, group: string) =>
      (this.#deletedTopics.get(topic) ?? 0) > deletions || (this.#deletedGroups.get(group) ?? 0) > deletions;
    const exists = (topic: string, group: string) =>
      (topics.has(topic) || lites.has(topic)) && groups.has(group) && !isOld(topic, group);
    for (const [topic, group, queueId, offset] of offsets)
      if (exists(topic, group)) table.commitPopped(group, topic, queueId, offset);
    for (const [topic, group, queueId, order] of orders)
      if (exists(topic, group)) infos.set(topic, group, queueId, order as RocketJson);
    if (scanned >= 0) table.commit(REVIVE_GROUP, TIMER_TOPIC, 0, scanned);
    infos.journaled = journaled;
    const reviveTopic = reviveTopicOf(settings.brokerClusterName);
    for (const [queueId, done] of revive.entries())
      if (done >= 0) table.commit(REVIVE_GROUP, reviveTopic, queueId, done);
    for (const deleted of [this.#deletedTopics, this.#deletedGroups])
      for (const [name, deletion] of deleted) if (deletion <= deletions) deleted.delete(name);
  }

  groupDeleted(group: string): void {
    this.#deletedGroups.set(group, ++this.#deletions);
    this.#tables.orders.removeGroup(group);
    this.#tables.offsets.endPops(group);
    this.#tell({ what: 'groupDeleted', group });
  }

  topicDeleted(topic: string): void {
    this.#deletedTopics.set(topic, ++this.#deletions);
    this.#tables.orders.removeTopic(topic);
    this.#tell({ what: 'topicDeleted', topic });
  }
}
