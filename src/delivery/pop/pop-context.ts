/** What the parts that deal with pops work with. */
import type { Clock } from '../../lib/clock.ts';
import type { ControlLog } from '../../lib/log.ts';
import type { Timers } from '../../lib/timers.ts';
import { APPENDED, DISPATCHED } from '../../ring/positions.ts';
import type { BeginPut } from '../../store/put/put-message.ts';
import type { StoreReads } from '../../store/read/store-reads.ts';
import type { DueParts } from '../due-kind.ts';
import type { DeliveryFigures } from '../figures.ts';
import type { WaitingRules } from '../waiting-form.ts';
import type { RevivePlace } from './checkpoint.ts';

/** Named as in the configuration. */
export interface PopSettings {
  /** Requests of one group and queue that may wait for messages, and of all. */
  popPollingSize: number;
  maxPopPollingSize: number;
  /** Of 100 pops, those that look into the retry topic first. */
  popFromRetryProbability: number;
  popFromRetryProbabilityForPriority: number;
  /** Queue 0 of a topic with priorities is the lowest. */
  priorityOrderAsc: boolean;
  /** Subscriptions to lite topics, each of one client to one. */
  maxLiteSubscriptionCount: number;
}

export interface PopContext {
  clock: Clock;
  timers: Timers;
  log: ControlLog;
  store: Pick<
    StoreReads,
    'minOffset' | 'maxOffset' | 'readQueue' | 'recordAt' | 'minPhysicalOffset' | 'maxPhysicalOffset'
  >;
  put: BeginPut;
  figures: DeliveryFigures;
  /** Whether no more may be put until some of what is under way has ended. */
  busy: () => boolean;
  /** Whether the queues hold what the log held at the start. */
  allDispatched: () => boolean;
  /** Number between 0 and 1. */
  random: () => number;
  rules: () => WaitingRules;
  settings: () => PopSettings;
  place: RevivePlace;
  /** This broker is a slave, and acts for its master: nothing is written down, and others have the retry topics. */
  acts: boolean;
  reviveQueues: number;
}

/** `random`: numbers between 0 and 1. */
export function contextOf(parts: DueParts, random: () => number): PopContext {
  const { shape, clock, timers, log, positions, reads, put, busy, limits, figures } = parts;
  const { reviveTopic, brokerName, reviveQueueNum } = shape.pops;
  const logEnd = positions.get(APPENDED);
  return {
    ...{ clock, timers, log, store: reads, put, busy, random, figures },
    allDispatched: () => positions.get(DISPATCHED) >= logEnd,
    rules: () => limits().waiting,
    settings: () => limits().pops,
    place: { reviveTopic, brokerName, bornHost: shape.storeHost },
    acts: shape.acts,
    reviveQueues: reviveQueueNum,
  };
}
