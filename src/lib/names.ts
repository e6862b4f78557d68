/** Names of topics and groups: which are legal, which are reserved, and how derived names are built. */
import { MAX_DERIVED_TOPIC_NAME, MAX_GROUP_NAME, MAX_NAME, MAX_TOPIC_NAME } from './limits.ts';
import { quote } from './quote.ts';

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

/** Where messages wait until they become due. */
export const DUE_TOPICS: readonly string[] = [SCHEDULE_TOPIC, HALF_TOPIC, TIMER_TOPIC];

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
  TIMER_TOPIC,
  HALF_TOPIC,
  OP_HALF_TOPIC,
  TRANS_CHECK_MAX_TIME_TOPIC,
  SELF_TEST_TOPIC,
  OFFSET_MOVED_TOPIC,
  ROCKSDB_HALF_TOPIC,
  ROCKSDB_OP_HALF_TOPIC,
]);

/** Of names that others have made: brokers, clusters, addresses. */
const CONTROL_CHARACTER = /\p{Cc}/u;
const LEGAL_NAME = /^[%|a-zA-Z0-9_-]*$/;
const LEGAL_NAME_TEXT = '^[%|a-zA-Z0-9_-]+$';

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
  // A name that fills a frame is not worth a look at its characters.
  if (topic !== undefined && topic.length > MAX_NAME) return longTopic(topic);
  if (topic === undefined || isBlank(topic)) return 'The specified topic is blank.';
  if (!LEGAL_NAME.test(topic)) {
    return `The specified topic: ${quote(topic, MAX_NAME)}, contains illegal characters, allowing only ${LEGAL_NAME_TEXT}`;
  }
  // A derived topic within MAX_NAME is within its own limit too.
  if (isRetryOrDeadLetterTopic(topic)) return undefined;
  if (topic.length <= MAX_TOPIC_NAME) return undefined;
  return longTopic(topic);
}

function longTopic(topic: string): string {
  const longest = isRetryOrDeadLetterTopic(topic) ? MAX_DERIVED_TOPIC_NAME : MAX_TOPIC_NAME;
  return `The specified topic: ${quote(topic, MAX_NAME)}, is longer than topic max length: ${longest}`;
}

function longGroup(group: string): string {
  return `The specified group: ${quote(group, MAX_NAME)}, is longer than group max length: ${MAX_GROUP_NAME}`;
}

/** RocketMQ's remark when the group name is not acceptable, undefined when it is. */
export function groupNameProblem(group: string | undefined): string | undefined {
  if (group !== undefined && group.length > MAX_NAME) return longGroup(group);
  if (group === undefined || isBlank(group)) return 'The specified group is blank.';
  if (!LEGAL_NAME.test(group)) {
    return illegalGroup(group);
  }
  if (group.length <= MAX_GROUP_NAME) return undefined;
  return longGroup(group);
}

/**
 * Whether a name can be that of a topic here: what `topicNameProblem` accepts, and pop's retry topics, whose names a
 * broker makes itself.
 */
export function isTopicName(topic: string): boolean {
  return topicNameProblem(isRetryTopic(topic) ? topic.replace('+', '_') : topic) === undefined;
}

export function illegalGroup(group: string): string {
  return `The specified group: ${quote(group, MAX_NAME)}, contains illegal characters, allowing only ${LEGAL_NAME_TEXT}`;
}

/** Whether a name has some characters, and only such as topics and groups may have. */
export function isLegalName(name: string): boolean {
  return name.length > 0 && name.length <= MAX_NAME && LEGAL_NAME.test(name);
}

/** Whether a name can be that of a group here. Clients of old brokers may be in groups with longer names. */
export function isGroupName(group: string): boolean {
  return group.length <= MAX_NAME && !isBlank(group) && LEGAL_NAME.test(group);
}

/** Whether a plain name can be that of a folder, as a topic's is. */
export function isFolderName(name: string): boolean {
  return isPlainName(name) && !name.includes('/') && name !== '.' && name !== '..';
}

/** A name that is kept as it came must have some characters, not too many, and none that only control something. */
export function isPlainName(name: string): boolean {
  return name.length > 0 && name.length <= MAX_NAME && !CONTROL_CHARACTER.test(name);
}
