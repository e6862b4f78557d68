/** Timed messages as a kind of messages that become due. */
import { TIMER_TOPIC } from '../../lib/names.ts';
import { nativeDisk } from '../../store/disk/native-disk.ts';
import type { InternalMessage } from '../../store/put/put-message.ts';
import { queueEndsOf } from '../delivery-shape.ts';
import type { DueKind, DueParts } from '../due-kind.ts';
import { DurableProgress } from '../durable-progress.ts';
import type { TimerMark } from './timer-mark.ts';
import { TimerService, type TimerState } from './timer-service.ts';

export class TimerKind implements DueKind {
  readonly topics = [TIMER_TOPIC];
  readonly #durable: DurableProgress<TimerState>;
  readonly #service: TimerService;

  /** `isNeeded`: whether anybody is to get a message whose time has come. */
  constructor(parts: DueParts, isNeeded: (message: InternalMessage) => boolean) {
    const { shape, clock, timers, log, positions, reads, put, busy, limits, timersSaved } = parts;
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
      isNeeded,
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
    const timers = this.#durable.take();
    return timers === undefined ? {} : { timers };
  }

  lastProgress() {
    const timers = this.#service.state();
    return timers === undefined ? {} : { timers };
  }

  close(): void {
    this.#service.close();
  }
}
