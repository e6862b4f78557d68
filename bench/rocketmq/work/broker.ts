/** What most kinds of work begin with: the broker, its topics, and a warm-up of a freshly started process. */
import { createTopics } from '../admin.ts';
import type { Contestant } from '../contestant.ts';
import type { LoadSettings, Place } from '../load-run.ts';
import type { Timing } from '../scenarios.ts';
import { startTarget } from '../start.ts';
import type { Target } from '../target.ts';
import type { Stage } from './work.ts';

export const TOPIC = 'ringmq_bench';
export const QUEUES = 4;

export function place(stage: Stage): Place {
  return { target: stage.target, others: stage.others() };
}

export async function bringUp(
  stage: Stage,
  topics: readonly string[] = [TOPIC],
  queues = QUEUES,
): Promise<Target> {
  const { bench, contestant, flush, home } = stage;
  bench.say(`${contestant.title} starts`);
  const target = await startTarget(bench.context, contestant, flush, home);
  stage.target = target;
  if (contestant.kind !== 'null' && topics.length > 0) await createTopics(target.port, topics, queues);
  return target;
}

/**
 * Sends until the broker is warm. Never with fewer in flight than 8 × 32, since a JVM compiles by the number of calls
 * and a lone request makes too few of them.
 */
export async function warmUp(
  stage: Stage,
  settings: LoadSettings,
  seconds = stage.bench.timing.warmupSeconds,
): Promise<void> {
  const { bench, contestant } = stage;
  bench.say(`${contestant.title} warms up for at most ${seconds} s`);
  const few = Number(settings['connections']) * Number(settings['in-flight']) < 256;
  await bench.load.run(place(stage), {
    ...settings,
    ...(few ? { connections: 8, 'in-flight': 32, poll: false } : {}),
    rate: 0,
    warmup: seconds,
    'warmup-messages': bench.timing.warmupMessages,
    seconds: 0,
  });
}

/** Sends so many messages and measures nothing. */
export async function fill(stage: Stage, settings: LoadSettings, messages: number): Promise<void> {
  const all = { ...settings, rate: 0, warmup: FILL_SECONDS_MAX, 'warmup-messages': messages, seconds: 0 };
  const { errors, errorCodes, warmupErrors } = await stage.bench.load.generate(place(stage), all);
  if (stage.target?.death !== undefined) throw new Error(stage.target.death);
  // a cold JVM refuses what has waited too long: then it is not in the store, and the ledger knows
  const refusedLast = Object.values(errorCodes).reduce((sum, count) => sum + count, 0);
  if (errors > refusedLast) throw new Error(`${errors - refusedLast} sends of the filling had no answer`);
  const refused = warmupErrors + refusedLast;
  if (refused > 0) stage.bench.say(`${stage.contestant.title} refused ${refused} sends of the filling`);
}

const FILL_SECONDS_MAX = 1200;

/** Settings of the measured part of a round. */
export function roundTimes(timing: Timing): LoadSettings {
  return { warmup: timing.runInSeconds, 'warmup-messages': 0, seconds: timing.measuredSeconds };
}

/** What a record has besides its body: header, topic, properties as the generator sends them and brokers add them. */
export const RECORD_OVERHEAD_BYTES = 228;

/** Roughly what these take, for the estimate of a run; from runs on two processors. */
export function startSeconds({ kind }: Contestant): number {
  return kind === 'rocketmq' ? 10 : 1;
}

export function sendRate({ kind }: Contestant): number {
  if (kind === 'limit') return 250_000;
  return kind === 'rocketmq' ? 26_000 : 140_000;
}

export function warmupSeconds(contestant: Contestant, timing: Timing, most = timing.warmupSeconds): number {
  return Math.min(most, timing.warmupMessages / sendRate(contestant));
}

/** Beside the measured phase a round waits for write-back and for a quiet machine. */
export const ROUND_OVERHEAD_SECONDS = 3;
