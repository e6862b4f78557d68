/**
 * What control tells network threads about topics, groups and consumers. Each delta replaces what was known under
 * its name; deltas are applied in order, so every network thread's tables are those of some moment of control's.
 */

import type { WaitingRules } from '../../delivery/waiting-form.ts';
import type { LiteGroup } from '../../metadata/lite-group.ts';
import type { ColdRefusals } from '../cold/cold-reads.ts';

export interface TopicDelta {
  kind: 'topic';
  name: string;
  /** Bits: 4 read, 2 write, 1 inherit. */
  perm: number;
  order: boolean;
  readQueueNums: number;
  writeQueueNums: number;
  /** Its queues stand for priorities. */
  priority: boolean;
  /** It has lite topics below it. */
  lite: boolean;
  /** Ids in the queue directory, by queue id. */
  queues: number[];
}

export interface TopicDeletedDelta {
  kind: 'topicDeleted';
  name: string;
}

export interface GroupDelta {
  kind: 'group';
  name: string;
  /** Small integer that stands for the group in progress records. */
  id: number;
  consumeEnable: boolean;
  consumeBroadcastEnable: boolean;
  /** Where its consumers go on: those who keep up, and those who read what is no longer in memory. */
  brokerId: number;
  whichBrokerWhenConsumeSlowly: number;
  /** Of a group that consumes lite topics. */
  lite: LiteGroup | undefined;
  /** Topics that the group may not read. */
  forbidden: string[];
}

/** What a group may read of one topic has changed: the whole list may be long. */
export interface ForbiddenDelta {
  kind: 'forbidden';
  group: string;
  topic: string;
  forbidden: boolean;
}

export interface GroupDeletedDelta {
  kind: 'groupDeleted';
  name: string;
}

export interface SubscriptionView {
  topic: string;
  subVersion: number;
  expressionType: string;
  /** Of another type than TAG. */
  expression?: string;
  /** Tag hashes wanted; undefined = all. */
  codes: number[] | undefined;
}

/** The consumers of a group that are online; `undefined` model = none. */
export interface ConsumersDelta {
  kind: 'consumers';
  group: string;
  messageModel: 'CLUSTERING' | 'BROADCASTING' | undefined;
  subscriptions: SubscriptionView[];
}

/** The next pull of the group on this queue starts at `offset`; undefined = no longer. */
export interface ResetDelta {
  kind: 'reset';
  group: string;
  topic: string;
  queueId: number;
  offset: number | undefined;
}

/** The brokers of the same name as consumers may be sent to them. */
export interface Elsewhere {
  /** Whether slaves are read at all. */
  slavesRead: boolean;
  /** Whether those who are far behind have a slave to go to. */
  slaveIsNear: boolean;
  /** Of a slave: whether its master is there. */
  masterIsThere: boolean;
}

export interface SettingsDelta {
  kind: 'settings';
  brokerPermission: number;
  /** Whether other filters than tags are allowed. */
  enablePropertyFilter: boolean;
  coldReads: ColdRefusals;
  /** Whether a read from the disk brings what follows too. */
  readAhead: boolean;
  /** Whether clients may trace: every message and answer says so. */
  traceOn: boolean;
  waiting: WaitingRules;
  /** False while the disk is too full to take messages. */
  writable: boolean;
  /** A slave that is not to be read. */
  readElsewhere: boolean;
  /** Percent of the machine's memory in which recent messages are taken to be. */
  inMemoryPercent: number;
  /** What consumers are told of where to go on. */
  elsewhere: Elsewhere;
  /** A slave that acts for its master: pops are served. */
  acts: boolean;
  /** Said to producers while not writable. */
  notWritableRemark: string;
}

/** Answer to LINK_ENSURE: code 0 = it is there (its delta came before). */
export interface EnsuredDelta {
  kind: 'ensured';
  what: 'topic' | 'group';
  name: string;
  code: number;
  remark: string;
}

export type Delta =
  | TopicDelta
  | TopicDeletedDelta
  | GroupDelta
  | ForbiddenDelta
  | GroupDeletedDelta
  | ConsumersDelta
  | ResetDelta
  | SettingsDelta
  | EnsuredDelta;

/** Payload of LINK_ENSURE. */
export interface EnsureTopic {
  what: 'topic';
  name: string;
  defaultTopic: string;
  defaultTopicQueueNums: number;
  remoteAddress: string;
  topicSysFlag: number;
}

export interface EnsureGroup {
  what: 'group';
  name: string;
  remoteAddress: string;
}

/** Payload of LINK_SUBSCRIPTION: what a pull with its own subscription text said. */
export interface PulledSubscription {
  group: string;
  topic: string;
  expression: string;
  expressionType: string;
  subVersion: number;
}
