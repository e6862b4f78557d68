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
import { LagWatch } from './lag-watch.ts';
import { type SendLoad, sendSettings } from './send.ts';
import type { Work, WorkPlan } from './work.ts';

/** The generator goes through all queues in turn: with so many messages for each, all of them have their files. */
const ALL_QUEUES_FACTOR = 1.5;

/** The generator numbers its topics with five digits; a single one has no number. */
export function topicNames(count: number): string[] {
  if (count === 1) return [TOPIC];
  return Array.from({ length: count }, (_, index) => `${TOPIC}_${String(index).padStart(5, '0')}`);
}

async function dispatchBehindBytes({ port }: Target): Promise<number> {
  const behind = Number((await runtimeInfo(port))['dispatchBehindBytes']);
  if (Number.isNaN(behind)) throw new Error('the broker does not say how far its queues are behind');
  return behind;
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
          const { target } = stage;
          if (target !== undefined)
            lag = new LagWatch(() => dispatchBehindBytes(target), 'the queues stay behind the log');
        };
        const round = await run.run(place(stage), { ...settings, ...roundTimes(timing) }, { onDraining });
        lag?.allAcknowledged();
        if (lag !== undefined) round.figures['dispatchLag'] = (await lag.result).micros;
        return round;
      },
    }),
    estimateSeconds: (contestant, timing) => ({
      prepare: startSeconds(contestant) + warmupSeconds(contestant, timing) + topics / 500,
      round: timing.runInSeconds + timing.measuredSeconds + ROUND_OVERHEAD_SECONDS + topics / 5000,
    }),
  };
}
