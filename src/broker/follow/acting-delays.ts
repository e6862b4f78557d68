/**
 * Delayed messages of a master that is away, as its slave delivers them (`enableSlaveActingMaster`): by the slave's own
 * queues of the schedule topic, to other masters. Timed messages, transactions and pops wait for the master.
 */
import { DelayProgress } from '../../delivery/delay/delay-progress.ts';
import { DelayService } from '../../delivery/delay/delay-service.ts';
import { type DelayLevels, queueOfLevel } from '../../delivery/delay/levels.ts';
import type { Clock } from '../../lib/clock.ts';
import type { ControlLog } from '../../lib/log.ts';
import { SCHEDULE_TOPIC } from '../../lib/names.ts';
import type { Timers } from '../../lib/timers.ts';
import type { DelayOffsets } from '../../metadata/delay-offsets.ts';
import type { StoreReads } from '../../store/read/store-reads.ts';
import type { Escape } from './escape.ts';

/** Deliveries of one level under way. */
const MAX_PENDING = 16;
const NOTE_MS = 1_000;

export interface ActingDelaysParts {
  delayOffsets: Pick<DelayOffsets, 'entries' | 'set'>;
  levels: DelayLevels;
  reads: Pick<StoreReads, 'minOffset' | 'maxOffset' | 'readQueue' | 'recordAt'>;
  escape: Pick<Escape, 'put' | 'full'>;
  clock: Clock;
  timers: Timers;
  log: ControlLog;
}

export class ActingDelays {
  readonly #parts: ActingDelaysParts;
  readonly #progress: DelayProgress;
  readonly #service: DelayService;
  #cancel: () => void = () => {};

  /** From where the master had come on, as far as this slave knows. */
  constructor(parts: ActingDelaysParts) {
    const { delayOffsets, clock, timers, log, reads, levels } = parts;
    this.#parts = parts;
    this.#progress = new DelayProgress(clock, { offsets: [...delayOffsets.entries()], times: [] });
    this.#service = new DelayService({
      maxPending: () => MAX_PENDING,
      ...{ clock, timers, log, levels },
      store: reads,
      put: parts.escape.put,
      busy: () => parts.escape.full,
      progress: this.#progress,
      endAtStart: (level) => reads.maxOffset(SCHEDULE_TOPIC, queueOfLevel(level)),
    });
  }

  start(): void {
    this.#service.start();
    this.#noteLater();
  }

  /** Puts nothing more; what is under way still ends. */
  stop(): void {
    this.#cancel();
    this.#service.stop();
    this.#note();
  }

  #noteLater(): void {
    this.#cancel = this.#parts.timers.after(NOTE_MS, () => {
      this.#note();
      this.#noteLater();
    });
  }

  /** Another master has what was delivered: that it was is true whatever becomes of this log. */
  #note(): void {
    const { delayOffsets } = this.#parts;
    for (const [level, offset] of this.#progress.take(false)?.offsets ?? []) delayOffsets.set(level, offset);
  }
}
