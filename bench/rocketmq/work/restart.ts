/**
 * How long a start takes: on an empty store, on a large one after kill -9, and on that after a clean stop. From the
 * start of the broker's process (RocketMQ's name server runs already) to the first message that it acknowledges.
 */
import path from 'node:path';
import { acceptsMessage } from '../admin.ts';
import { removeFolder } from '../cleanup.ts';
import { type Disturbance, worst } from '../disturbance.ts';
import type { Round } from '../outcome.ts';
import { startTarget } from '../start.ts';
import type { Target } from '../target.ts';
import { bringUp, fill, place, RECORD_OVERHEAD_BYTES, sendRate, startSeconds, TOPIC } from './broker.ts';
import { sendSettings } from './send.ts';
import type { Stage, Work, WorkPlan } from './work.ts';

/** A record with 1 KiB of body, for choosing how many messages make so many bytes. */
const RECORD_BYTES = 1024 + RECORD_OVERHEAD_BYTES;
const START_MAX_MILLIS = 600_000;
const POLL_MILLIS = 5;
const FILL_BATCH = 32;
/** Messages a second in batches against those of single sends, roughly. */
const BATCH_SPEEDUP = 2.5;
/** What is sent before the kill, so that the last checkpoint is behind. */
const BURST_SECONDS = 2;

export async function firstAcknowledgement(target: Target): Promise<number> {
  for (;;) {
    if (await acceptsMessage(target.port, TOPIC)) return (performance.now() - target.startedAt) * 1000;
    if (target.death !== undefined) throw new Error(target.death);
    if (performance.now() - target.startedAt > START_MAX_MILLIS) throw new Error('accepts no message');
    await new Promise((resolve) => setTimeout(resolve, POLL_MILLIS));
  }
}

class Restart implements Work {
  readonly #stage: Stage;
  readonly #sending = sendSettings({ connections: 8, inFlight: 32, bodyBytes: 1024 });

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  async prepare(): Promise<void> {
    const { bench, contestant } = this.#stage;
    await bringUp(this.#stage);
    const messages = Math.ceil(bench.timing.restartStoreBytes / RECORD_BYTES);
    bench.say(`${contestant.title}: a store of ${bench.timing.restartStoreBytes / 2 ** 30} GiB is written`);
    // In batches, which leave the same records in the log in a quarter of the time.
    await fill(this.#stage, { ...this.#sending, 'in-flight': 4, batch: FILL_BATCH }, messages);
  }

  async #start(home: string): Promise<{ micros: number; disturbance: Disturbance }> {
    const { bench, contestant, flush } = this.#stage;
    const { value, disturbance } = await bench.watch.around(async () => {
      const target = await startTarget(bench.context, contestant, flush, home, { ready: false });
      this.#stage.target = target;
      return firstAcknowledgement(target);
    });
    return { micros: value, disturbance };
  }

  async round(): Promise<Round> {
    const stage = this.#stage;
    const { home, bench } = stage;
    const burst = { ...this.#sending, warmup: BURST_SECONDS, seconds: 0 };
    const { errors } = await bench.load.generate(place(stage), burst);
    await stage.target?.stop();
    const crash = await this.#start(home);
    await stage.target?.stopCleanly();
    const clean = await this.#start(home);
    await stage.target?.stopCleanly();
    const emptyHome = path.join(home, 'empty');
    const empty = await this.#start(emptyHome);
    await stage.target?.stop();
    removeFolder(emptyHome);
    stage.target = await startTarget(bench.context, stage.contestant, stage.flush, home);
    const figures = { emptyStart: empty.micros, crashStart: crash.micros, cleanStart: clean.micros };
    const disturbance = worst([empty.disturbance, crash.disturbance, clean.disturbance]);
    return { figures, errors, idleShare: 0, disturbance };
  }
}

export function restartWork(): WorkPlan {
  return {
    filesMaxBytes: Number.POSITIVE_INFINITY,
    begin: (stage) => new Restart(stage),
    estimateSeconds: (contestant, timing) => ({
      prepare:
        startSeconds(contestant) +
        timing.restartStoreBytes / RECORD_BYTES / (BATCH_SPEEDUP * sendRate(contestant)),
      round: contestant.kind === 'rocketmq' ? 100 : 8,
    }),
  };
}
