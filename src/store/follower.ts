/**
 * What follows the log: ConsumeQueues and key index, and whatever else is derived from its records and can
 * be built from them again. A follower sits in three threads, and each seat has its interface; whoever goes
 * through a list of them (dispatcher, recovery, retention) does not know which they are.
 *
 * Entering a record is no part of the interface: the dispatcher calls each follower for it directly, per
 * record and with what it has located already. Syncing is none either: the disk knows which files were
 * written (`syncRangeFiles`, `syncLater`), and the call before a checkpoint makes all of them durable.
 */
import type { Beliefs } from './recovery/beliefs.ts';

/** In the dispatcher. */
export interface LogFollower {
  /**
   * Writes what the round has entered. 0, -errno when it may be tried again once a shortage is over, or the
   * errno of a fault that stays.
   */
  commit(): number;
  /** Shows to readers what was written; the dispatched position moves after that. */
  publish(): void;
}

/** In recovery, once the log's end is known. */
export interface FollowerRecovery {
  /**
   * Keeps of its files what can be believed, removes the rest, and returns the position from which the log's
   * records have to be entered again: `logEnd` for none. From `scannedFrom` on nothing was known of the log
   * before this start.
   */
  recoverFrom(beliefs: Beliefs, scannedFrom: number, logEnd: number): number;
}

/** In the job behind retention. */
export interface FollowerRetention {
  /** Lets go of what only points before `logStart`, where the log begins now. */
  expire(logStart: number): void;
}
