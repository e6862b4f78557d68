/**
 * Static topics of a store that comes from RocketMQ: config/topicQueueMapping.json says which queue of which broker
 * holds a part of each of their queues. RingMQ reads every queue by its own number. A topic for which that is not the
 * same must not be served: its consumers would get other messages than they are to, and nobody would notice.
 */
import { join } from 'node:path';
import { asArray, asObject, entriesOf } from '../protocol/json-fields.ts';
import type { RocketJson } from '../protocol/rocketmq-json.ts';
import { StateFile, type Warn } from './state-file.ts';

/** Throws a StateFileError that names the first topic whose queues are not those of this broker by number. */
export function checkStaticTopics(configDirectory: string, brokerName: string, warn?: Warn): void {
  const file = new StateFile(join(configDirectory, 'topicQueueMapping.json'));
  for (const [topic, value] of entriesOf(file.table(file.load(warn), 'topicQueueMappingInfoMap'))) {
    const queues = entriesOf(asObject(value)?.['hostedQueues']);
    if (queues.every(([queueId, items]) => isPlain(queueId, items, brokerName))) continue;
    throw file.refusal(
      topic,
      'is a static topic with queues that lie under other numbers or with other brokers, which only RocketMQ can read',
    );
  }
}

/** One part, from the beginning, in the queue of the same number. */
function isPlain(queueId: string, items: RocketJson | undefined, brokerName: string): boolean {
  const [item, ...more] = asArray(items).map((one) => asObject(one));
  if (item === undefined || more.length > 0) return false;
  const number = (name: string) => Number(item[name] ?? 0);
  return (
    number('queueId') === Number(queueId) &&
    number('logicOffset') === 0 &&
    number('startOffset') === 0 &&
    item['bname'] === brokerName
  );
}
