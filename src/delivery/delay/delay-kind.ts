/** Delay levels as a kind of messages that become due. */
import { SCHEDULE_TOPIC } from '../../lib/names.ts';
import { queueEndsOf } from '../delivery-shape.ts';
import type { DueKind, DueParts } from '../due-kind.ts';
import { DurableProgress } from '../durable-progress.ts';
import { DelayProgress } from './delay-progress.ts';
import { DelayService } from './delay-service.ts';
import { DelayLevels, levelOfQueue } from './levels.ts';

/** Times are many, and worth telling only with every so many reports. */
const TIMES_EVERY = 10;

export class DelayKind implements DueKind {
  readonly topics = [SCHEDULE_TOPIC];
  readonly #progress: DelayProgress;
  readonly #durable: DurableProgress<ReturnType<DelayProgress['state']>>;
  readonly #service: DelayService;
  #reports = 0;
  #wantsTimes = false;

  constructor({ shape, clock, timers, log, positions, reads, put, busy, limits }: DueParts) {
    const { delays, skew, delayLevels } = shape;
    const ends = queueEndsOf(shape, SCHEDULE_TOPIC);
    this.#progress = new DelayProgress(clock, delays, skew);
    this.#durable = new DurableProgress(() => this.#news(), positions);
    this.#service = new DelayService({
      maxPending: () => limits().maxPending,
      clock,
      timers,
      log,
      store: reads,
      put,
      busy,
      acts: shape.acts,
      progress: this.#progress,
      endAtStart: (level) => ends[level - 1] ?? 0,
      levels: new DelayLevels(delayLevels),
    });
  }

  #news() {
    const news = this.#progress.take(this.#wantsTimes);
    this.#wantsTimes = false;
    return news;
  }

  start(): void {
    this.#service.start();
  }

  poke(_topic: string, queueId: number): void {
    this.#service.poke(levelOfQueue(queueId));
  }

  pokeAll(): void {
    this.#service.pokeAll();
  }

  stop(): void {
    this.#service.stop();
  }

  get idle(): boolean {
    return this.#service.idle;
  }

  progress() {
    this.#reports += 1;
    if (this.#reports % TIMES_EVERY === 0) this.#wantsTimes = true;
    const delays = this.#durable.take();
    return delays === undefined ? {} : { delays };
  }

  lastProgress() {
    return { delays: this.#progress.state() };
  }
}
