/** Whether a store agrees with the model. */
import * as assert from 'uvu/assert';
import { javaHashCode } from '../../src/lib/java-hash.ts';
import { APPENDED, DISPATCHED, FLUSHED, LOG_START } from '../../src/ring/positions.ts';
import { firstWhere } from '../../src/store/recovery/queue-recovery.ts';
import type { Store } from '../../src/store/store.ts';
import { endOf, type ModelMessage, type ModelQueue, queueName, type StoreModel } from './store-model.ts';

/** What was under way when a process died. */
export interface CutShort {
  deletion?: string | undefined;
  purge?: { topic: string; position: number } | undefined;
}

/**
 * After opening: the store holds a prefix of the log, no shorter than promised. Returns how many messages are lost.
 * `cutShort`: a topic whose deletion or purge a crash cut short; it has taken effect or not, and the model follows.
 */
export function checkAfterOpen(store: Store, model: StoreModel, atLeast: number, cutShort: CutShort): number {
  const end = store.positions.get(APPENDED);
  assert.ok(end >= atLeast, `the log ends at ${end} although everything before ${atLeast} was safe`);
  const lost = model.cut(end);
  const { mappedFileSizeCommitLog } = store.options;
  assert.ok(
    end === model.end || (end % mappedFileSizeCommitLog === 0 && end - model.end < mappedFileSizeCommitLog),
    `the log ends at ${end}, behind the last message (${model.end}) that was ever appended there`,
  );
  assert.is(store.positions.get(FLUSHED), end, 'what was recovered is durable');
  assert.is(store.positions.get(DISPATCHED), end, 'what was recovered is dispatched');
  const { deletion, purge } = cutShort;
  if (deletion !== undefined && isGone(store, model, deletion)) model.deleteTopic(deletion);
  model.flushed = end;
  model.logStart = store.positions.get(LOG_START);
  if (purge !== undefined && isPurged(store, model, purge.topic))
    model.purge(purge.topic, Math.min(purge.position, end));
  checkQueues(store, model);
  return lost;
}

function isGone(store: Store, model: StoreModel, topic: string): boolean {
  const queues = [...model.queues.values()].filter((queue) => queue.topic === topic);
  return queues.every(({ queueId }) => {
    const found = store.queue(topic, queueId);
    return found === undefined || store.directory.maximum(found.id) === 0;
  });
}

/** Whether a queue of the topic begins later than it would without a purge. */
function isPurged(store: Store, model: StoreModel, topic: string): boolean {
  return [...model.queues.values()].some(({ topic: name, queueId, messages }) => {
    const found = name === topic ? store.queue(topic, queueId) : undefined;
    const first = firstWhere(0, messages.length, (i) => model.isThere(messages[i] as ModelMessage));
    return found !== undefined && store.directory.minimum(found.id) > first;
  });
}

/** Every queue holds exactly the messages that may be seen, in order and to the byte. */
export function checkQueues(store: Store, model: StoreModel): void {
  const bound = checkPositions(store);
  model.logStart = store.positions.get(LOG_START);
  for (const queue of model.queues.values()) checkQueue(store, model, queue, bound);
}

function checkQueue(store: Store, model: StoreModel, queue: ModelQueue, bound: number): void {
  const { topic, queueId, messages } = queue;
  const name = queueName(topic, queueId);
  const maximum = firstWhere(0, messages.length, (i) => endOf(messages[i] as ModelMessage) > bound);
  const minimum = firstWhere(0, maximum, (i) => model.isThere(messages[i] as ModelMessage));
  const found = store.queue(topic, queueId);
  if (found === undefined) {
    assert.is(maximum, 0, `${name} is unknown`);
    return;
  }
  assert.is(store.directory.maximum(found.id), maximum, `maximum of ${name}`);
  assert.is(store.directory.minimum(found.id), minimum, `minimum of ${name}`);
  const from = Math.max(queue.checked, minimum);
  const expected = messages.slice(from, maximum);
  const entries = store.reader.readQueue(found, from, maximum + 10);
  // What stands in place of a damaged record may be smaller, when a kill interrupted its making.
  const sizeOf = (i: number, size: number) => (expected[i]?.damaged ? 0 : size);
  assert.equal(
    entries.map(({ queueOffset, physicalOffset, size }, i) => [queueOffset, physicalOffset, sizeOf(i, size)]),
    expected.map(({ queueOffset, position, record }, i) => [queueOffset, position, sizeOf(i, record.length)]),
    `entries of ${name}`,
  );
  for (const [i, message] of expected.entries()) {
    if (message.damaged) continue;
    checkRecord(store, message);
    if (topic !== 'SCHEDULE_TOPIC_XXXX') {
      assert.is(entries[i]?.tagsCode, BigInt(javaHashCode(message.tag)), `tags of ${name}`);
    }
  }
  queue.checked = maximum;
}

/** A key finds its messages and no others; `share` chooses which of the message's keys is asked for. */
export function checkQuery(store: Store, model: StoreModel, message: ModelMessage, share: number): void {
  const choices: [type: string, key: string][] = [['K', message.uniqueKey]];
  for (const key of message.keys) choices.push(['K', key]);
  if (message.tag !== '') choices.push(['T', message.tag]);
  const [type, key] = choices[Math.floor(share * choices.length)] as [string, string];
  const bound = store.positions.get(DISPATCHED);
  const has = (m: ModelMessage) =>
    type === 'T' ? m.tag === key : m.uniqueKey === key || m.keys.includes(key);
  const expected = model.messages.filter(
    (m) => m.topic === message.topic && has(m) && endOf(m) <= bound && !m.damaged && model.isThere(m),
  );
  const isDamaged = new Set(model.messages.filter((m) => m.damaged).map((m) => m.position));
  const time = message.storeTimestamp;
  for (const [begin, end] of [
    [0, Number.MAX_SAFE_INTEGER],
    [time, time],
  ] as const) {
    const found = store.reader.query(message.topic, key, 64, begin, end, type);
    const within = expected.filter(({ storeTimestamp }) => storeTimestamp >= begin && storeTimestamp <= end);
    // No more than 64 are given: the newest.
    assert.equal(
      found.records
        .map((record) => Number(Buffer.from(record).readBigInt64BE(28)))
        .filter((position) => !isDamaged.has(position)),
      within.slice(-64).map(({ position }) => position),
      `messages of ${message.topic} with ${type} ${key} from ${begin} to ${end}`,
    );
  }
}

function checkPositions({ positions, options }: Store): number {
  const [appended, flushed, dispatched] = [APPENDED, FLUSHED, DISPATCHED].map((slot) => positions.get(slot));
  assert.ok(Number(flushed) <= Number(appended), 'flushed <= appended');
  assert.ok(Number(dispatched) <= Number(appended), 'dispatched <= appended');
  if (options.flushDiskType === 'SYNC_FLUSH') {
    assert.ok(Number(dispatched) <= Number(flushed), 'nothing is seen that a power cut takes back');
  }
  return Number(dispatched);
}

function checkRecord(store: Store, message: ModelMessage): void {
  const record = store.reader.recordAt(message.position);
  const matches = record !== undefined && Buffer.compare(record, message.record) === 0;
  assert.ok(matches, `the record at ${message.position} is not the one that was appended`);
}
