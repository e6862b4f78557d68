/** RocketMQ's families of how far groups are behind, in messages and in milliseconds. */
import { isRetryOrDeadLetterTopic, isSystemGroup } from '../../lib/names.ts';
import type { TopicConfig } from '../../metadata/topic-config.ts';
import type { Family } from '../../remoting/exposition.ts';
import type { Scrape } from './context.ts';

/** Of one group in one topic. */
interface Lag {
  /** Not yet confirmed. */
  messages: number;
  /** Given out, not yet confirmed. */
  inflight: number;
  /** Not yet given out. */
  ready: number;
  /** Age of the oldest one that is not confirmed, and not given out, ms; 0 = there is none. */
  latency: number;
  queueing: number;
}

export async function lagFamilies(scrape: Scrape): Promise<void> {
  const { parts, out, slices } = scrape;
  const { tables } = parts;
  const families: [keyof Lag, Family][] = [
    ['messages', out.gauge('rocketmq_consumer_lag_messages', 'Messages that are not confirmed')],
    [
      'latency',
      out.gauge(
        'rocketmq_consumer_lag_latency_milliseconds',
        'Age of the oldest message that is not confirmed',
      ),
    ],
    ['inflight', out.gauge('rocketmq_consumer_inflight_messages', 'Messages given out and not confirmed')],
    [
      'queueing',
      out.gauge('rocketmq_consumer_queueing_latency_milliseconds', 'Age of the oldest message not given out'),
    ],
    ['ready', out.gauge('rocketmq_consumer_ready_messages', 'Messages that are not given out')],
  ];
  for (const { groupName } of tables.groups.all()) {
    for (const topic of tables.offsets.topicsOf(groupName)) {
      const config = tables.topics.get(topic);
      if (config === undefined) continue;
      const lag = await lagOf(scrape, groupName, config);
      const labels = {
        consumer_group: groupName,
        topic,
        is_retry: isRetryOrDeadLetterTopic(topic),
        is_system: tables.topics.isSystemTopic(topic) || isSystemGroup(groupName),
      };
      for (const [figure, family] of families) family.add(lag[figure], labels);
    }
    if (slices.over) await slices.pause();
  }
}

async function lagOf({ parts, slices, now }: Scrape, group: string, topic: TopicConfig): Promise<Lag> {
  const { tables, reads } = parts;
  const lag: Lag = { messages: 0, inflight: 0, ready: 0, latency: 0, queueing: 0 };
  const ageAt = (queueId: number, offset: number): number => {
    const time = reads.storeTimeAt(topic.topicName, queueId, offset);
    return time > 0 ? Math.max(0, now - time) : 0;
  };
  await slices.each(topic.readQueueNums, (queueId) => {
    const committed = tables.offsets.query(group, topic.topicName, queueId);
    if (committed < 0) return;
    const max = reads.maxOffset(topic.topicName, queueId);
    // What the group has missed is gone: retention has taken it.
    const from = Math.min(max, Math.max(committed, reads.minOffset(topic.topicName, queueId)));
    const given = Math.min(max, Math.max(from, tables.offsets.queryPull(group, topic.topicName, queueId)));
    lag.messages += max - from;
    lag.inflight += given - from;
    lag.ready += max - given;
    const age = from < max ? ageAt(queueId, from) : 0;
    lag.latency = Math.max(lag.latency, age);
    if (given < max) lag.queueing = Math.max(lag.queueing, given === from ? age : ageAt(queueId, given));
  });
  return lag;
}
