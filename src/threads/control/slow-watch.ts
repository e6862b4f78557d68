/**
 * Control's eye on the threads: tells of a step that does not end, and of a network thread that does not come round.
 * Beside it control counts its own time. What a thread has measured itself is told by that thread (`StepClock`).
 */
import { systemClock } from '../../lib/clock.ts';
import type { ControlLog } from '../../lib/log.ts';
import { COUNTER_BLOCKS, CounterSums, Counters } from '../../ring/counters.ts';
import { LoopTime } from '../../ring/loop-time.ts';
import type { Step } from '../../ring/step-clock.ts';
import type { BrokerConfig } from '../config.ts';

const TICK_MS = 250;
/** Where control itself is slow all the time the others are looked at nevertheless. */
const MAX_SKIPPED = 2;

/** One thread's step, as control finds it in shared memory. */
interface Watched {
  thread: string;
  step: Step;
  /** Ms of the monotonic clock; 0 = none is under way. */
  began: () => number;
  /** Of which beginning was told last, and how long the step must last to be told of again, ms. */
  told: number;
  tellAt: number;
}

export class SlowWatch {
  readonly #slowMillis: number;
  readonly #log: ControlLog;
  readonly #now: () => number;
  readonly #own: Counters;
  #loopTime: LoopTime | undefined;
  readonly #watched: readonly Watched[];
  #last = 0;
  /** Ticks in a row after which the threads were not looked at. */
  #skipped = 0;
  #timer: NodeJS.Timeout | undefined;

  /** `counters`: the blocks of all threads. `now`: ms of the monotonic clock. */
  constructor(
    { slowMillis, networkThreads }: Pick<BrokerConfig, 'slowMillis' | 'networkThreads'>,
    counters: SharedArrayBuffer,
    log: ControlLog,
    now = systemClock.monotonic,
  ) {
    this.#slowMillis = slowMillis;
    this.#log = log;
    this.#now = now;
    this.#own = new Counters(counters, COUNTER_BLOCKS.control);
    this.#watched = watchedOf(new CounterSums(counters), networkThreads);
  }

  start(): void {
    const slowMillis = this.#slowMillis;
    this.#last = this.#now();
    const parts = { everyMs: TICK_MS, step: 'control', slowMillis, log: this.#log } as const;
    this.#loopTime = new LoopTime(this.#own, this.#last, parts);
    this.#timer = setInterval(() => this.tick(), TICK_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** How long the network thread that is most behind has not come round, ms. */
  get lateMs(): number {
    const now = this.#now();
    const loops = this.#watched.filter(({ step }) => step === 'network').map(({ began }) => began());
    return Math.max(0, ...loops.map((due) => (due === 0 ? 0 : now - due)));
  }

  /** To be called every 250 ms. */
  tick(): void {
    const now = this.#now();
    const wasHeldUp = now - this.#last >= 2 * TICK_MS;
    this.#last = now;
    this.#loopTime?.tick(now);
    if (this.#slowMillis === 0) return;
    // A machine that stood still makes all of them look late: they are looked at when they have had a turn.
    this.#skipped = wasHeldUp ? this.#skipped + 1 : 0;
    if (this.#skipped > 0 && this.#skipped <= MAX_SKIPPED) return;
    for (const one of this.#watched) this.#look(one, now);
  }

  #look(one: Watched, now: number): void {
    const began = one.began();
    if (began === 0) return;
    if (began !== one.told) {
      one.told = began;
      one.tellAt = this.#slowMillis;
    }
    const ms = Math.round(now - began);
    if (ms < one.tellAt) return;
    one.tellAt = ms * 2;
    const { thread, step } = one;
    this.#log.warn({ thread, step, ms }, `slow step: ${step} is still under way`);
  }
}

function watchedOf(counters: CounterSums, networkThreads: number): Watched[] {
  const { writer, flusher, dispatcher, delivery, network } = COUNTER_BLOCKS;
  const stepOf = (thread: string, step: Step, block: number): Watched => ({
    ...{ thread, step, told: 0, tellAt: 0 },
    began: () => counters.of(block, 'stepBegan'),
  });
  const watched = [
    stepOf('writer', 'append', writer),
    stepOf('flusher', 'sync', flusher),
    stepOf('dispatcher', 'dispatch', dispatcher),
    stepOf('delivery', 'delivery', delivery),
  ];
  for (let index = 0; index < networkThreads; index++) {
    const block = network + index;
    // It ticks when it has nothing else to do, so it may be a tick behind.
    const due = () => {
      const ticked = counters.of(block, 'tickedAt');
      return ticked === 0 ? 0 : ticked + TICK_MS;
    };
    watched.push({ thread: `network-${index}`, step: 'network', began: due, told: 0, tellAt: 0 });
  }
  return watched;
}
