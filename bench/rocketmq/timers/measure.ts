/** One broker with many timed messages: sent, at rest, killed and started again, delivered. */
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Arrivals, LoadResult } from '../../load/recorder.ts';
import { createTopics } from '../admin.ts';
import type { StartContext } from '../broker-process.ts';
import { removeFolder } from '../cleanup.ts';
import type { Contestant } from '../contestant.ts';
import type { Disturbance } from '../disturbance.ts';
import type { LoadRun, LoadSettings } from '../load-run.ts';
import type { LedgerCount } from '../outcome.ts';
import { startTarget } from '../start.ts';
import type { Target } from '../target.ts';
import { QUEUES, TOPIC } from '../work/broker.ts';
import { firstAcknowledgement } from '../work/restart.ts';
import { CONNECTIONS, type TimersOptions } from './options.ts';

/** CPU at rest, as shares of one processor. */
export interface Rest {
  share: number;
  /** Of the first and the second half of the time: they tell whether it was a rest. */
  halves: readonly [number, number];
}

export interface TimersResult {
  name: string;
  title: string;
  sendRate: number;
  restEmpty: Rest;
  restPending: Rest;
  /** Bytes, anonymous and shared. */
  memoryEmpty: number;
  memoryPending: number;
  /** After the start on them; missing when the broker was not killed, as is the next. */
  memoryStarted?: number;
  /** From the start of the process to the first acknowledged send. */
  startMicros?: number;
  memoryMost: number;
  arrivals: Arrivals;
  cpuMicrosPerDelivery: number;
  ledger: LedgerCount;
  /** Requests that failed, of sends and pulls. */
  errors: number;
  /** While messages were delivered. */
  disturbance: Disturbance;
}

export interface TimersBench {
  context: StartContext;
  load: LoadRun;
  options: TimersOptions;
  say(line: string): void;
}

const TIMERS_TOPIC = 'ringmq_timers';
const CONSUMERS = 4;
/** Enough for what is measured after it, and no gigabytes of them. */
const WARMUP_MESSAGES = 500_000;
const LOOK_MILLIS = 500;
/** The consumer is there so long before the first message is due. */
const AHEAD_MILLIS = 3000;

function used({ memory }: Target): number {
  return memory.anonymousBytes + memory.sharedBytes;
}

export class TimersMeasurement {
  readonly #bench: TimersBench;
  readonly #contestant: Contestant;
  readonly #home: string;
  readonly #ledger: string;
  #target: Target | undefined;

  constructor(bench: TimersBench, contestant: Contestant) {
    this.#bench = bench;
    this.#contestant = contestant;
    this.#home = path.join(bench.context.folder.path, `timers-${contestant.name}`);
    this.#ledger = path.join(bench.context.folder.path, `timers-${contestant.name}.json`);
  }

  async run(): Promise<TimersResult> {
    try {
      return await this.#measure();
    } catch (error) {
      throw this.#target?.death === undefined ? error : new Error(this.#target.death);
    } finally {
      await this.#target?.stop();
      removeFolder(this.#home);
    }
  }

  async #measure(): Promise<TimersResult> {
    const { messages, leadSeconds, spreadSeconds, kill } = this.#bench.options;
    await createTopics((await this.#start()).port, [TOPIC, TIMERS_TOPIC], QUEUES);
    await this.#warmUp();
    const [restEmpty, memoryEmpty] = [await this.#rest(), used(this.#broker)];
    // a whole second, to which RocketMQ rounds
    const dueAt = Math.ceil(Date.now() / 1000 + leadSeconds) * 1000;
    const settings = this.#settings(dueAt);
    this.#say(
      `sends ${messages} messages, due from ${new Date(dueAt).toISOString()} on for ${spreadSeconds} s`,
    );
    const sent = await this.#bench.load.generate(this.#place, settings);
    if (sent.messages === 0)
      throw new Error(`not one message was accepted: ${JSON.stringify(sent.errorCodes)}`);
    this.#mustBeBefore(dueAt, 'sent');
    const [restPending, memoryPending] = [await this.#rest(), used(this.#broker)];
    const started = kill ? await this.#killAndStart() : {};
    this.#mustBeBefore(dueAt, 'found by the start after the kill, and the broker was settled');
    // what the start and the waiting cost is none of the deliveries' cost
    await sleep(Math.max(0, dueAt - Date.now() - AHEAD_MILLIS));
    const delivered = await this.#deliver(settings);
    const { name, title } = this.#contestant;
    const errors = sent.errors + delivered.errors;
    const before = { name, title, sendRate: sent.rate, restEmpty, restPending, memoryEmpty, memoryPending };
    return { ...before, ...started, ...delivered, errors };
  }

  get #broker(): Target {
    if (this.#target === undefined) throw new Error('no broker');
    return this.#target;
  }

  get #place() {
    return { target: this.#target, others: [] };
  }

  #say(line: string): void {
    this.#bench.say(`${this.#contestant.title}: ${line}`);
  }

  #settings(dueAt: number): LoadSettings {
    const { messages, spreadSeconds, bodyBytes } = this.#bench.options;
    return {
      topic: TIMERS_TOPIC,
      queues: QUEUES,
      connections: CONNECTIONS,
      body: bodyBytes,
      messages,
      'deliver-at': dueAt,
      spread: spreadSeconds * 1000,
      ledger: this.#ledger,
    };
  }

  /** Plain sends to another topic: a cold JVM refuses what has waited for more than 200 ms. */
  async #warmUp(): Promise<void> {
    const { bodyBytes, warmupSeconds } = this.#bench.options;
    this.#say(`warms up for at most ${warmupSeconds} s`);
    const sends = { topic: TOPIC, queues: QUEUES, connections: CONNECTIONS, body: bodyBytes };
    const end = { warmup: warmupSeconds, 'warmup-messages': WARMUP_MESSAGES, seconds: 0 };
    await this.#bench.load.generate(this.#place, { ...sends, ...end });
  }

  /** What is late here would be measured as late there. */
  #mustBeBefore(dueAt: number, done: string): void {
    const late = Date.now() - dueAt;
    if (late >= 0)
      throw new Error(
        `the messages were ${done} ${Math.ceil(late / 1000)} s after the first one was due: give more --lead`,
      );
  }

  async #start(ready = true): Promise<Target> {
    const { context } = this.#bench;
    this.#say('starts');
    this.#target = await startTarget(context, this.#contestant, 'ASYNC_FLUSH', this.#home, { ready });
    return this.#target;
  }

  /**
   * What the broker takes while nobody asks it for anything. A time that is fixed comes first: RocketMQ is busy for a
   * quarter of a minute after its start, so evenly that no look at its use could tell that from rest.
   */
  async #rest(): Promise<Rest> {
    const { settleSeconds, restSeconds } = this.#bench.options;
    this.#say(`settles for ${settleSeconds} s, then rests for ${restSeconds} s`);
    await sleep(settleSeconds * 1000);
    const halves = [
      await this.#cpuShare(restSeconds * 500),
      await this.#cpuShare(restSeconds * 500),
    ] as const;
    return { share: (halves[0] + halves[1]) / 2, halves };
  }

  async #cpuShare(millis: number): Promise<number> {
    const [cpu, at] = [this.#broker.cpuSeconds, performance.now()];
    await sleep(millis);
    return (this.#broker.cpuSeconds - cpu) / ((performance.now() - at) / 1000);
  }

  async #killAndStart(): Promise<Pick<TimersResult, 'startMicros' | 'memoryStarted'>> {
    await this.#target?.stop();
    const startMicros = await firstAcknowledgement(await this.#start(false));
    const { settleSeconds } = this.#bench.options;
    this.#say(`settles for ${settleSeconds} s`);
    await sleep(settleSeconds * 1000);
    return { startMicros, memoryStarted: used(this.#broker) };
  }

  async #deliver(settings: LoadSettings) {
    this.#say('delivers');
    const broker = this.#broker;
    let memoryMost = used(broker);
    const look = setInterval(() => {
      memoryMost = Math.max(memoryMost, used(broker));
    }, LOOK_MILLIS);
    try {
      const reading = { ...settings, mode: 'collect', consumers: CONSUMERS };
      const { raw, ledger, errors, figures, disturbance } = await this.#bench.load.run(this.#place, reading);
      const { arrivals } = raw as LoadResult;
      const cpuMicrosPerDelivery = figures['cpu'];
      if (arrivals === undefined || ledger === undefined || cpuMicrosPerDelivery === undefined)
        throw new Error('not one of the messages came');
      return { arrivals, ledger, errors, cpuMicrosPerDelivery, memoryMost, disturbance };
    } finally {
      clearInterval(look);
    }
  }
}
