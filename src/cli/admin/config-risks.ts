/** Which changes of a running broker's configuration lose messages or refuse clients, and in which unit values are. */
import { brokerKeys } from '../../config/broker-keys.ts';

interface Risk {
  /** `from` and `to` as the broker has them. */
  isRisky(from: string, to: string): boolean;
  /** What comes of it: a clause behind a colon. */
  what(to: string): string;
}

const lowered = (what: (to: string) => string): Risk => ({
  isRisky: (from, to) => Number(to) < Number(from),
  what,
});
const raised = (what: (to: string) => string): Risk => ({
  isRisky: (from, to) => Number(to) > Number(from),
  what,
});
const becomes = (value: string, what: string): Risk => ({
  isRisky: (_from, to) => to.toLowerCase() === value.toLowerCase(),
  what: () => what,
});

/** Names of RocketMQ; RingMQ refuses those that it cannot change while it runs. */
const RISKS: Readonly<Record<string, Risk>> = {
  fileReservedTime: lowered(
    (to) => `messages older than ${to} hours are lost when the log files that hold them are next deleted`,
  ),
  diskMaxUsedSpaceRatio: lowered(
    (to) => `expired messages are deleted at any hour once the disk is ${to} % full`,
  ),
  diskSpaceCleanForciblyRatio: lowered(
    (to) => `the oldest messages are deleted, whatever their age, once the disk is ${to} % full`,
  ),
  diskSpaceWarningLevelRatio: lowered((to) => `sends are refused once the disk is ${to} % full`),
  cleanFileForciblyEnable: becomes('true', 'the oldest messages may be deleted, whatever their age'),
  flushDiskType: becomes('ASYNC_FLUSH', 'a power cut may take messages that were acknowledged'),
  transactionCheckMax: lowered((to) => `transactional messages are given up after ${to} questions`),
  brokerPermission: {
    isRisky: (from, to) => (Number(from) & ~Number(to)) !== 0,
    what: (to) => {
      const [mayRead, mayWrite] = [(Number(to) & 4) !== 0, (Number(to) & 2) !== 0];
      if (!mayRead && !mayWrite) return 'sends and reads of all clients are refused';
      return mayRead ? 'sends of all clients are refused' : 'reads of all clients are refused';
    },
  },
  startAcceptSendRequestTimeStamp: raised((to) => `sends are refused before the time ${to}`),
  maxMessageSize: lowered((to) => `sends of messages of more than ${to} bytes are refused`),
  timerMaxDelaySec: lowered((to) => `sends with a delay of more than ${to} s are refused`),
  autoCreateTopicEnable: becomes('false', 'sends to topics that do not exist are refused'),
  autoCreateSubscriptionGroup: becomes('false', 'consumers of groups that do not exist are refused'),
  rejectTransactionMessage: becomes('true', 'transactional messages are refused'),
  rejectPullConsumerEnable: becomes('true', 'consumers that pull by themselves are refused'),
  recallMessageEnable: becomes('false', 'producers that take timed messages back are refused'),
  enablePropertyFilter: becomes('false', 'consumers with an SQL92 filter are refused'),
  channelExpiredTimeout: lowered((to) => `clients that are silent for ${to} ms are dropped`),
  popPollingSize: lowered((to) => `pops of one group and queue are refused when ${to} wait`),
  maxPopPollingSize: lowered((to) => `pops are refused when ${to} wait`),
  maxLiteSubscriptionCount: lowered((to) => `subscriptions to lite topics are refused above ${to}`),
  waitTimeMillsInSendQueue: lowered((to) => `sends that have waited for ${to} ms are refused`),
  sendThreadPoolQueueCapacity: lowered((to) => `sends are refused when ${to} wait`),
};

export const RISKY_KEYS: readonly string[] = Object.keys(RISKS);

/** Why somebody should think about it first; undefined where nothing is lost and nobody refused. */
export function riskOf(key: string, from: string, to: string): string | undefined {
  const risk = Object.hasOwn(RISKS, key) ? RISKS[key] : undefined;
  return risk?.isRisky(from, to) === true ? risk.what(to) : undefined;
}

const UNITS_IN_MEANINGS: readonly (readonly [RegExp, string])[] = [
  [/^ms\b/, 'ms'],
  [/^Bytes\b/, 'bytes'],
  [/^Hours that\b/, 'hours'],
  [/^Percent\b/, '%'],
  [/\bin seconds\b/, 's'],
];
const UNITS_IN_NAMES: readonly (readonly [RegExp, string])[] = [
  [/(?:Mill?s|Millis|Ms)$|Mills(?=[A-Z])/, 'ms'],
  [/(?:Seconds|Sec)$/, 's'],
  [/Bytes$/, 'bytes'],
];

/** Undefined where a value has none, or none that is known. */
export function unitOf(key: string): string | undefined {
  const meaning = brokerKeys.get(key)?.meaning ?? '';
  const told = UNITS_IN_MEANINGS.find(([pattern]) => pattern.test(meaning));
  return (told ?? UNITS_IN_NAMES.find(([pattern]) => pattern.test(key)))?.[1];
}
