/** Sending and consuming at the same time, by long-polling pulls as a push consumer makes them; with the ledger. */
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

export function endToEndWork(load: SendLoad): WorkPlan {
  const settings = { ...sendSettings(load), mode: 'end-to-end', consumers: 4 };
  return {
    begin: (stage): Work => ({
      async prepare() {
        await bringUp(stage);
        await warmUp(stage, settings);
      },
      round: () => stage.bench.load.run(place(stage), { ...settings, ...roundTimes(stage.bench.timing) }),
    }),
    estimateSeconds: (contestant, timing) => ({
      prepare: startSeconds(contestant) + warmupSeconds(contestant, timing) * 1.5,
      round: timing.runInSeconds + timing.measuredSeconds + ROUND_OVERHEAD_SECONDS + 1,
    }),
  };
}
