/** Sending, in the closed or the open loop: the load generator with settings from the scenario. */
import type { HeaderFormat } from '../../load/send-template.ts';
import type { LoadSettings } from '../load-run.ts';
import {
  bringUp,
  place,
  QUEUES,
  ROUND_OVERHEAD_SECONDS,
  roundTimes,
  startSeconds,
  TOPIC,
  warmUp,
  warmupSeconds,
} from './broker.ts';
import type { Stage, Work, WorkPlan } from './work.ts';

export interface SendLoad {
  connections: number;
  /** Requests in flight on each connection; in the open loop the most that may wait. */
  inFlight: number;
  bodyBytes: number;
  batch?: number;
  /** Messages a second in the open loop; without it, the closed loop. */
  rate?: number;
  /** The generator polls instead of sleeping until there is something to do. */
  poll?: boolean;
  /** JSON, unless it says otherwise. */
  header?: HeaderFormat | undefined;
  tls?: boolean;
}

export function sendSettings({
  connections,
  inFlight,
  bodyBytes,
  batch,
  rate,
  poll,
  header,
  tls,
}: SendLoad): LoadSettings {
  return {
    topic: TOPIC,
    queues: QUEUES,
    connections,
    'in-flight': inFlight,
    body: bodyBytes,
    batch,
    rate: rate ?? 0,
    poll,
    header,
    tls,
  };
}

export function sendWork(load: SendLoad): WorkPlan {
  const settings = sendSettings(load);
  return {
    sharesBroker: true,
    begin: (stage: Stage): Work => ({
      async prepare() {
        if (stage.target !== undefined) return warmUp(stage, settings, stage.bench.timing.adaptSeconds);
        await bringUp(stage);
        await warmUp(stage, settings);
      },
      round: () => stage.bench.load.run(place(stage), { ...settings, ...roundTimes(stage.bench.timing) }),
    }),
    estimateSeconds: (contestant, timing) => ({
      prepare: startSeconds(contestant) + warmupSeconds(contestant, timing),
      adapt: warmupSeconds(contestant, timing, timing.adaptSeconds),
      round: timing.runInSeconds + timing.measuredSeconds + ROUND_OVERHEAD_SECONDS,
    }),
  };
}
