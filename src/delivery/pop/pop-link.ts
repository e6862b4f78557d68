/** What the owner of pops and control tell each other. */

import type { RocketJson } from '../../protocol/rocketmq-json.ts';
import type { LiteAsk, LiteFigures } from '../lite/lite-figures.ts';

/** What the owner asks control for. */
export type PopAsk =
  /** Offsets of a group in a topic, and to hear when somebody else sets them. */
  | { what: 'offsets'; topic: string; group: string }
  /** Nothing of a group in a topic any more: it is deleted, or nobody has asked for a while. */
  | { what: 'idle'; topic: string; group: string }
  /** That the topic be made in which it writes down what ordered groups have out. */
  | { what: 'orderJournal' }
  /** Nothing: this is the answer to a LiteAsked. */
  | { what: 'liteFigures'; id: number; figures: LiteFigures }
  /** That the retry topic be made; nothing when its topic or group is gone. */
  | { what: 'retryTopic'; retryTopic: string; topic: string; group: string };

/** What control asks about lite topics; answered under the same number. */
export interface LiteAsked {
  what: 'liteAsk';
  id: number;
  ask: LiteAsk;
}

export interface PopReport {
  kind: 'pop';
  ask: PopAsk;
}

/** What control tells, as JSON of a command POP_TOLD. */
export type PopTold =
  | {
      what: 'offsets';
      topic: string;
      group: string;
      offsets: readonly (readonly [queueId: number, offset: number])[];
      /** Queues where the group has gone on while a slave acted for its master. */
      goneOn: readonly number[];
    }
  | { what: 'set'; topic: string; group: string; queueId: number; offset: number }
  | LiteAsked
  | { what: 'noRetryTopic'; retryTopic: string }
  | { what: 'groupDeleted'; group: string }
  | { what: 'topicDeleted'; topic: string };

/** What the owner begins with. */
export interface PopStart {
  reviveTopic: string;
  brokerName: string;
  /** See PopProgress; -1 where the files say nothing. */
  scanned: number;
  /** Deletions of topics and groups that control has told of by then. */
  deletions: number;
  journaled: number;
  /** Of queues beyond those that pops use there may be some that were used before. */
  revive: readonly number[];
  /** Queues of the revive topic that pops use. */
  reviveQueueNum: number;
  /** What ordered groups have out. */
  orders: readonly (readonly [topic: string, group: string, queueId: number, order: RocketJson])[];
}
