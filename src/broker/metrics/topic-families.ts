/** RocketMQ's families of what topics take and groups get. Counters begin at 0 with each start. */
import { Histogram } from '../../lib/histogram.ts';
import { isRetryOrDeadLetterTopic, isSystemGroup } from '../../lib/names.ts';
import { MESSAGE_TYPE_ATTRIBUTE } from '../../metadata/attributes.ts';
import type { TopicConfig } from '../../metadata/topic-config.ts';
import type { TopicTable } from '../../metadata/topics.ts';
import type { Labels } from '../../remoting/exposition.ts';
import { RECORD_SIZE_BOUNDS } from '../../store/queue/queue-directory.ts';
import {
  GROUP_GET_NUMS,
  GROUP_GET_SIZE,
  SNDBCK2DLQ_TIMES,
  TOPIC_PUT_NUMS,
  TOPIC_PUT_SIZE,
} from '../stats/stats.ts';
import { bucketsOf } from './call-families.ts';
import type { Scrape } from './context.ts';

export async function topicFamilies(scrape: Scrape): Promise<void> {
  await incoming(scrape);
  await outgoing(scrape);
}

async function incoming({ parts, out, slices }: Scrape): Promise<void> {
  const { tables, stats } = parts;
  const messages = out.counter('rocketmq_messages_in_total', 'Messages that came into a topic');
  const bytes = out.counter('rocketmq_throughput_in_total', 'Bytes of their records');
  const sizes = out.family('rocketmq_message_size', 'histogram', 'Bytes of the record of a message');
  for (const topic of tables.topics.all()) {
    stats.sampleTopic(topic);
    const count = tables.stats.total(TOPIC_PUT_NUMS, topic.topicName);
    if (count > 0) {
      const labels = {
        topic: topic.topicName,
        message_type: typeOf(topic),
        is_system: tables.topics.isSystemTopic(topic.topicName),
      };
      messages.add(count, labels);
      bytes.add(tables.stats.total(TOPIC_PUT_SIZE, topic.topicName), labels);
      if (!isRetryOrDeadLetterTopic(topic.topicName))
        sizes.addBuckets(bucketsOf(sizesIn(parts.reads, topic)), labels);
    }
    if (slices.over) await slices.pause();
  }
}

function sizesIn(reads: Scrape['parts']['reads'], { topicName, ...topic }: TopicConfig): Histogram {
  const sizes = new Histogram(RECORD_SIZE_BOUNDS);
  for (let queueId = 0; queueId < Math.max(topic.readQueueNums, topic.writeQueueNums); queueId++) {
    reads.addCountsTo(sizes.state.counts, topicName, queueId);
    sizes.state.sum += reads.arrived(topicName, queueId).bytes;
  }
  return sizes;
}

/** RocketMQ looks at each message; here it is what the topic is for. */
function typeOf({ attributes }: TopicConfig): string {
  const type = attributes.get(MESSAGE_TYPE_ATTRIBUTE);
  return type === undefined || type === 'UNSPECIFIED' ? 'normal' : type.toLowerCase();
}

async function outgoing({ parts, out, slices }: Scrape): Promise<void> {
  const { stats, topics } = parts.tables;
  const messages = out.counter('rocketmq_messages_out_total', 'Messages that a group was given');
  const bytes = out.counter('rocketmq_throughput_out_total', 'Bytes of their records');
  const dead = out.counter(
    'rocketmq_send_to_dlq_messages_total',
    'Messages that went to the dead-letter queue',
  );
  for (const [family, name] of [
    [messages, GROUP_GET_NUMS],
    [bytes, GROUP_GET_SIZE],
    [dead, SNDBCK2DLQ_TIMES],
  ] as const) {
    for (const [key, total] of stats.totals(name)) {
      family.add(total, labelsOf(key, topics));
      if (slices.over) await slices.pause();
    }
  }
}

/** Of `topic@group`. */
function labelsOf(key: string, topics: TopicTable): Labels {
  const at = key.lastIndexOf('@');
  const [topic, group] = [key.slice(0, at), key.slice(at + 1)];
  return { topic, consumer_group: group, is_system: topics.isSystemTopic(topic) || isSystemGroup(group) };
}
