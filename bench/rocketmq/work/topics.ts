/** Sending to many topics in turn, and how long their ConsumeQueues lag behind the last acknowledgement. */
import { createTopics, runtimeInfo } from '../admin.ts';
import type { Target } from '../target.ts';
import {
  bringUp,
  fill,
  place,
  QUEUES,
  ROUND_OVERHEAD_SECONDS,
  roundTimes,
  startSeconds,
  TOPIC,
  warmUp,
  warmupSeconds,
} from './broker.ts';
import { type SendLoad, sendSettings } from './send.ts';
import type { Work, WorkPlan } from './work.ts';

const LOOK_MILLIS = 20;
/** The generator goes through all queues in turn: with so many messages for each, all of them have their files. */
const ALL_QUEUES_FACTOR = 1.5;
const LAG_MAX_MILLIS = 120_000;

/** The generator numbers its topics with five digits; a single one has no number. */
export function topicNames(count: number): string[] {
  if (count === 1) return [TOPIC];
  return Array.from({ length: count }, (_, index) => `${TOPIC}_${String(index).padStart(5, '0')}`);
}

/**
 * Asks the broker how far its queues are behind its log, from the end of the sending until they are not. The answer
 * counts only once `allAcknowledged`, since a queue without a gap may still get one while sends are under way.
 */
export class LagWatch {
  #acknowledged = false;
  readonly micros: Promise<number>;

  constructor(target: Target) {
    this.micros = this.#watch(target);
    this.micros.catch(() => {});
  }

  allAcknowledged(): void {
    this.#acknowledged = true;
  }

  async #watch(target: Target): Promise<number> {
    const from = performance.now();
    let lastBehind = from;
    for (;;) {
      const final = this.#acknowledged;
      const info = await runtimeInfo(target.port);
      const behind = Number(info['dispatchBehindBytes']);
      if (Number.isNaN(behind)) throw new Error('the broker does not say how far its queues are behind');
      if (behind > 0) lastBehind = performance.now();
      else if (final) return (lastBehind - from) * 1000;
      if (performance.now() - from > LAG_MAX_MILLIS) throw new Error('the queues stay behind the log');
      await new Promise((resolve) => setTimeout(resolve, LOOK_MILLIS));
    }
  }
}

export function topicsWork(load: SendLoad, topics: number): WorkPlan {
  const settings = { ...sendSettings(load), topics };
  return {
    begin: (stage): Work => ({
      async prepare() {
        const target = await bringUp(stage, []);
        await createTopics(target.port, topicNames(topics), QUEUES);
        await fill(stage, settings, Math.ceil(topics * QUEUES * ALL_QUEUES_FACTOR));
        await warmUp(stage, settings);
      },
      async round() {
        const { load: run, timing } = stage.bench;
        let lag: LagWatch | undefined;
        const onDraining = (): void => {
          if (stage.target !== undefined) lag = new LagWatch(stage.target);
        };
        const round = await run.run(place(stage), { ...settings, ...roundTimes(timing) }, { onDraining });
        lag?.allAcknowledged();
        if (lag !== undefined) round.figures['dispatchLag'] = await lag.micros;
        return round;
      },
    }),
    estimateSeconds: (contestant, timing) => ({
      prepare: startSeconds(contestant) + warmupSeconds(contestant, timing) + topics / 500,
      round: timing.runInSeconds + timing.measuredSeconds + ROUND_OVERHEAD_SECONDS + topics / 5000,
    }),
  };
}
