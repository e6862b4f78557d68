/** Names of topics and groups: which are legal, which are reserved, and how derived names are built. */

export const RETRY_PREFIX = '%RETRY%';
export const DLQ_PREFIX = '%DLQ%';
export const LMQ_PREFIX = '%LMQ%';
export const SYSTEM_TOPIC_PREFIX = 'rmq_sys_';
export const SYSTEM_GROUP_PREFIX = 'CID_RMQ_SYS_';

export const AUTO_CREATE_TOPIC = 'TBW102';
export const SCHEDULE_TOPIC = 'SCHEDULE_TOPIC_XXXX';
export const SELF_TEST_TOPIC = 'SELF_TEST_TOPIC';
export const BENCHMARK_TOPIC = 'BenchmarkTest';
export const OFFSET_MOVED_TOPIC = 'OFFSET_MOVED_EVENT';
export const TRACE_TOPIC = 'RMQ_SYS_TRACE_TOPIC';
export const HALF_TOPIC = 'RMQ_SYS_TRANS_HALF_TOPIC';
export const OP_HALF_TOPIC = 'RMQ_SYS_TRANS_OP_HALF_TOPIC';
export const ROCKSDB_HALF_TOPIC = 'RMQ_SYS_ROCKSDB_TRANS_HALF_TOPIC';
export const ROCKSDB_OP_HALF_TOPIC = 'RMQ_SYS_ROCKSDB_TRANS_OP_HALF_TOPIC';
export const TRANS_CHECK_MAX_TIME_TOPIC = 'TRANS_CHECK_MAX_TIME_TOPIC';
export const CHECKPOINT_TOPIC = 'CHECKPOINT_TOPIC';
export const TIMER_TOPIC = 'rmq_sys_wheel_timer';

/** System topics whatever the configuration says; a broker adds those named after itself. */
export const WELL_KNOWN_SYSTEM_TOPICS: readonly string[] = [
  AUTO_CREATE_TOPIC,
  SCHEDULE_TOPIC,
  BENCHMARK_TOPIC,
  HALF_TOPIC,
  TRACE_TOPIC,
  OP_HALF_TOPIC,
  TRANS_CHECK_MAX_TIME_TOPIC,
  SELF_TEST_TOPIC,
  OFFSET_MOVED_TOPIC,
  CHECKPOINT_TOPIC,
  ROCKSDB_HALF_TOPIC,
  ROCKSDB_OP_HALF_TOPIC,
];

const NOT_SENDABLE: ReadonlySet<string> = new Set([
  SCHEDULE_TOPIC,
  HALF_TOPIC,
  OP_HALF_TOPIC,
  TRANS_CHECK_MAX_TIME_TOPIC,
  SELF_TEST_TOPIC,
  OFFSET_MOVED_TOPIC,
  ROCKSDB_HALF_TOPIC,
  ROCKSDB_OP_HALF_TOPIC,
]);

const LEGAL_NAME = /^[%|a-zA-Z0-9_-]*$/;
const LEGAL_NAME_TEXT = '^[%|a-zA-Z0-9_-]+$';
const TOPIC_MAX_LENGTH = 127;
const DERIVED_TOPIC_MAX_LENGTH = 255;
/** Shorter than a topic: `%RETRY%group` has to fit into one. */
const GROUP_MAX_LENGTH = 120;

export function retryTopicOf(group: string): string {
  return RETRY_PREFIX + group;
}

export function deadLetterTopicOf(group: string): string {
  return DLQ_PREFIX + group;
}

/** Retry topic of pop consumption, first form (`_`); the second joins by `+`. */
export function popRetryTopicOf(topic: string, group: string): string {
  return `${RETRY_PREFIX}${group}_${topic}`;
}

export function popRetryTopicV2Of(topic: string, group: string): string {
  return `${RETRY_PREFIX}${group}+${topic}`;
}

/** The group of a retry topic, also of the second pop form (`%RETRY%group+topic`). */
export function groupOfRetryTopic(retryTopic: string): string {
  const name = retryTopic.slice(RETRY_PREFIX.length);
  const [group = name, topic, rest] = name.split('+');
  return topic !== undefined && rest === undefined ? group : name;
}

export function isRetryTopic(topic: string): boolean {
  return topic.startsWith(RETRY_PREFIX);
}

export function isRetryOrDeadLetterTopic(topic: string): boolean {
  return topic.startsWith(RETRY_PREFIX) || topic.startsWith(DLQ_PREFIX);
}

export function isSystemGroup(group: string): boolean {
  return group.startsWith(SYSTEM_GROUP_PREFIX);
}

/** Topics that clients may not send to (the broker answers NO_PERMISSION). */
export function isNotSendableTopic(topic: string): boolean {
  return NOT_SENDABLE.has(topic);
}

/** True for undefined, empty and white-space-only text. */
export function isBlank(text: string | undefined): boolean {
  return text === undefined || text.trim() === '';
}

/** RocketMQ's remark when the topic name is not acceptable, undefined when it is. */
export function topicNameProblem(topic: string | undefined): string | undefined {
  if (topic === undefined || isBlank(topic)) return 'The specified topic is blank.';
  if (!LEGAL_NAME.test(topic)) {
    return `The specified topic: ${topic}, contains illegal characters, allowing only ${LEGAL_NAME_TEXT}`;
  }
  if (isRetryOrDeadLetterTopic(topic)) {
    if (topic.length <= DERIVED_TOPIC_MAX_LENGTH) return undefined;
    return (
      `The specified topic is DLQ or Retry topic: ${topic}, ` +
      `and it's longer than topic max length: ${DERIVED_TOPIC_MAX_LENGTH}`
    );
  }
  if (topic.length <= TOPIC_MAX_LENGTH) return undefined;
  return `The specified topic: ${topic}, is longer than topic max length: ${TOPIC_MAX_LENGTH}`;
}

/** RocketMQ's remark when the group name is not acceptable, undefined when it is. */
export function groupNameProblem(group: string | undefined): string | undefined {
  if (group === undefined || isBlank(group)) return 'The specified group is blank.';
  if (!LEGAL_NAME.test(group)) {
    return `The specified group: ${group}, contains illegal characters, allowing only ${LEGAL_NAME_TEXT}`;
  }
  if (group.length <= GROUP_MAX_LENGTH) return undefined;
  return `The specified group: ${group}, is longer than group max length: ${GROUP_MAX_LENGTH}`;
}
