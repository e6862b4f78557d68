/**
 * Families of rocketmq-exporter, a program of its own that asks brokers and shows what they answer. Dashboards made for
 * it go on with these names; those of RocketMQ 5 say the same and more.
 */
import { isRetryOrDeadLetterTopic } from '../../lib/names.ts';
import {
  BROKER_GET_NUMS,
  BROKER_PUT_NUMS,
  GROUP_GET_NUMS,
  GROUP_GET_SIZE,
  TOPIC_PUT_NUMS,
  TOPIC_PUT_SIZE,
} from '../stats/stats.ts';
import type { Scrape } from './context.ts';

export async function exporterFamilies(scrape: Scrape): Promise<void> {
  brokerRates(scrape);
  await topics(scrape);
  await groups(scrape);
}

function brokerRates({ parts, out }: Scrape): void {
  const { settings, stats } = parts.tables;
  const labels = { brokerIP: `${settings.brokerIP1}:${settings.listenPort}`, broker: settings.brokerName };
  const rate = (name: string) => stats.tps(name, settings.brokerClusterName);
  out.gauge('rocketmq_broker_tps', 'Messages that come, a second').add(rate(BROKER_PUT_NUMS), labels);
  out.gauge('rocketmq_broker_qps', 'Messages that are given, a second').add(rate(BROKER_GET_NUMS), labels);
}

async function topics({ parts, out, slices }: Scrape): Promise<void> {
  const { tables, reads } = parts;
  const broker = { broker: tables.settings.brokerName };
  const tps = out.gauge('rocketmq_producer_tps', 'Messages that come into a topic, a second');
  const size = out.gauge('rocketmq_producer_message_size', 'Bytes of them, a second');
  const offset = out.gauge('rocketmq_producer_offset', 'Sum of the ends of its queues');
  for (const { topicName: topic, writeQueueNums } of tables.topics.all()) {
    const labels = { ...broker, topic };
    tps.add(tables.stats.tps(TOPIC_PUT_NUMS, topic), labels);
    size.add(tables.stats.tps(TOPIC_PUT_SIZE, topic), labels);
    let end = 0;
    await slices.each(writeQueueNums, (queueId) => {
      end += reads.maxOffset(topic, queueId);
    });
    offset.add(end, labels);
    if (slices.over) await slices.pause();
  }
}

async function groups({ parts, out, slices }: Scrape): Promise<void> {
  const { tables, reads } = parts;
  const broker = { broker: tables.settings.brokerName };
  const tps = out.gauge('rocketmq_consumer_tps', 'Messages that a group is given, a second');
  const size = out.gauge('rocketmq_consumer_message_size', 'Bytes of them, a second');
  const offset = out.gauge('rocketmq_consumer_offset', 'Sum of what it has confirmed of its queues');
  const diff = out.gauge('rocketmq_group_diff', 'Messages that it has not confirmed');
  for (const { groupName: group } of tables.groups.all()) {
    const count = tables.clients.consumers.get(group)?.members().length ?? 0;
    for (const topic of tables.offsets.topicsOf(group)) {
      const queues = tables.offsets.queuesOf(group, topic);
      if (queues === undefined || isRetryOrDeadLetterTopic(topic)) continue;
      const labels = { ...broker, topic, group };
      const key = `${topic}@${group}`;
      tps.add(tables.stats.tps(GROUP_GET_NUMS, key), labels);
      size.add(tables.stats.tps(GROUP_GET_SIZE, key), labels);
      let [confirmed, behind] = [0, 0];
      for (const [queueId, at] of queues) {
        confirmed += at;
        behind += Math.max(0, reads.maxOffset(topic, queueId) - at);
      }
      offset.add(confirmed, labels);
      diff.add(behind, { ...labels, countOfOnlineConsumers: count });
      if (slices.over) await slices.pause();
    }
  }
}
