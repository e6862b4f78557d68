/** What the parts that deal with transactions work with, and what the configuration says of them. */
import type { Clock } from '../../lib/clock.ts';
import type { ControlLog } from '../../lib/log.ts';
import type { Timers } from '../../lib/timers.ts';
import type { HostAddress } from '../../record/message-id.ts';
import type { Counters } from '../../ring/counters.ts';
import type { BeginPut } from '../../store/put/put-message.ts';
import type { StoreReads } from '../../store/read/store-reads.ts';
import type { DeliveryFigures } from '../figures.ts';
import type { WaitingRules } from '../waiting-form.ts';

/** Named as in the configuration. */
export interface TransactionSettings {
  transactionTimeOut: number;
  transactionCheckMax: number;
  transactionCheckInterval: number;
  transactionOpBatchInterval: number;
  transactionOpMsgMaxSize: number;
  /** Hours for which the log is kept. */
  fileReservedTime: number;
}

/** Those of lib/limits.ts. */
export interface HalfLimits {
  maxOpenHalves: number;
  maxHalvesSpan: number;
}

export interface TransactionContext {
  clock: Clock;
  timers: Timers;
  log: ControlLog;
  counters: Counters;
  figures: DeliveryFigures;
  store: Pick<
    StoreReads,
    'minOffset' | 'maxOffset' | 'readQueue' | 'recordAt' | 'minPhysicalOffset' | 'maxPhysicalOffset'
  > & {
    /** Store time in ms of the record at this position, or -1. */
    storeTimeOf(position: number): number;
  };
  /** Position up to which queues show the log. */
  dispatched: () => number;
  put: BeginPut;
  /** Whether no more may be put until some of what is under way has ended. */
  busy: () => boolean;
  storeHost: HostAddress;
  limits: HalfLimits;
  settings: () => TransactionSettings;
  rules: () => WaitingRules;
  /** Asks a member of the producer group how a transaction has ended. */
  check: (check: HalfCheck) => void;
  /** Checks that nobody has taken yet: more are not to be made. */
  checksUnderWay: () => number;
}

/** What a producer is asked. */
export interface HalfCheck {
  group: string;
  /** The message as it was meant: a whole record with the real topic and queue. */
  record: Uint8Array;
  /** Of the copy that this check has made. */
  logOffset: number;
  queueOffset: number;
  uniqueKey: string;
}
