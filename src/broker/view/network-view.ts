/** A network thread's own tables of topics, groups and consumers: filled by deltas, read per request. */
import { TagSet } from '../../clients/tag-set.ts';
import { BytesMap } from '../../lib/bytes-map.ts';
import { isLiteQueue } from '../../lib/lite-names.ts';
import { isNotSendableTopic, isRetryTopic } from '../../lib/names.ts';
import type { FieldTable } from '../../protocol/field-table.ts';
import type { ReaderQueue, TagFilter } from '../../store/read/pull-reader.ts';
import type {
  ConsumersDelta,
  Delta,
  ForbiddenDelta,
  GroupDelta,
  ResetDelta,
  SettingsDelta,
  TopicDelta,
} from './deltas.ts';

export interface TopicView {
  readonly name: string;
  /** The name's. */
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly perm: number;
  readonly order: boolean;
  readonly readQueueNums: number;
  readonly writeQueueNums: number;
  /** Its queues stand for priorities. */
  readonly priority: boolean;
  /** It has lite topics below it. */
  readonly lite: boolean;
  readonly queues: readonly ReaderQueue[];
  /** What becomes of a send: control decides where one to a retry topic goes. */
  readonly sends: 'plain' | 'retry' | 'forbidden';
}

export interface SubscriptionFilter {
  readonly subVersion: number;
  /** TAG, SQL92, or what a client has made up. */
  readonly type: string;
  /** Of other types than TAG. */
  readonly expression: string;
  /** Of TAG; undefined = every message. */
  readonly filter: TagFilter | undefined;
}

export interface ConsumersView {
  readonly broadcasting: boolean;
  readonly subscriptions: ReadonlyMap<string, SubscriptionFilter>;
}

export class GroupView {
  readonly config: GroupDelta;
  consumers: ConsumersView | undefined;
  /** Offsets set by an operator, by `topic@queueId`: the next pull starts there. */
  readonly resets = new Map<string, number>();
  /** Topics that it may not read. */
  readonly forbidden: Set<string>;

  constructor(config: GroupDelta, previous: GroupView | undefined) {
    this.config = config;
    this.forbidden = new Set(config.forbidden);
    this.consumers = previous?.consumers;
    for (const [key, offset] of previous?.resets ?? []) this.resets.set(key, offset);
  }
}

/** What `map` has under the name that a request's field holds; built as a string only when it came with escapes. */
export function lookUp<V>(map: BytesMap<V>, table: FieldTable, field: number): V | undefined {
  if (table.isEscaped(field)) return map.getByName(table.text(field));
  return map.get(table.bytes, table.valueStart(field), table.valueLength[field] as number);
}

/** Until control has told the first settings, which it does before any client is let in. */
const UNTOLD: SettingsDelta = {
  kind: 'settings',
  brokerPermission: 6,
  enablePropertyFilter: false,
  coldReads: { watched: false, all: false, groups: [] },
  readAhead: true,
  readElsewhere: false,
  inMemoryPercent: 40,
  elsewhere: { slavesRead: true, slaveIsNear: false, masterIsThere: false },
  acts: false,
  traceOn: true,
  waiting: {
    maxDelayLevel: 18,
    rejectTransactionMessage: false,
    timerWheelEnable: true,
    timerMaxDelaySec: 0,
    timerPrecisionMs: 1_000,
    brokerIp: '',
  },
  writable: true,
  notWritableRemark: '',
};

export class NetworkView {
  readonly topics = new BytesMap<TopicView>();
  readonly groups = new BytesMap<GroupView>();
  settings = UNTOLD;
  readonly #openQueue: (topic: string, queueId: number, id: number) => ReaderQueue;

  /** `openQueue` makes the reader of a queue. */
  constructor(openQueue: (topic: string, queueId: number, id: number) => ReaderQueue) {
    this.#openQueue = openQueue;
  }

  apply(delta: Delta): void {
    switch (delta.kind) {
      case 'topic':
        this.#applyTopic(delta);
        break;
      case 'topicDeleted':
        for (const queue of this.topics.getByName(delta.name)?.queues ?? []) queue.files.close();
        this.topics.delete(delta.name);
        break;
      case 'group':
        this.groups.set(delta.name, new GroupView(delta, this.groups.getByName(delta.name)));
        break;
      case 'forbidden':
        this.#applyForbidden(delta);
        break;
      case 'groupDeleted':
        this.groups.delete(delta.name);
        break;
      case 'consumers':
        this.#applyConsumers(delta);
        break;
      case 'reset':
        this.#applyReset(delta);
        break;
      case 'settings':
        this.settings = delta;
        break;
      case 'ensured':
        break;
    }
  }

  #applyTopic(delta: TopicDelta): void {
    const known = this.topics.getByName(delta.name);
    const queues = delta.queues.map((id, queueId) => {
      const queue = known?.queues[queueId];
      return queue !== undefined && queue.id === id ? queue : this.#openQueue(delta.name, queueId, id);
    });
    const bytes = Buffer.from(delta.name);
    this.topics.set(delta.name, {
      name: delta.name,
      bytes,
      view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length),
      perm: delta.perm,
      order: delta.order,
      readQueueNums: delta.readQueueNums,
      writeQueueNums: delta.writeQueueNums,
      priority: delta.priority,
      lite: delta.lite,
      queues,
      sends:
        isNotSendableTopic(delta.name) || isLiteQueue(delta.name)
          ? 'forbidden'
          : isRetryTopic(delta.name)
            ? 'retry'
            : 'plain',
    });
  }

  #applyForbidden({ group, topic, forbidden }: ForbiddenDelta): void {
    const topics = this.groups.getByName(group)?.forbidden;
    if (forbidden) topics?.add(topic);
    else topics?.delete(topic);
  }

  #applyReset({ group, topic, queueId, offset }: ResetDelta): void {
    const resets = this.groups.getByName(group)?.resets;
    if (offset === undefined) resets?.delete(`${topic}@${queueId}`);
    else resets?.set(`${topic}@${queueId}`, offset);
  }

  #applyConsumers(delta: ConsumersDelta): void {
    const group = this.groups.getByName(delta.group);
    if (group === undefined) return;
    if (delta.messageModel === undefined) {
      group.consumers = undefined;
      return;
    }
    const subscriptions = new Map<string, SubscriptionFilter>();
    for (const { topic, subVersion, expressionType, expression = '', codes } of delta.subscriptions) {
      subscriptions.set(topic, {
        subVersion,
        type: expressionType,
        expression,
        filter: codes === undefined ? undefined : new TagSet(codes),
      });
    }
    group.consumers = { broadcasting: delta.messageModel === 'BROADCASTING', subscriptions };
  }
}
