/** Whether a queue entry points to the record that it must point to: of that topic, queue, number, size and tag. */
import { javaHashOfBytes } from '../../../lib/java-hash.ts';
import { isLiteQueue } from '../../../lib/lite-names.ts';
import { LMQ_PREFIX, SCHEDULE_TOPIC } from '../../../lib/names.ts';
import { PropertyScan } from '../../../record/property-scan.ts';
import { SecondQueueReader } from '../../../record/second-queue.ts';
import { queueIdOf, queueOffsetOf } from '../../../record/view.ts';
import { ENTRY_SIZE_AT, ENTRY_TAGS_AT } from '../../../store/queue/consume-queue.ts';
import { HOLE_TOPIC } from '../../../store/recovery/hole.ts';
import type { QueueName } from '../../../store/recovery/queue-recovery.ts';
import type { Damage } from '../item.ts';
import type { RecordLookup } from '../record-lookup.ts';

const LOST_IN_HOLE = 'its message was lost in damage that has been filled';
/** RocketMQ with enableConsumeQueueExt stores addresses of another file in place of hashes: all below this. */
export const EXT_ADDRESS_BELOW = -2147483648n;

export interface QueueEntry {
  readonly offset: number;
  readonly physical: number;
  readonly size: number;
  readonly tagsCode: bigint;
}

export class EntryProblems {
  readonly #records: RecordLookup;
  readonly #properties = new PropertyScan();
  readonly #second = new SecondQueueReader();

  constructor(records: RecordLookup) {
    this.#records = records;
  }

  /** Undefined when it is the right record; `at` of the problem = offset in the entry of what is wrong. */
  of(entry: QueueEntry, queue: QueueName): Damage | undefined {
    const absent = this.#records.problemAt(entry.physical);
    const { mapping, at, check } = this.#records;
    if (absent !== undefined || mapping === undefined) return { at: 0, text: absent ?? 'no record' };
    if (check.size !== entry.size)
      return {
        at: ENTRY_SIZE_AT,
        text: `the record there has ${check.size} bytes, the entry says ${entry.size}`,
      };
    if (isLiteQueue(queue.topic)) return orNone(this.#liteProblem(entry.offset, queue));
    // Queues of MQTT's topics hold records of other topics.
    if (queue.topic.startsWith(LMQ_PREFIX)) return undefined;
    const { topicOffset, topicLength } = check.parts;
    if (!bytesAre(mapping.bytes, topicOffset, topicLength, queue.topic)) {
      const isHole = bytesAre(mapping.bytes, topicOffset, topicLength, HOLE_TOPIC);
      return { at: 0, text: isHole ? LOST_IN_HOLE : 'the record there belongs to another topic' };
    }
    const { view } = mapping;
    if (queueIdOf(view, at) !== queue.queueId)
      return { at: 0, text: `the record there belongs to queue ${queueIdOf(view, at)}` };
    if (queueOffsetOf(view, at) !== entry.offset)
      return { at: 0, text: `the record there is number ${queueOffsetOf(view, at)}` };
    return this.#tagProblem(entry, queue);
  }

  /** Of the second queue of its records. */
  #liteProblem(offset: number, queue: QueueName): string | undefined {
    const { mapping, at, check } = this.#records;
    const second = this.#second;
    if (mapping === undefined) return undefined;
    if (!second.read(mapping.bytes, mapping.view, at, check.size)) {
      const { topicOffset, topicLength } = check.parts;
      const isHole = bytesAre(mapping.bytes, topicOffset, topicLength, HOLE_TOPIC);
      return isHole ? LOST_IN_HOLE : 'the record there belongs to no lite topic';
    }
    if (second.name !== queue.topic) return `the record there belongs to ${second.name}`;
    return second.number === offset ? undefined : `the record there is number ${second.number}`;
  }

  #tagProblem({ tagsCode }: QueueEntry, queue: QueueName): Damage | undefined {
    const { mapping, check } = this.#records;
    // There the field holds a delivery time; and below the hashes' range lie addresses of another file.
    if (mapping === undefined || queue.topic === SCHEDULE_TOPIC || tagsCode < EXT_ADDRESS_BELOW)
      return undefined;
    const { propertiesOffset, propertiesLength } = check.parts;
    this.#properties.scan(mapping.bytes, mapping.view, propertiesOffset, propertiesOffset + propertiesLength);
    const { tagsOffset, tagsLength } = this.#properties;
    const hash = tagsLength === 0 ? 0 : javaHashOfBytes(mapping.bytes, tagsOffset, tagsOffset + tagsLength);
    if (tagsCode === BigInt(hash)) return undefined;
    return { at: ENTRY_TAGS_AT, text: `its tag has the hash ${hash}, the entry says ${tagsCode}` };
  }
}

function orNone(text: string | undefined): Damage | undefined {
  return text === undefined ? undefined : { at: 0, text };
}

/** Whether the text, in UTF-8, is all that stands there. */
function bytesAre(bytes: Uint8Array, from: number, length: number, text: string): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, length).equals(Buffer.from(text));
}
