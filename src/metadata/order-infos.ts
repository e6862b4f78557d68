/**
 * What ordered groups that pop have out of each queue: config/consumerOrderInfo.json,
 * `{"orderInfoCount":1,"orderedConsumptionLevel":"QUEUE","table":{"topic@group":{0:{…}}}}` as RocketMQ 5.5.0 writes it. The
 * owner of pops makes and reads the single entries (delivery/pop/order-info.ts); here they are kept.
 */
import { join } from 'node:path';
import { asObject, entriesOf, INT32, integerFrom } from '../protocol/json-fields.ts';
import { type RocketJson, type WrittenJson, writeRocketJson } from '../protocol/rocketmq-json.ts';
import { PeriodicFile } from './periodic-file.ts';
import { keyOf, namesOf } from './queue-offsets.ts';
import type { Warn } from './state-file.ts';

export type OrderEntry = readonly [topic: string, group: string, queueId: number, order: RocketJson];

export class OrderInfos {
  readonly #file: PeriodicFile;
  /** By topic and group, then queue. */
  readonly #table = new Map<string, Map<number, RocketJson>>();
  /** Offset in the journal of ordered pops before which all that it says is in the table. */
  journaled = 0;

  constructor(configDirectory: string) {
    this.#file = new PeriodicFile(join(configDirectory, 'consumerOrderInfo.json'));
  }

  /**
   * Reads the file. Call once, before use. What is no order info is left out, and `warn` hears how many: these groups
   * get what they have out at once. Throws StateFileError when it cannot be read.
   */
  load(warn: Warn = () => {}): void {
    const stored = this.#file.load(warn);
    let dropped = 0;
    for (const [key, queues] of entriesOf(this.#file.table(stored, 'table'))) {
      const isKey = namesOf(key) !== undefined;
      for (const [queue, value] of entriesOf(queues)) {
        const queueId = integerFrom(queue) ?? -1;
        const isQueue = queueId >= 0 && queueId <= INT32.most;
        if (isKey && isQueue && asObject(value) !== undefined) this.#queues(key).set(queueId, value);
        else dropped += 1;
      }
    }
    if (dropped > 0) warn(`${this.#file.path}: ${dropped} entries are no order infos and were left out`);
  }

  /** Null: the group has nothing out of the queue. */
  set(topic: string, group: string, queueId: number, order: RocketJson): void {
    const key = keyOf(topic, group);
    if (order === null) this.#table.get(key)?.delete(queueId);
    else this.#queues(key).set(queueId, order);
    this.#file.touch();
  }

  *entries(): Iterable<OrderEntry> {
    for (const [key, queues] of this.#table) {
      const names = namesOf(key);
      if (names === undefined) continue;
      for (const [queueId, order] of queues) yield [names.topic, names.group, queueId, order];
    }
  }

  removeTopic(topic: string): void {
    this.#remove((names) => names.topic === topic);
  }

  removeGroup(group: string): void {
    this.#remove((names) => names.group === group);
  }

  #remove(isGone: (names: { topic: string; group: string }) => boolean): void {
    for (const key of [...this.#table.keys()]) {
      const names = namesOf(key);
      if (names === undefined || !isGone(names)) continue;
      this.#table.delete(key);
      this.#file.touch();
    }
  }

  #queues(key: string): Map<number, RocketJson> {
    let queues = this.#table.get(key);
    if (queues === undefined) {
      queues = new Map();
      this.#table.set(key, queues);
    }
    return queues;
  }

  /** Asks for a save if anything changed since the last one. */
  persist(): void {
    this.#file.persist(() => {
      const table = this.#table as unknown as WrittenJson;
      const json = { orderInfoCount: this.#table.size, orderedConsumptionLevel: 'QUEUE', table };
      return writeRocketJson(json, { pretty: true });
    });
  }

  /** Resolves when what `persist` asked for is on disk; rejects when it could not be written. */
  saved(): Promise<void> {
    return this.#file.saved();
  }
}
