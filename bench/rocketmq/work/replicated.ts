/** Sends to a master with one slave, and whether the slave then has the same log. */
import { setTimeout as sleep } from 'node:timers/promises';
import { logEnd, slavesOf } from '../admin.ts';
import type { Contestant } from '../contestant.ts';
import { requireSameTail } from '../log-tail.ts';
import type { Round } from '../outcome.ts';
import type { SlaveProcess } from '../slave.ts';
import type { Target } from '../target.ts';
import { bringUp, place, ROUND_OVERHEAD_SECONDS, roundTimes, startSeconds, warmUp } from './broker.ts';
import { LagWatch } from './lag-watch.ts';
import { type SendLoad, sendSettings } from './send.ts';
import type { Stage, Work, WorkPlan } from './work.ts';

/** A real slave looks for its master every 5 s. */
const FOLLOWS_MAX_MILLIS = 120_000;
const LOOK_MILLIS = 100;
/** A pair that stood still may lose its connection when it goes on: once is not enough. */
const STEADY_MILLIS = 2000;
const COMPARED_BYTES = 64 * 2 ** 20;

interface Pair {
  master: Target;
  slave: SlaveProcess;
}

/** Undefined for a contestant that has no slave: the null server. */
function pairOf({ target }: Stage): Pair | undefined {
  const slave = target?.slave;
  return target === undefined || slave === undefined ? undefined : { master: target, slave };
}

/** Waits until the master has one slave, that counts, and lacks nothing, for some time without a gap. */
export async function slaveFollows(
  master: Pick<Target, 'port' | 'death'>,
  { most = FOLLOWS_MAX_MILLIS, steady = STEADY_MILLIS } = {},
): Promise<void> {
  const until = performance.now() + most;
  let since = performance.now();
  for (;;) {
    const slaves = await slavesOf(master.port);
    const follows = slaves.length === 1 && slaves.every(({ inSync, diff }) => inSync && diff === 0);
    if (!follows) since = performance.now();
    else if (performance.now() - since >= steady) return;
    if (master.death !== undefined) throw new Error(master.death);
    if (performance.now() > until)
      throw new Error(`its slave does not follow the master, which has ${JSON.stringify(slaves)}`);
    await sleep(LOOK_MILLIS);
  }
}

/** By the ends that both tell, asked at once. What RingMQ says of its slaves in the HA status is told at intervals. */
async function missingBytes({ master, slave }: Pair): Promise<number> {
  const [all, copied] = await Promise.all([logEnd(master.port), logEnd(slave.port)]);
  return all - copied;
}

/** A measured phase, after which the slave must come to the master's end, with the same bytes in front of it. */
async function measuredWithSlave(stage: Stage, pair: Pair, run: Run): Promise<Round> {
  const { master, slave } = pair;
  let lag: LagWatch | undefined;
  const round = await run(() => {
    lag = new LagWatch(() => missingBytes(pair), "the slave's log does not come to its master's end");
  });
  if (lag === undefined) throw new Error('the measured phase had no end');
  lag.allAcknowledged();
  const { bytes, micros } = await lag.result;
  // sends are still under way at the first look: the slave may have answered later than its master, and have more
  Object.assign(round.figures, { slaveBehind: Math.max(0, bytes), slaveBehindFor: micros });
  const end = await logEnd(master.port);
  const same = requireSameTail(master.store, slave.store, end, COMPARED_BYTES);
  stage.bench.say(`${stage.contestant.title}: the last ${same >> 20} MiB of both logs are the same`);
  return round;
}

type Run = (onDraining: () => void) => Promise<Round>;

/** Roughly, from runs on two processors. */
function replicatedRate({ kind }: Contestant): number {
  return kind === 'rocketmq' ? 12_000 : 40_000;
}

/** `steady`: how long a slave must have followed before its master gets load, ms. */
export function replicatedWork(load: SendLoad, steady = STEADY_MILLIS): WorkPlan {
  const settings = sendSettings(load);
  return {
    begin: (stage): Work => ({
      async prepare() {
        await bringUp(stage);
        const pair = pairOf(stage);
        if (pair !== undefined) await slaveFollows(pair.master, { steady });
        await warmUp(stage, settings);
      },
      async round() {
        const pair = pairOf(stage);
        if (pair !== undefined) await slaveFollows(pair.master, { steady });
        const run: Run = (onDraining) => {
          const all = { ...settings, ...roundTimes(stage.bench.timing) };
          return stage.bench.load.run(place(stage), all, { onDraining });
        };
        return pair === undefined ? run(() => {}) : measuredWithSlave(stage, pair, run);
      },
    }),
    estimateSeconds: (contestant, timing) => ({
      prepare:
        2 * startSeconds(contestant) +
        steady / 1000 +
        Math.min(timing.warmupSeconds, timing.warmupMessages / replicatedRate(contestant)),
      round: steady / 1000 + timing.runInSeconds + timing.measuredSeconds + ROUND_OVERHEAD_SECONDS,
    }),
  };
}
