/** What is asked of the owner of lite pops: JSON behind the head of a question (ring/question-records.ts). */
import type { LiteRules } from '../../metadata/lite-group.ts';

/** POP_LITE_MESSAGE (200070): whatever there is in the lite topics that the client has subscribed to. */
export interface LiteQuestion {
  clientId: string;
  group: string;
  /** The parent of the lite topics. */
  topic: string;
  maxCount: number;
  invisibleTime: number;
  pollTime: number;
  /** A pop with the same id repeats it. */
  attemptId?: string | undefined;
  /** Each lite topic has one queue, and an order. */
  queueId: number;
  order: true;
}

/** Where a group begins in lite topics to which a client subscribes now (RocketMQ's OffsetOption). */
export interface LiteOffset {
  type: 'POLICY' | 'OFFSET' | 'TAIL_N' | 'TIMESTAMP';
  value: number;
}

/** Values of POLICY; any other one, as 0, leaves the group where it is. */
export const POLICY_MIN = 1;
export const POLICY_MAX = 2;

/** An entry of LITE_SUBSCRIPTION_CTL (200071). */
export interface LiteSubscription {
  clientId: string;
  group: string;
  topic: string;
  action: 'PARTIAL_ADD' | 'PARTIAL_REMOVE' | 'COMPLETE_ADD' | 'COMPLETE_REMOVE';
  /** Names of queues. */
  queues: string[];
  offset?: LiteOffset | undefined;
  rules: LiteRules;
}

export interface LiteSubscriptions {
  entries: LiteSubscription[];
}

/** Told to a client that has lost a lite topic to another one (NOTIFY_UNSUBSCRIBE_LITE, 200073). */
export interface LiteNotice {
  clientId: string;
  group: string;
  queue: string;
}
