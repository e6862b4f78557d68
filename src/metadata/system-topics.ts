/** The topics that a broker creates at every start, as RocketMQ 5.5.0 does. */
import {
  AUTO_CREATE_TOPIC,
  BENCHMARK_TOPIC,
  HALF_TOPIC,
  OFFSET_MOVED_TOPIC,
  OP_HALF_TOPIC,
  ROCKSDB_HALF_TOPIC,
  ROCKSDB_OP_HALF_TOPIC,
  SCHEDULE_TOPIC,
  SELF_TEST_TOPIC,
  SYSTEM_TOPIC_PREFIX,
  TIMER_TOPIC,
  WELL_KNOWN_SYSTEM_TOPICS,
} from '../lib/names.ts';
import type { BrokerSettings } from './settings.ts';
import { newTopicConfig, PERM_INHERIT, PERM_READ_WRITE, type TopicConfig } from './topic-config.ts';

const BENCHMARK_QUEUES = 1024;
const CLUSTER_QUEUES = 16;
/** Eighteen whatever the configured levels are. */
const SCHEDULE_QUEUES = 18;

export function replyTopicOf(clusterName: string): string {
  return `${clusterName}_REPLY_TOPIC`;
}

export function reviveTopicOf(clusterName: string): string {
  return `${SYSTEM_TOPIC_PREFIX}REVIVE_LOG_${clusterName}`;
}

export function systemTopicConfigs(settings: BrokerSettings): TopicConfig[] {
  const cluster = settings.brokerClusterName;
  const inherit = (readWrite: boolean) => PERM_INHERIT | (readWrite ? PERM_READ_WRITE : 0);
  const configs = [newTopicConfig(SELF_TEST_TOPIC, 1)];
  if (settings.autoCreateTopicEnable) {
    configs.push(newTopicConfig(AUTO_CREATE_TOPIC, settings.defaultTopicQueueNums, inherit(true)));
  }
  configs.push(
    newTopicConfig(BENCHMARK_TOPIC, BENCHMARK_QUEUES),
    newTopicConfig(cluster, CLUSTER_QUEUES, inherit(settings.clusterTopicEnable)),
    newTopicConfig(settings.brokerName, 1, inherit(settings.brokerTopicEnable)),
    newTopicConfig(OFFSET_MOVED_TOPIC, 1),
    newTopicConfig(SCHEDULE_TOPIC, SCHEDULE_QUEUES),
  );
  if (settings.traceTopicEnable) configs.push(newTopicConfig(settings.msgTraceTopicName, 1));
  configs.push(
    newTopicConfig(replyTopicOf(cluster), 1),
    newTopicConfig(reviveTopicOf(cluster), settings.reviveQueueNum),
    newTopicConfig(`${SYSTEM_TOPIC_PREFIX}SYNC_BROKER_MEMBER_${settings.brokerName}`, 1, PERM_INHERIT),
    newTopicConfig(HALF_TOPIC, 1),
    newTopicConfig(OP_HALF_TOPIC, 1),
    newTopicConfig(ROCKSDB_HALF_TOPIC, 1),
    newTopicConfig(ROCKSDB_OP_HALF_TOPIC, 1),
  );
  if (settings.timerWheelEnable) configs.push(newTopicConfig(TIMER_TOPIC, 1));
  return configs;
}

export function systemTopicNames(settings: BrokerSettings): Set<string> {
  return new Set([
    ...WELL_KNOWN_SYSTEM_TOPICS,
    ...systemTopicConfigs(settings).map((config) => config.topicName),
  ]);
}
