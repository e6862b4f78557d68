/**
 * What reading a cold backlog does to those who send. Each round has a backlog of its own, written beforehand; then the
 * broker stops, all backlogs leave the memory (proven by mincore before each round), and it starts again. A round
 * sends at a fixed rate twice: alone, and while one consumer reads the backlog once, as fast as it can.
 */
import path from 'node:path';
import { createTopics, runtimeInfo } from '../admin.ts';
import { writeBack } from '../disk.ts';
import { worst } from '../disturbance.ts';
import { ledgerOf } from '../load-run.ts';
import type { Round } from '../outcome.ts';
import { evict, logFiles, logParts, residentShare } from '../page-cache.ts';
import {
  bringUp,
  fill,
  place,
  QUEUES,
  RECORD_OVERHEAD_BYTES,
  ROUND_OVERHEAD_SECONDS,
  roundTimes,
  sendRate,
  startSeconds,
  warmUp,
  warmupSeconds,
} from './broker.ts';
import { type SendLoad, sendSettings } from './send.ts';
import type { Stage, Work, WorkPlan } from './work.ts';

/** A record with 1 KiB of body, for choosing how many messages make so many bytes. */
const RECORD_BYTES = 1024 + RECORD_OVERHEAD_BYTES;
/** Rounds that others disturbed are repeated, and each needs a backlog that nobody has read. */
const SPARE_BACKLOGS = 2;
const RESIDENT_MAX = 0.01;

interface Backlog {
  topic: string;
  ledger: string;
  /** Its part of the log. */
  from: number;
  to: number;
}

async function logEnd(stage: Stage): Promise<number> {
  if (stage.target === undefined) throw new Error('no broker');
  return Number((await runtimeInfo(stage.target.port))['commitLogMaxOffset']);
}

class ColdRead implements Work {
  readonly #stage: Stage;
  readonly #load: SendLoad;
  #unread: Backlog[] = [];
  #spare = SPARE_BACKLOGS;

  constructor(stage: Stage, load: SendLoad) {
    this.#stage = stage;
    this.#load = load;
  }

  async prepare(): Promise<void> {
    const { bench, contestant } = this.#stage;
    await bringUp(this.#stage);
    for (let number = 1; number <= bench.rounds + SPARE_BACKLOGS; number++) {
      bench.say(`${contestant.title}: backlog ${number} is sent`);
      this.#unread.push(await this.#sendBacklog(number));
    }
    await this.#stage.target?.stopCleanly();
    this.#stage.target = undefined;
    await writeBack(bench.folder);
    const files = logFiles(path.join(this.#stage.home, 'store'));
    for (const { from, to } of this.#unread) evict(logParts(files, from, to));
    await bringUp(this.#stage);
    await warmUp(this.#stage, sendSettings(this.#load));
  }

  mayRepeat(): boolean {
    return this.#spare-- > 0;
  }

  async #sendBacklog(number: number): Promise<Backlog> {
    const { home, target, bench } = this.#stage;
    if (target === undefined) throw new Error('no broker');
    const topic = `ringmq_backlog_${number}`;
    const ledger = path.join(home, `ledger-${number}.json`);
    await createTopics(target.port, [topic], QUEUES);
    const from = await logEnd(this.#stage);
    const sending = { ...sendSettings({ connections: 8, inFlight: 32, bodyBytes: 1024 }), topic, ledger };
    await fill(this.#stage, sending, Math.ceil(bench.timing.coldBacklogBytes / RECORD_BYTES));
    return { topic, ledger, from, to: await logEnd(this.#stage) };
  }

  async round(): Promise<Round> {
    const { bench, target } = this.#stage;
    const backlog = this.#unread.shift();
    if (backlog === undefined || target === undefined) throw new Error('no cold backlog is left');
    const resident = residentShare(logParts(logFiles(target.store), backlog.from, backlog.to));
    if (resident > RESIDENT_MAX)
      throw new Error(`the backlog is not cold: ${(resident * 100).toFixed(1)} % of it is in memory`);
    const sending = { ...sendSettings(this.#load), ...roundTimes(bench.timing) };
    const alone = await bench.load.run(place(this.#stage), sending);
    const { round, read } = await this.#readWhileSending(backlog, sending);
    const ledger = ledgerOf(read);
    if (ledger === undefined) throw new Error('the read has no ledger');
    const p99Alone = alone.figures['p99'] as number;
    Object.assign(round.figures, {
      p99Alone,
      p99Growth: (round.figures['p99'] as number) / p99Alone,
      readRate: read.rate,
      readTime: read.seconds * 1e6,
      resident,
    });
    // the CPU time is that of both works together
    delete round.figures['cpu'];
    return {
      ...round,
      ledger,
      errors: alone.errors + round.errors + read.errors,
      disturbance: worst([alone.disturbance, round.disturbance]),
      raw: { alone: alone.raw, reading: round.raw, read },
    };
  }

  async #readWhileSending({ topic, ledger }: Backlog, sending: ReturnType<typeof sendSettings>) {
    const { load } = this.#stage.bench;
    const reading = { mode: 'pull', once: true, topic, queues: QUEUES, connections: QUEUES, ledger };
    let read: ReturnType<typeof load.generate> | undefined;
    const round = await load.run(place(this.#stage), sending, {
      onMeasuring: () => {
        read = load.generate(place(this.#stage), reading);
        read.catch(() => {});
      },
    });
    if (read === undefined) throw new Error('nothing was read');
    return { round, read: await read };
  }
}

export function coldReadWork(load: SendLoad): WorkPlan {
  return {
    filesMaxBytes: Number.POSITIVE_INFINITY,
    begin: (stage) => new ColdRead(stage, load),
    estimateSeconds: (contestant, timing) => {
      const messages = timing.coldBacklogBytes / RECORD_BYTES;
      const backlogs = 5 + SPARE_BACKLOGS;
      const filling = (backlogs * messages) / sendRate(contestant);
      return {
        prepare: 3 * startSeconds(contestant) + warmupSeconds(contestant, timing) + filling,
        round: 2 * (timing.runInSeconds + timing.measuredSeconds) + ROUND_OVERHEAD_SECONDS + 3,
      };
    },
  };
}
