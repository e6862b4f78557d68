/** Pulling a backlog that lies in memory: from start to end, again and again, every message checked by the ledger. */
import path from 'node:path';
import type { HeaderFormat } from '../../load/send-template.ts';
import type { LoadSettings } from '../load-run.ts';
import {
  bringUp,
  fill,
  place,
  QUEUES,
  ROUND_OVERHEAD_SECONDS,
  roundTimes,
  sendRate,
  startSeconds,
  TOPIC,
} from './broker.ts';
import { sendSettings } from './send.ts';
import type { Work, WorkPlan } from './work.ts';

/** A pull brings many messages, so a JVM sees fewer requests than with as many sends. */
const WARMUP_FACTOR = 4;

export interface PullLoad {
  /** Messages that one pull may bring. */
  pullBatch: number;
  /** A filter that all messages match, so that each of them is checked by the broker and by the ledger. */
  sql?: string;
  header?: HeaderFormat | undefined;
}

export function pullWork({ pullBatch, sql, header }: PullLoad): WorkPlan {
  const settings = {
    sql,
    header,
    mode: 'pull',
    topic: TOPIC,
    queues: QUEUES,
    connections: QUEUES,
    'pull-batch': pullBatch,
  };
  return {
    filesMaxBytes: Number.POSITIVE_INFINITY,
    begin: (stage): Work => {
      const { timing, load, say } = stage.bench;
      const ledger = path.join(stage.home, 'ledger.json');
      return {
        async prepare() {
          await bringUp(stage);
          say(`${stage.contestant.title}: its backlog is sent`);
          const sending = sendSettings({ connections: 8, inFlight: 32, bodyBytes: 1024, header });
          await fill(stage, { ...sending, ledger }, timing.pullBacklogMessages);
          say(`${stage.contestant.title} warms up`);
          const warmup: LoadSettings = {
            ...settings,
            warmup: timing.warmupSeconds,
            'warmup-messages': timing.warmupMessages * WARMUP_FACTOR,
            seconds: 0,
          };
          await load.generate(place(stage), warmup);
        },
        round: () => load.run(place(stage), { ...settings, ...roundTimes(timing), ledger }),
      };
    },
    estimateSeconds: (contestant, timing) => ({
      prepare:
        startSeconds(contestant) + timing.warmupSeconds + timing.pullBacklogMessages / sendRate(contestant),
      round: timing.runInSeconds + timing.measuredSeconds + ROUND_OVERHEAD_SECONDS,
    }),
  };
}
