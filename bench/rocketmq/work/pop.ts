/** Popping a backlog that lies in memory, each message acknowledged; every round begins with a new group at its start. */
import path from 'node:path';
import { BROKER_NAME } from '../broker-conf.ts';
import type { LoadSettings } from '../load-run.ts';
import {
  bringUp,
  fill,
  place,
  ROUND_OVERHEAD_SECONDS,
  roundTimes,
  sendRate,
  startSeconds,
  TOPIC,
} from './broker.ts';
import { sendSettings } from './send.ts';
import type { Stage, Work, WorkPlan } from './work.ts';

const QUEUES = 8;
const CONSUMERS = 8;

/** Where the consumers go: the proxy, if there is one. */
function byProxy({ target }: Stage): LoadSettings {
  return { 'proxy-port': target?.proxyPort };
}

export function popWork(batch: number): WorkPlan {
  const settings = {
    mode: 'pop',
    topic: TOPIC,
    queues: QUEUES,
    connections: CONSUMERS,
    'pull-batch': batch,
    'broker-name': BROKER_NAME,
  };
  return {
    filesMaxBytes: Number.POSITIVE_INFINITY,
    begin: (stage): Work => {
      const { timing, load, say } = stage.bench;
      const ledger = path.join(stage.home, 'ledger.json');
      let rounds = 0;
      return {
        async prepare() {
          await bringUp(stage, [TOPIC], QUEUES);
          say(`${stage.contestant.title}: its backlog is sent`);
          const sending = sendSettings({ connections: 8, inFlight: 32, bodyBytes: 1024 });
          await fill(stage, { ...sending, queues: QUEUES, ledger }, timing.pullBacklogMessages);
          say(`${stage.contestant.title} warms up for at most ${timing.warmupSeconds} s`);
          const warmup: LoadSettings = {
            ...settings,
            ...byProxy(stage),
            group: 'ringmq_bench_warmup',
            warmup: timing.warmupSeconds,
            'warmup-messages': timing.warmupMessages,
            seconds: 0,
          };
          await load.generate(place(stage), warmup);
        },
        round() {
          const group = `ringmq_bench_round_${++rounds}`;
          const here = { ...settings, ...byProxy(stage), ...roundTimes(timing) };
          return load.run(place(stage), { ...here, group, ledger });
        },
      };
    },
    estimateSeconds: (contestant, timing) => ({
      prepare:
        startSeconds(contestant) + timing.warmupSeconds + timing.pullBacklogMessages / sendRate(contestant),
      round: timing.runInSeconds + timing.measuredSeconds + ROUND_OVERHEAD_SECONDS + 1,
    }),
  };
}
