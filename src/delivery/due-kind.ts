/** What a kind of messages that become due is to the agent that delivers them: delay levels are one. */
import type { Clock } from '../lib/clock.ts';
import type { Listeners } from '../lib/listeners.ts';
import type { ControlLog } from '../lib/log.ts';
import type { Timers } from '../lib/timers.ts';
import type { Counters } from '../ring/counters.ts';
import type { Positions } from '../ring/positions.ts';
import type { BeginPut } from '../store/put/put-message.ts';
import type { ReadsByName } from '../store/read/reads-by-name.ts';
import type { ActedTimer } from './acting/acted-timers.ts';
import type { DeliveryLimits } from './delivery-records.ts';
import type { DeliveryShape, DueProgress } from './delivery-shape.ts';
import type { DeliveryFigures } from './figures.ts';
import type { KnownQueues } from './known-queues.ts';
import type { PopAsk } from './pop/pop-link.ts';
import type { QuestionServer } from './question-server.ts';
import type { HalfCheck } from './transaction/context.ts';
import type { ProducersOnline } from './transaction/producers-online.ts';

/** What all kinds work with. */
export interface DueParts {
  shape: DeliveryShape;
  clock: Clock;
  /** The agent's agenda. */
  timers: Timers;
  log: ControlLog;
  /** The thread's block. */
  counters: Counters;
  /** What is counted by topic. */
  figures: DeliveryFigures;
  positions: Positions;
  reads: ReadsByName;
  put: BeginPut;
  /** The same of timers, where that differs (ActingPuts). */
  deliver: BeginPut;
  /** Whether no more may be put until some of what is under way has ended. */
  busy: () => boolean;
  limits: () => DeliveryLimits;
  producers: ProducersOnline;
  /** What network threads ask. */
  questions: QuestionServer;
  /** The queues that there are. */
  queues: KnownQueues;
  /** The next message of the queue with this id is told by `arrived`. */
  interest: (id: number) => void;
  /** Of a slave that acts for its master: timed messages that it has delivered. */
  tellActed: (acted: readonly ActedTimer[]) => void;
  pops: { ask: (ask: PopAsk) => void };
  /** Control has written the checkpoint of timers that it was told under this number. */
  timersSaved: Listeners<number>;
  checks: {
    tell: (check: HalfCheck) => void;
    /** Those that control has not taken yet. */
    readonly underWay: number;
  };
}

export interface DueKind {
  /** Their queues are followed: `poke` says where something new is. */
  readonly topics: readonly string[];
  start(): void;
  /** Entries were dispatched to a queue of one of its topics. */
  poke(topic: string, queueId: number): void;
  /** They were, and nobody knows to which queues. */
  pokeAll(): void;
  /** Entries were dispatched to a queue of another topic, in which there was interest. */
  arrived?(id: number): void;
  /** A queue is there now, whatever its topic. */
  added?(topic: string, queueId: number, id: number): void;
  /** A topic is deleted; these were its queues. */
  forgotten?(topic: string, ids: readonly number[]): void;
  /** What it does in every turn, beside what is on the agenda; returns how much that was. */
  work?(): number;
  /** Whether `work` would find something now. */
  readonly pending?: boolean;
  /** Puts nothing more; what is under way still ends. */
  stop(): void;
  /** Whether no put is under way. */
  readonly idle: boolean;
  /** What control may write to its files, as the log holds it durably: asked now and then, empty without news. */
  progress(): DueProgress;
  /** All of it, after the stop: control writes it when all of the log is durable. */
  lastProgress(): DueProgress;
  /** Files of its own are closed; nothing is asked of it any more. */
  close?(): void;
}
