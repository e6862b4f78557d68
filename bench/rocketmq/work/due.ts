/**
 * Messages that come later, delayed by a level or timed, with their deliveries. A round has two parts. First the closed
 * loop of sends with a short delay, consumed meanwhile and until all have come. Then a burst, in a topic of its own:
 * sent beforehand, all due within the same second, and read as it comes.
 */
import path from 'node:path';
import { createTopics } from '../admin.ts';
import { worst } from '../disturbance.ts';
import { type LoadSettings, ledgerOf } from '../load-run.ts';
import type { LedgerCount, Round } from '../outcome.ts';
import type { Timing } from '../scenarios.ts';
import {
  bringUp,
  place,
  QUEUES,
  ROUND_OVERHEAD_SECONDS,
  roundTimes,
  startSeconds,
  warmUp,
  warmupSeconds,
} from './broker.ts';
import { type SendLoad, sendSettings } from './send.ts';
import type { Stage, Work, WorkPlan } from './work.ts';

/** How messages are put off: a kind of scenario. */
export interface DueKind {
  /** In the closed loop. */
  steady: LoadSettings;
  /** From the first send until deliveries are under way, with the second that RocketMQ may round up by. */
  steadyAfterSeconds: number;
  /** In the burst, chosen anew before each. */
  burst(timing: Timing): LoadSettings;
  burstMessages(timing: Timing): number;
  /** From the first send of a burst until it is due. */
  burstSeconds(timing: Timing): number;
}

/** The shortest level in the loop. The burst waits for longer, as its consumer starts in between. */
export const DELAYED: DueKind = {
  steady: { 'delay-level': 1 },
  steadyAfterSeconds: 1,
  burst: () => ({ 'delay-level': 2 }),
  burstMessages: (timing) => timing.delayedBurstMessages,
  burstSeconds: () => 5,
};

/** A whole second, to which RocketMQ rounds: what it rounds up does not count as late. */
function wholeSecondIn(seconds: number): number {
  return Math.ceil(Date.now() / 1000 + seconds) * 1000;
}

/** As long as RocketMQ needs for sending the burst, and more. */
const TIMED_BURST_RATE = 10_000;

export const TIMED: DueKind = {
  steady: { 'timer-delay': 2000 },
  steadyAfterSeconds: 3,
  burst: (timing) => ({ 'deliver-at': wholeSecondIn(TIMED.burstSeconds(timing)) }),
  burstMessages: (timing) => timing.timedBurstMessages,
  burstSeconds: (timing) => 3 + timing.timedBurstMessages / TIMED_BURST_RATE,
};

/** What a broker has taken it may deliver for as long as it needs: a later round must not get it. */
const DRAIN_SECONDS = 600;
const CONSUMERS = 4;

function sum(one: LedgerCount, other: LedgerCount): LedgerCount {
  return {
    lost: one.lost + other.lost,
    duplicates: one.duplicates + other.duplicates,
    foreign: one.foreign + other.foreign,
  };
}

class DueWork implements Work {
  readonly #stage: Stage;
  readonly #load: SendLoad;
  readonly #kind: DueKind;
  #rounds = 0;

  constructor(stage: Stage, load: SendLoad, kind: DueKind) {
    this.#stage = stage;
    this.#load = load;
    this.#kind = kind;
  }

  get #steady(): LoadSettings {
    const all = { ...sendSettings(this.#load), ...this.#kind.steady };
    return { ...all, mode: 'end-to-end', consumers: CONSUMERS, drain: DRAIN_SECONDS };
  }

  async prepare(): Promise<void> {
    await bringUp(this.#stage);
    await warmUp(this.#stage, this.#steady);
  }

  async round(): Promise<Round> {
    const { bench, target } = this.#stage;
    if (target === undefined) throw new Error('no broker');
    const cpuBefore = target.cpuSeconds;
    // before that there are sends without deliveries: measured with them, they would make the one look faster
    // than it is and the other slower
    const warmup = bench.timing.runInSeconds + this.#kind.steadyAfterSeconds;
    const times = { ...roundTimes(bench.timing), warmup };
    const steady = await bench.load.run(place(this.#stage), { ...this.#steady, ...times });
    // the caller says so
    if (steady.figures['rate'] === 0) return steady;
    // of sends and deliveries together, whenever a broker chose to deliver
    const cpuSeconds = target.cpuSeconds - cpuBefore;
    const { value: burst, disturbance } = await bench.watch.around(() => this.#burst(target.port));
    const { throughMessages } = steady.raw as { throughMessages: number };
    steady.figures['cpu'] = (cpuSeconds * 1e6) / throughMessages;
    steady.figures['burstRate'] = burst.rate;
    steady.figures['burstLate'] = burst.late;
    if (steady.ledger === undefined) throw new Error('the loop has no ledger');
    return {
      ...steady,
      ledger: sum(steady.ledger, burst.ledger),
      errors: steady.errors + burst.errors,
      disturbance: worst([steady.disturbance, disturbance]),
      raw: { steady: steady.raw, burst: burst.raw },
    };
  }

  async #burst(port: number) {
    const { bench, home } = this.#stage;
    const number = ++this.#rounds;
    const topic = `ringmq_burst_${number}`;
    const ledger = path.join(home, `burst-${number}.json`);
    await createTopics(port, [topic], QUEUES);
    const messages = this.#kind.burstMessages(bench.timing);
    const due = this.#kind.burst(bench.timing);
    const settings = { ...sendSettings(this.#load), ...due, topic, ledger, messages };
    const sent = await bench.load.generate(place(this.#stage), settings);
    const latest = Number(due['deliver-at'] ?? Number.POSITIVE_INFINITY);
    if (Date.now() > latest) throw new Error('the burst was due before all of it had been sent');
    const reading = { ...settings, mode: 'collect', consumers: CONSUMERS };
    const collected = await bench.load.generate(place(this.#stage), reading);
    const ledgerCount = ledgerOf(collected);
    const { arrivals } = collected;
    if (ledgerCount === undefined || arrivals === undefined) throw new Error('the burst was not read');
    const errors = sent.errors + collected.errors;
    const raw = { sent, collected };
    return { rate: arrivals.rate, late: arrivals.seen.p99, ledger: ledgerCount, errors, raw };
  }
}

export function dueWork(load: SendLoad, kind: DueKind): WorkPlan {
  return {
    begin: (stage) => new DueWork(stage, load, kind),
    estimateSeconds: (contestant, timing) => ({
      prepare: startSeconds(contestant) + 2 * warmupSeconds(contestant, timing),
      round:
        2 * (timing.runInSeconds + kind.steadyAfterSeconds + timing.measuredSeconds) +
        kind.burstSeconds(timing) +
        2 * ROUND_OVERHEAD_SECONDS,
    }),
  };
}
