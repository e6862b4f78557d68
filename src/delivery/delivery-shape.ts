/** What the delivery agent is started with, and what it tells control. */
import type { HostAddress } from '../record/message-id.ts';
import type { ChannelShape } from '../ring/channel.ts';
import type { BrokerShape } from '../store/engine-shapes.ts';
import type { ActedTimer } from './acting/acted-timers.ts';
import type { DelayState } from './delay/delay-progress.ts';
import type { DeliveryLimits } from './delivery-records.ts';
import type { ToldFigures } from './figures.ts';
import type { PopStart } from './pop/pop-link.ts';
import type { PopProgress } from './pop/pop-progress.ts';
import type { QuestionsShape } from './question-server.ts';
import type { TimerOptions } from './timer/timer-files.ts';
import type { TimerState } from './timer/timer-service.ts';
import type { HalfCheck } from './transaction/context.ts';
import type { TransactionOffsets } from './transaction/transaction-recovery.ts';

/** All of it can be posted. */
export interface DeliveryShape {
  broker: BrokerShape;
  /** Its place among the participants. */
  number: number;
  /** Topics that there are at the start, with the ids of their queues by number; later ones come as commands. */
  topics: readonly (readonly [topic: string, ids: readonly (number | undefined)[]])[];
  commands: ChannelShape;
  storeHost: HostAddress;
  /** messageDelayLevel */
  delayLevels: string;
  delays: DelayState;
  /** Where the queues of what waits ended when the broker started, by number: what has come since is all new. */
  queueEnds: readonly (readonly [topic: string, ends: readonly number[]])[];
  transactions: TransactionOffsets;
  timers: TimerOptions;
  pops: PopStart;
  /** From and to the network threads, by number. */
  questions: readonly QuestionsShape[];
  /** Groups with producers at that time. */
  producers: readonly string[];
  /** By how much the machine's clock was ahead of the monotonic one then, ms. */
  skew: number;
  limits: DeliveryLimits;
  /** This broker is a slave, and acts for its master. */
  acts: boolean;
}

/** Where the queues of a topic ended then, by number. */
export function queueEndsOf({ queueEnds }: DeliveryShape, topic: string): readonly number[] {
  return new Map(queueEnds).get(topic) ?? [];
}

/** How far each kind has come, as far as there is news. */
export interface DueProgress {
  delays?: DelayState;
  transactions?: TransactionOffsets;
  timers?: TimerState;
  pops?: PopProgress;
  /** Of a slave that acts for its master: what it has delivered since the last time. */
  acted?: readonly ActedTimer[];
}

/** A second apart at least; `stopped`: nothing is put any more, and this is the last one. */
export interface DeliveryReport {
  kind: 'delivery';
  progress: DueProgress;
  /** What was counted since the last one, if anything. */
  figures: ToldFigures | undefined;
  stopped: boolean;
}

/** A transaction that somebody is to be asked about. */
export interface CheckReport {
  kind: 'check';
  check: HalfCheck;
}
