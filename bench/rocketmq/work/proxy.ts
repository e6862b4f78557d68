/** Sends and receives through RocketMQ's gRPC proxy, which stands in front of either broker. */
import { requireProxyTools } from '../proxy.ts';
import { bringUp, place, ROUND_OVERHEAD_SECONDS, roundTimes, startSeconds, warmUp } from './broker.ts';
import { popWork } from './pop.ts';
import { type SendLoad, sendSettings } from './send.ts';
import type { Stage, Work, WorkPlan } from './work.ts';

/** Two programs to start and to warm up: what the proxy takes besides the broker. */
const PROXY_START_SECONDS = 10;

export function proxySendWork(load: SendLoad): WorkPlan {
  const settings = (stage: Stage) => ({ ...sendSettings(load), 'proxy-port': stage.target?.proxyPort });
  return {
    require: requireProxyTools,
    begin: (stage): Work => ({
      async prepare() {
        await bringUp(stage);
        await warmUp(stage, settings(stage));
      },
      round: () =>
        stage.bench.load.run(place(stage), { ...settings(stage), ...roundTimes(stage.bench.timing) }),
    }),
    estimateSeconds: (contestant, timing) => ({
      prepare: startSeconds(contestant) + PROXY_START_SECONDS + timing.warmupSeconds,
      round: timing.runInSeconds + timing.measuredSeconds + ROUND_OVERHEAD_SECONDS,
    }),
  };
}

/** The work of the row of pops, whose consumers go to the proxy. */
export function proxyReceiveWork(batch: number): WorkPlan {
  const plan = popWork(batch);
  return {
    ...plan,
    require: requireProxyTools,
    estimateSeconds: (contestant, timing) => {
      const { prepare, round } = plan.estimateSeconds(contestant, timing);
      return { prepare: prepare + PROXY_START_SECONDS, round };
    },
  };
}
