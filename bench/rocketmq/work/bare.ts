/** A bare loop as a contestant: nothing to bring up, each round writes into a folder that goes with the round. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { removeFolder } from '../cleanup.ts';
import type { Contestant } from '../contestant.ts';
import { RECORD_OVERHEAD_BYTES, ROUND_OVERHEAD_SECONDS } from './broker.ts';
import type { Work, WorkPlan } from './work.ts';

const SCRIPT = fileURLToPath(new URL('../bare-loop.process.js', import.meta.url));

function bareWork(loop: 'append' | 'write' | 'sync', bytes: number): WorkPlan {
  return {
    begin: (stage): Work => ({
      async prepare() {},
      async round() {
        const folder = path.join(stage.home, 'bare');
        const settings = { loop, bytes, seconds: stage.bench.timing.measuredSeconds, folder };
        const where = { target: undefined, others: stage.others() };
        const round = await stage.bench.load.run(where, settings, {}, SCRIPT);
        removeFolder(folder);
        return round;
      },
    }),
    estimateSeconds: (_, timing) => ({
      prepare: 0,
      round: timing.measuredSeconds + ROUND_OVERHEAD_SECONDS + 2,
    }),
  };
}

export function bareAppend(bodyBytes: number): Contestant {
  const plan = bareWork('append', bodyBytes + RECORD_OVERHEAD_BYTES);
  return { name: 'bare', title: 'bare append loop', kind: 'bare', plan };
}

/** No target, but the bound of a broker that writes instead of storing into a mapping. */
export function bareWrite(bodyBytes: number): Contestant {
  const plan = bareWork('write', bodyBytes + RECORD_OVERHEAD_BYTES);
  return { name: 'bare-write', title: 'bare write loop', kind: 'bare', plan };
}

export function bareSync(bodyBytes: number): Contestant {
  const plan = bareWork('sync', bodyBytes + RECORD_OVERHEAD_BYTES);
  return { name: 'bare', title: 'bare store-and-sync loop', kind: 'bare', plan };
}
