/**
 * How long the steps of a message's way take, each measured by the thread that does it: one that took longer than
 * the limit has a line in the log. While a step lasts its beginning stands in shared memory, so that control can tell
 * of one that does not end.
 */
import { readFileSync } from 'node:fs';
import { type Clock, systemClock } from '../lib/clock.ts';
import type { ControlLog } from '../lib/log.ts';
import { type Counters, counterPlace } from './counters.ts';
import { slowLog } from './reports.ts';

/**
 * append: the writer's round, from the rings to the CommitLog. sync: making it durable. dispatch: its way to queues and
 * index. read: finding what a pull asks for. delivery: a round of what becomes due. send: from a frame to its answer.
 * network, control: a turn of that event loop. request: a request that control answers.
 */
export type Step =
  | 'append'
  | 'sync'
  | 'dispatch'
  | 'read'
  | 'delivery'
  | 'send'
  | 'network'
  | 'control'
  | 'request';

const STEP_BEGAN = counterPlace('stepBegan');
/** How often the faults of before are looked up, ms. */
const LOOK_MS = 1_000;
/** Numbers of fields, the first is 1. */
const STATE_FIELD = 3;
const MAJOR_FAULTS_FIELD = 12;

/** Where slow steps are told. */
export type SlowLog = Pick<ControlLog, 'warn'>;

export function tellSlow(log: SlowLog, step: Step, ms: number, fields: object = {}): void {
  log.warn({ step, ms: Math.round(ms), ...fields }, `slow step: ${step}`);
}

export interface StepClockParts {
  /** Ms from which on a step is slow; 0 = none is. */
  limitMs: number;
  counters: Counters;
  log?: SlowLog;
  clock?: Clock;
  /** Page faults of this thread that had to wait for the disk. */
  majorFaults?: () => number;
}

export class StepClock {
  readonly #step: Step;
  readonly #limitMs: number;
  readonly #counters: Counters;
  readonly #log: SlowLog;
  readonly #clock: Clock;
  readonly #majorFaults: () => number;
  #began = 0;
  #lookAt = Number.NEGATIVE_INFINITY;
  #faultsBefore: number;

  constructor(step: Step, parts: StepClockParts) {
    this.#step = step;
    this.#limitMs = parts.limitMs === 0 ? Number.POSITIVE_INFINITY : parts.limitMs;
    this.#counters = parts.counters;
    this.#log = parts.log ?? slowLog;
    this.#clock = parts.clock ?? systemClock;
    this.#majorFaults = parts.majorFaults ?? threadFaults;
    this.#faultsBefore = this.#majorFaults();
  }

  begin(): void {
    this.#began = this.#clock.monotonic();
    this.#counters.set(STEP_BEGAN, this.#began);
  }

  /** `bytes`: how much was done, 0 where that says nothing. Returns how long it took, ms. */
  end(bytes = 0): number {
    const now = this.#clock.monotonic();
    const took = now - this.#began;
    this.#counters.set(STEP_BEGAN, 0);
    if (took >= this.#limitMs) this.#tell(took, bytes);
    else if (now >= this.#lookAt) this.#faultsBefore = this.#majorFaults();
    else return took;
    this.#lookAt = now + LOOK_MS;
    return took;
  }

  #tell(ms: number, bytes: number): void {
    const faults = this.#majorFaults();
    // Up to a second of work before the step is in it.
    const pageFaults = faults - this.#faultsBefore;
    this.#faultsBefore = faults;
    const done = bytes > 0 ? { bytes } : {};
    tellSlow(this.#log, this.#step, ms, { ...done, ...(pageFaults > 0 ? { pageFaults } : {}) });
  }
}

/** `majflt` of proc(5), `/proc/pid/stat`, for the calling thread; 0 where there is none. */
function threadFaults(): number {
  try {
    const stat = readFileSync('/proc/thread-self/stat', 'latin1');
    // The second field is a name in parentheses, which may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return Number(fields[MAJOR_FAULTS_FIELD - STATE_FIELD]) || 0;
  } catch {
    return 0;
  }
}
