/** Control's tables, as far as pops concern them, and what their files hold. */
import type { PopTables } from '../../src/delivery/pop/pop-control.ts';
import type { Clock } from '../../src/lib/clock.ts';
import { OffsetTable } from '../../src/metadata/offsets.ts';
import { OrderInfos } from '../../src/metadata/order-infos.ts';
import { defaultBrokerSettings } from '../../src/metadata/settings.ts';
import { reviveTopicOf } from '../../src/metadata/system-topics.ts';
import type { RocketJson } from '../../src/protocol/rocketmq-json.ts';

const CLUSTER = 'simulated';
export const REVIVE_QUEUES = 2;
export const REVIVE_TOPIC = reviveTopicOf(CLUSTER);

export const SIM_SETTINGS = {
  ...defaultBrokerSettings({
    ...{ brokerName: 'sim', brokerClusterName: CLUSTER },
    ...{ brokerIP1: '10.0.0.1', listenPort: 10911 },
  }),
  reviveQueueNum: REVIVE_QUEUES,
};

type OffsetRow = [group: string, topic: string, queueId: number, offset: number];
type OrderRow = readonly [topic: string, group: string, queueId: number, order: RocketJson];

/** Topics by name, with their queues; the files of both are written at once. */
export interface SimNames {
  topics: Map<string, number>;
  groups: Set<string>;
}

export class SimPopTables {
  readonly #names: SimNames;
  readonly #clock: Clock;
  readonly #made: (topic: string, queues: number) => void;
  #saved: { offsets: OffsetRow[]; orders: OrderRow[] } = { offsets: [], orders: [] };
  tables!: PopTables;

  /** `made`: a topic is there now. */
  constructor(names: SimNames, clock: Clock, made: (topic: string, queues: number) => void) {
    this.#names = names;
    this.#clock = clock;
    this.#made = made;
    this.load();
  }

  /** A process begins with what the files hold. */
  load(): void {
    const offsets = new OffsetTable('/nowhere', SIM_SETTINGS, this.#clock);
    // The files are written at once.
    Object.assign(offsets, { persist: () => this.save(), saved: () => Promise.resolve() });
    const orders = new OrderInfos('/nowhere');
    for (const row of this.#saved.offsets) offsets.commit(...row);
    for (const row of this.#saved.orders) orders.set(...row);
    const { topics, groups } = this.#names;
    const topicTable = {
      get: (name: string) => topics.get(name),
      has: (name: string) => topics.has(name),
      createInternal: (name: string, queues: number) => {
        if (topics.has(name)) return;
        topics.set(name, queues);
        this.#made(name, queues);
      },
    };
    this.tables = {
      ...{ settings: SIM_SETTINGS, offsets, orders },
      topics: topicTable as unknown as PopTables['topics'],
      lites: { has: () => false } as unknown as PopTables['lites'],
      groups: groups as unknown as PopTables['groups'],
    };
  }

  /** The files are written. */
  save(): void {
    const { offsets, orders } = this.tables;
    const rows: OffsetRow[] = [];
    for (const [group, topics] of offsets.toJson().groupTopicMap) {
      for (const topic of topics) {
        for (const [queueId, offset] of offsets.queuesOf(group, topic) ?? [])
          rows.push([group, topic, queueId, offset]);
      }
    }
    this.#saved = { offsets: rows, orders: structuredClone([...orders.entries()]) };
  }
}
