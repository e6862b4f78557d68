/** Timed messages as a kind of messages that become due. */
import { TIMER_TOPIC } from '../../lib/names.ts';
import { type Counters, counterPlace, TIMER_BOUNDS_S } from '../../ring/counters.ts';
import { nativeDisk } from '../../store/disk/native-disk.ts';
import type { InternalMessage } from '../../store/put/put-message.ts';
import { ActedNotes } from '../acting/acted-timers.ts';
import { queueEndsOf } from '../delivery-shape.ts';
import type { DueKind, DueParts } from '../due-kind.ts';
import { DurableProgress } from '../durable-progress.ts';
import type { TimerMark } from './timer-mark.ts';
import { TimerService, type TimerState } from './timer-service.ts';

/** Reports of progress, a second apart, for each look at the gauges. */
const REPORTS_PER_GAUGES = 2;
const OUT = counterPlace('timersOut');
const OFFSET = counterPlace('timersOffset');
const READ_TO = counterPlace('timersReadMillis');
const WAITING = counterPlace('timersWaiting');
const AHEAD = TIMER_BOUNDS_S.map((bound) => counterPlace(`timersWithin${bound}`));

export class TimerKind implements DueKind {
  readonly topics = [TIMER_TOPIC];
  readonly #durable: DurableProgress<TimerState>;
  readonly #service: TimerService;
  readonly #counters: Counters;
  readonly #acted: ActedNotes | undefined;
  readonly #tellActed: DueParts['tellActed'];
  #reports = 0;

  /** `isNeeded`: whether anybody is to get a message whose time has come. */
  constructor(parts: DueParts, isNeeded: (message: InternalMessage) => boolean) {
    const { shape, clock, timers, log, positions, reads, deliver: put, busy, limits, timersSaved } = parts;
    const { figures } = parts;
    this.#tellActed = parts.tellActed;
    this.#acted = shape.acts ? new ActedNotes(reads, shape.pops.reviveTopic, log) : undefined;
    this.#counters = parts.counters;
    const [endAtStart = 0] = queueEndsOf(shape, TIMER_TOPIC);
    this.#service = new TimerService({
      maxPending: () => limits().maxPending,
      clock,
      timers,
      log,
      disk: nativeDisk,
      options: shape.timers,
      store: reads,
      put,
      busy,
      ...{ isNeeded, figures },
      outcome: this.#acted?.outcome,
      delivered: () => this.#counters.add(OUT),
      endAtStart,
      skew: shape.skew,
    });
    this.#durable = new DurableProgress(() => this.#service.news(), positions);
    timersSaved.add((sequence) => this.#service.saved(sequence));
  }

  /** See TimerService. */
  mark(): TimerMark {
    return this.#service.mark();
  }

  hasPassed(mark: TimerMark): boolean {
    return this.#service.hasPassed(mark);
  }

  start(): void {
    this.#service.start();
  }

  poke(): void {
    this.#service.poke();
  }

  pokeAll(): void {
    this.#service.poke();
  }

  stop(): void {
    this.#service.stop();
  }

  get idle(): boolean {
    return this.#service.idle;
  }

  progress() {
    this.#showGauges();
    const timers = this.#durable.take();
    return timers === undefined ? {} : { timers };
  }

  /** The master may be back at any moment. */
  work(): number {
    const acted = this.#acted?.take() ?? [];
    if (acted.length > 0) this.#tellActed(acted);
    return acted.length;
  }

  /** Seldom enough for a wheel that is full. */
  #showGauges(): void {
    this.#reports = (this.#reports + 1) % REPORTS_PER_GAUGES;
    if (this.#reports !== 1) return;
    const gauges = this.#service.gauges(TIMER_BOUNDS_S.map((bound) => bound * 1_000));
    if (gauges === undefined) return;
    this.#counters.set(OFFSET, gauges.next);
    this.#counters.set(READ_TO, gauges.readTimeMs);
    this.#counters.set(WAITING, gauges.waiting);
    for (const [i, count] of gauges.ahead.entries()) this.#counters.set(AHEAD[i] as number, count);
  }

  lastProgress() {
    const timers = this.#service.state();
    return timers === undefined ? {} : { timers };
  }

  close(): void {
    this.#service.close();
  }
}
