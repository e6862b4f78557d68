/** A broker context of real tables and a store in memory, with helpers to ask its handlers. */

import { ColdReads } from '../../../src/broker/cold/cold-reads.ts';
import type { BrokerContext } from '../../../src/broker/context.ts';
import { createHandlers } from '../../../src/broker/handlers.ts';
import { KeyQueries } from '../../../src/broker/query/key-queries.ts';
import { ReplyPushes } from '../../../src/broker/reply/reply-pushes.ts';
import type { RefusedSend } from '../../../src/broker/send/refused-sends.ts';
import { StatsTable } from '../../../src/broker/stats/stats.ts';
import { ClientTable } from '../../../src/clients/clients.ts';
import { QueueLocks } from '../../../src/clients/queue-locks.ts';
import { ActedTimers } from '../../../src/delivery/acting/acted-timers.ts';
import { DelayLevels } from '../../../src/delivery/delay/levels.ts';
import { NO_LITE_FIGURES } from '../../../src/delivery/lite/lite-figures.ts';
import { ByteBudget } from '../../../src/lib/byte-budget.ts';
import { writeInt64 } from '../../../src/lib/int64.ts';
import { MAX_SEND_BACK_BYTES } from '../../../src/lib/limits.ts';
import { Listeners } from '../../../src/lib/listeners.ts';
import { noLog } from '../../../src/lib/log.ts';
import { ConsumerFilters } from '../../../src/metadata/consumer-filters.ts';
import { DelayOffsets } from '../../../src/metadata/delay-offsets.ts';
import { GroupTable } from '../../../src/metadata/groups.ts';
import { LiteTopics } from '../../../src/metadata/lite-topics.ts';
import { OffsetTable } from '../../../src/metadata/offsets.ts';
import { OrderInfos } from '../../../src/metadata/order-infos.ts';
import { RequestModes } from '../../../src/metadata/request-modes.ts';
import type { BrokerSettings } from '../../../src/metadata/settings.ts';
import { TopicTable } from '../../../src/metadata/topics.ts';
import { FLAG_ONEWAY, type RemotingCommand, requestCommand } from '../../../src/protocol/command.ts';
import { parseRocketJson, type RocketJsonObject } from '../../../src/protocol/rocketmq-json.ts';
import { encodeRecord } from '../../../src/record/encode.ts';
import { PHYSICAL_OFFSET, QUEUE_OFFSET } from '../../../src/record/layout.ts';
import { encodeProperties } from '../../../src/record/properties.ts';
import { storeTimestampOffset, sysFlagOf } from '../../../src/record/view.ts';
import { TopicRoutes } from '../../../src/remoting/topic-routes.ts';
import type { ReplicationStatus } from '../../../src/replication/status.ts';
import type { BeginPut, InternalMessage, PutResult } from '../../../src/store/put/put-message.ts';
import type { FoundRecords, KeyQuery } from '../../../src/store/read/key-query.ts';
import type { QueueEntry, StoreReads } from '../../../src/store/read/store-reads.ts';
import {
  FakeConnection,
  FakeTime,
  silentLog,
  temporaryDirectory,
  testSettings,
} from '../metadata/support.ts';

export const STORE_HOST = { address: Uint8Array.of(10, 1, 1, 1), port: 10911 };
const BORN_HOST = { address: Uint8Array.of(10, 2, 2, 2), port: 5000 };

export function message(changes: Partial<InternalMessage> = {}): InternalMessage {
  return {
    topic: 't',
    queueId: 0,
    body: Buffer.from('body'),
    properties: new Map(),
    flag: 0,
    sysFlag: 0,
    bornTimestamp: 1,
    bornHost: BORN_HOST,
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    ...changes,
  };
}

interface Stored {
  entry: QueueEntry;
  record: Uint8Array;
  storeTime: number;
}

export class FakeStore implements StoreReads {
  minPhysicalOffset = 0;
  maxPhysicalOffset = 0;
  newestStoreTime = 0;
  /** First offset that was not deleted, by queue. */
  readonly minimum = new Map<string, number>();
  found: FoundRecords = {
    records: new Uint8Array(0),
    indexLastUpdateTimestamp: 3,
    indexLastUpdatePhyoffset: 4,
  };
  readonly queries: KeyQuery[] = [];
  readonly #queues = new Map<string, Stored[]>();
  /** By position in the log. */
  readonly #records = new Map<number, Stored>();

  append(put: InternalMessage, storeTime: number, tagsCode = 0n): Stored {
    const key = `${put.topic}/${put.queueId}`;
    const queue = this.#queues.get(key) ?? [];
    this.#queues.set(key, queue);
    const record = encodeRecord(
      { ...put, storeHost: STORE_HOST },
      Buffer.from(put.topic),
      put.body,
      Buffer.from(encodeProperties(put.properties)),
    );
    const view = new DataView(record.buffer);
    writeInt64(view, QUEUE_OFFSET, queue.length);
    writeInt64(view, PHYSICAL_OFFSET, this.maxPhysicalOffset);
    writeInt64(view, storeTimestampOffset(sysFlagOf(view, 0)), storeTime);
    const entry = {
      queueOffset: queue.length,
      physicalOffset: this.maxPhysicalOffset,
      size: record.length,
      tagsCode,
    };
    this.maxPhysicalOffset += record.length;
    const stored = { entry, record, storeTime };
    queue.push(stored);
    this.#records.set(entry.physicalOffset, stored);
    return stored;
  }

  minOffset(topic: string, queueId: number): number {
    return this.minimum.get(`${topic}/${queueId}`) ?? 0;
  }

  maxOffset(topic: string, queueId: number): number {
    return this.#queues.get(`${topic}/${queueId}`)?.length ?? 0;
  }

  offsetByTime(topic: string, queueId: number, timestamp: number, boundary: 'LOWER' | 'UPPER'): number {
    const queue = this.#queues.get(`${topic}/${queueId}`) ?? [];
    const at = queue.findIndex((stored) => stored.storeTime >= timestamp);
    const lower = at < 0 ? queue.length : at;
    return boundary === 'LOWER' ? lower : Math.max(0, lower - 1);
  }

  storeTimeAt(topic: string, queueId: number, queueOffset: number): number {
    return this.#queues.get(`${topic}/${queueId}`)?.[queueOffset]?.storeTime ?? -1;
  }

  readQueue(topic: string, queueId: number, queueOffset: number, count: number): QueueEntry[] {
    if (queueOffset < this.minOffset(topic, queueId)) return [];
    const queue = this.#queues.get(`${topic}/${queueId}`) ?? [];
    return queue.slice(queueOffset, queueOffset + count).map((stored) => stored.entry);
  }

  reads = 0;

  recordSize(physicalOffset: number): number {
    return this.#find(physicalOffset)?.record.length ?? 0;
  }

  recordAt(physicalOffset: number): Uint8Array | undefined {
    this.reads += 1;
    return this.#find(physicalOffset)?.record;
  }

  #find(physicalOffset: number): Stored | undefined {
    return this.#records.get(physicalOffset);
  }

  readonly find = (query: KeyQuery): Promise<FoundRecords> => {
    this.queries.push(query);
    return Promise.resolve(this.found);
  };
}

/** Puts that wait for the test to let them end, or end at once with `status`. */
export class FakePut {
  readonly messages: InternalMessage[] = [];
  status = 0;
  holds = false;
  readonly #held: ((status: number) => void)[] = [];

  readonly put = (put: InternalMessage): Promise<PutResult> =>
    new Promise((resolve) => this.begin(put, resolve));

  readonly begin: BeginPut = (put, done) => {
    this.messages.push(put);
    const result = (status: number): PutResult => ({
      status,
      remark: undefined,
      queueOffset: 0,
      physicalOffset: 0,
    });
    if (this.holds) this.#held.push((status) => done(result(status)));
    else done(result(this.status));
  };

  /** Ends the `index`-th held put. */
  end(index: number, status = 0): void {
    this.#held[index]?.(status);
  }
}

/** A master without slaves, until a test makes it a slave. */
export class Role {
  status: ReplicationStatus = { slaves: [] };
}

export function setUp(changes: Partial<BrokerSettings> = {}, time = new FakeTime()) {
  const role = new Role();
  const settings = testSettings(changes);
  const directory = temporaryDirectory();
  const store = new FakeStore();
  const put = new FakePut();
  const cleaned: string[] = [];
  const refused: RefusedSend[] = [];
  const changed = new Map<string, string>();
  const topics = new TopicTable(directory, settings, time);
  const context: BrokerContext = {
    settings,
    clock: time,
    log: silentLog,
    topics,
    lites: new LiteTopics(topics, { left: 1_000, reserve: () => true }),
    orders: new OrderInfos(directory),
    liteFigures: async () => NO_LITE_FIGURES,
    acted: new ActedTimers(),
    timing: () => [],
    groups: new GroupTable(directory, settings, time),
    offsets: new OffsetTable(directory, settings, time),
    delayOffsets: new DelayOffsets(directory, settings, time),
    clients: new ClientTable(settings, time, silentLog, time),
    filters: new ConsumerFilters(directory, time),
    requestModes: new RequestModes(directory),
    routes: new TopicRoutes({ addresses: [], tls: () => undefined, clock: time, lifetimeMs: () => 30_000 }),
    locks: new QueueLocks(time),
    stats: new StatsTable(time),
    coldReads: new ColdReads(settings, time, time),
    store,
    queries: new KeyQueries(store.find, () => true),
    maintenance: {
      cleanExpiredQueues: async () => void cleaned.push('queues'),
      deleteExpiredFiles: async () => void cleaned.push('files'),
      purgeTopic: async (topic) => {
        for (let id = 0; id < 16; id++) store.minimum.set(`${topic}/${id}`, store.maxOffset(topic, id));
      },
      purges: () => new Map([['purged', 4096]]),
      cleanUnusedTopics: async (keep) => void cleaned.push(`topics but ${keep.size}`),
    },
    timerCheck: () => undefined,
    put: put.put,
    storeHost: STORE_HOST,
    sendBacks: new ByteBudget(MAX_SEND_BACK_BYTES),
    pushes: new ReplyPushes(),
    uniqueId: () => 'FAKE-UNIQUE-ID',
    topicSettled: async () => {},
    refusedSend: (sends) => void refused.push(sends),
    levels: new DelayLevels(settings.messageDelayLevel),
    properties: {
      all: () => [['brokerName', settings.brokerName], ...changed],
      update: (properties) => {
        for (const [name, value] of properties) changed.set(name, value);
      },
      changed: new Listeners(),
      version: { counter: 1, stateVersion: 0, timestamp: 2 },
    },
    replication: () => role.status,
    masterFlushed: { masterFlushedOffset: 0 },
    runtimeInfo: () => [['commitLogDiskRatio', '0.25']],
  };
  context.topics.load();
  context.groups.load();
  const handlers = createHandlers(context, { audit: noLog, slowMillis: 0 });
  const connection = new FakeConnection('client');
  const ask = async (request: RemotingCommand, from = connection) =>
    handlers.get(request.code)?.(request, from);
  return {
    context,
    role,
    settings,
    time,
    directory,
    store,
    put,
    cleaned,
    refused,
    connection,
    ask,
    codes: [...handlers.keys()],
  };
}

export type Setup = ReturnType<typeof setUp>;

export function request(
  code: number,
  fields: Record<string, string | number | boolean> = {},
  body?: unknown,
): RemotingCommand {
  const texts = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, String(value)]));
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  return requestCommand(code, texts, text === undefined ? undefined : Buffer.from(text));
}

export function oneway(command: RemotingCommand): RemotingCommand {
  return { ...command, flag: command.flag | FLAG_ONEWAY };
}

export function bodyText(reply: RemotingCommand | undefined): string {
  return Buffer.from(reply?.body ?? []).toString('utf8');
}

export function bodyJson(reply: RemotingCommand | undefined): RocketJsonObject {
  return parseRocketJson(bodyText(reply)) as RocketJsonObject;
}

/** Registers an online consumer of group `g` on topic `t`. */
export function join(setup: Setup, clientId = 'id', connection = setup.connection, version = 513): void {
  setup.context.groups.findOrCreate('g');
  setup.context.clients.consumers.register({
    client: { connection, clientId, language: 'JAVA', version },
    consumer: {
      groupName: 'g',
      consumeType: 'CONSUME_PASSIVELY',
      messageModel: 'CLUSTERING',
      consumeFromWhere: 'CONSUME_FROM_LAST_OFFSET',
      unitMode: false,
      subscriptions: [
        {
          topic: 't',
          subString: '*',
          expressionType: 'TAG',
          subVersion: 1n,
          classFilterMode: false,
          tagsSet: [],
          codeSet: [],
        },
      ],
    },
    notify: true,
    fingerprint: 0,
    withoutSubscriptions: false,
  });
}
