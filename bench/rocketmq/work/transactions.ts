/**
 * Transactional sends: half message, then commit, both answered. Each round has a topic of its own, which is read once
 * afterwards: what was committed must be there, each message once.
 */
import path from 'node:path';
import { createTopics } from '../admin.ts';
import { ledgerOf } from '../load-run.ts';
import type { Round } from '../outcome.ts';
import {
  bringUp,
  place,
  QUEUES,
  ROUND_OVERHEAD_SECONDS,
  roundTimes,
  startSeconds,
  warmUp,
  warmupSeconds,
} from './broker.ts';
import { type SendLoad, sendSettings } from './send.ts';
import type { Stage, Work, WorkPlan } from './work.ts';

/** A pair is three records and two requests. */
const SENDS_IN_A_PAIR = 3;

class Transactions implements Work {
  readonly #stage: Stage;
  readonly #load: SendLoad;
  #rounds = 0;

  constructor(stage: Stage, load: SendLoad) {
    this.#stage = stage;
    this.#load = load;
  }

  async prepare(): Promise<void> {
    await bringUp(this.#stage);
    await warmUp(this.#stage, { ...sendSettings(this.#load), transaction: true });
  }

  async round(): Promise<Round> {
    const { bench, target, home } = this.#stage;
    if (target === undefined) throw new Error('no broker');
    const number = ++this.#rounds;
    const topic = `ringmq_transactions_${number}`;
    const ledger = path.join(home, `ledger-${number}.json`);
    await createTopics(target.port, [topic], QUEUES);
    const sending = { ...sendSettings(this.#load), topic, ledger, transaction: true };
    const round = await bench.load.run(place(this.#stage), { ...sending, ...roundTimes(bench.timing) });
    // the caller says so
    if (round.figures['rate'] === 0) return round;
    const reading = { mode: 'pull', once: true, topic, queues: QUEUES, connections: QUEUES, ledger };
    const read = await bench.load.generate(place(this.#stage), reading);
    const count = ledgerOf(read);
    if (count === undefined) throw new Error('the read has no ledger');
    return { ...round, ledger: count, errors: round.errors + read.errors, raw: { sent: round.raw, read } };
  }
}

export function transactionWork(load: SendLoad): WorkPlan {
  return {
    begin: (stage) => new Transactions(stage, load),
    estimateSeconds: (contestant, timing) => {
      const warmup = Math.min(timing.warmupSeconds, SENDS_IN_A_PAIR * warmupSeconds(contestant, timing));
      return {
        prepare: startSeconds(contestant) + warmup,
        round: timing.runInSeconds + timing.measuredSeconds + ROUND_OVERHEAD_SECONDS + 2,
      };
    },
  };
}
