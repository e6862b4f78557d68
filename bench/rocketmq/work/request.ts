/** Round trips: a request is sent and consumed, replied to, and the reply passed on to the connection that waits for it. */
import { CLUSTER_NAME } from '../broker-conf.ts';
import {
  bringUp,
  place,
  ROUND_OVERHEAD_SECONDS,
  roundTimes,
  startSeconds,
  warmUp,
  warmupSeconds,
} from './broker.ts';
import { type SendLoad, sendSettings } from './send.ts';
import type { Work, WorkPlan } from './work.ts';

/** Request and reply are stored, and the reply travels twice. */
const SENDS_IN_A_ROUND_TRIP = 3;

export function requestWork(load: SendLoad): WorkPlan {
  const replies = { mode: 'request', consumers: 4, 'reply-topic': `${CLUSTER_NAME}_REPLY_TOPIC` };
  const settings = { ...sendSettings(load), ...replies };
  return {
    begin: (stage): Work => ({
      async prepare() {
        await bringUp(stage);
        await warmUp(stage, settings);
      },
      round: () => stage.bench.load.run(place(stage), { ...settings, ...roundTimes(stage.bench.timing) }),
    }),
    estimateSeconds: (contestant, timing) => {
      const warmup = SENDS_IN_A_ROUND_TRIP * warmupSeconds(contestant, timing);
      return {
        prepare: startSeconds(contestant) + Math.min(timing.warmupSeconds, warmup),
        round: timing.runInSeconds + timing.measuredSeconds + ROUND_OVERHEAD_SECONDS + 1,
      };
    },
  };
}
