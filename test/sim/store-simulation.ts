/**
 * One run of a store on a simulated disk against the model: random operations by seed, crashes among them, and after
 * every step the question whether the store still tells the truth.
 */
import { tmpdir } from 'node:os';
import * as assert from 'uvu/assert';
import { recordSize } from '../../src/record/layout.ts';
import { LOG_START } from '../../src/ring/positions.ts';
import type { StoreOptions } from '../../src/store/options.ts';
import { QueueDirectory } from '../../src/store/queue/queue-directory.ts';
import { followLogStart } from '../../src/store/retention/follow-log.ts';
import { Retention } from '../../src/store/retention/retention.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { Random } from '../support/random.ts';
import { SimCrash, SimDisk } from './sim-disk.ts';
import { checkAfterOpen, checkQuery, checkQueues } from './store-checks.ts';
import { type Draft, StoreModel } from './store-model.ts';

const ROOT = '/store';
/** Retention asks the real file system of this path how full it is; the files in it are simulated like all others. */
const LOG_DIRECTORY = tmpdir();
const TOPICS = ['orders', 'bills', 'x'.repeat(130), 'SCHEDULE_TOPIC_XXXX'];
const YEAR = 365 * 24 * 3_600_000;
const TAGS = ['', 'TagA', 'TagB', '中文'];

export interface SimulationResult {
  operations: string[];
  /** Messages that a power cut has taken: a simulation that never loses any tests nothing. */
  lost: number;
  survived: number;
}

export interface SimulationSetup {
  seed: number;
  steps: number;
  disk?: SimDisk;
}

export async function simulateStore(setup: SimulationSetup): Promise<SimulationResult> {
  const simulation = new Simulation(setup.seed, setup.disk ?? new SimDisk());
  try {
    await simulation.run(setup.steps);
  } catch (error) {
    const tail = simulation.result.operations.slice(-12).join(', ');
    const cause = error instanceof Error ? `${error.stack}\n${details(error)}` : String(error);
    throw new Error(`seed ${setup.seed} (SIM_SEED=${setup.seed} runs it again), after ${tail}: ${cause}`);
  }
  return simulation.result;
}

async function survives(operation: () => void | Promise<void>): Promise<boolean> {
  try {
    await operation();
    return true;
  } catch (error) {
    if (error instanceof SimCrash) return false;
    throw error;
  }
}

/** What a comparison has to say beyond its message. */
function details(error: Error): string {
  return 'details' in error ? String(error.details).slice(0, 2000) : '';
}

class Simulation {
  readonly result: SimulationResult = { operations: [], lost: 0, survived: 0 };
  readonly #random: Random;
  readonly #disk: SimDisk;
  readonly #model = new StoreModel();
  readonly #options: Partial<StoreOptions>;
  /** In some runs all records have one size, so that stale ones lie exactly where new ones end. */
  readonly #recordSize: number | undefined;
  #store: Store;
  #now = 1_700_000_000_000;
  /** By how much the clock is ahead of what it would be. */
  #wrongBy = 0;
  #made = 0;

  constructor(seed: number, disk: SimDisk) {
    this.#random = new Random(seed);
    this.#disk = disk;
    this.#recordSize = this.#random.pick([undefined, 512, 4096]);
    this.#options = {
      commitLogDirectory: LOG_DIRECTORY,
      maxMessageSize: 1024,
      mappedFileSizeCommitLog: this.#random.pick([68 * 1024, 256 * 1024]),
      mappedFileSizeConsumeQueue: 20 * this.#random.pick([8, 300]),
      maxHashSlotNum: this.#random.pick([1, 64]),
      maxIndexNum: this.#random.pick([40, 1000]),
      flushDiskType: this.#random.pick(['SYNC_FLUSH', 'ASYNC_FLUSH'] as const),
      fileReservedTime: 0,
    };
    this.#store = this.#open();
  }

  async run(steps: number): Promise<void> {
    for (let i = 0; i < steps; i++) {
      const [name, operation] = this.#pick();
      this.result.operations.push(name);
      await operation();
    }
    this.result.survived = this.#model.messages.length;
  }

  #pick(): [string, () => void | Promise<void>] {
    const n = this.#random.int(0, 99);
    if (n < 35) return ['append', () => this.#append(1)];
    if (n < 42) return ['batch', () => this.#append(this.#random.int(2, 8))];
    if (n < 48) return ['burst', () => this.#burst()];
    if (n < 59) return ['flush', () => this.#flush()];
    if (n < 70) return ['dispatch', () => this.#dispatch()];
    if (n < 76) return ['checkpoint', () => this.#checkpoint()];
    if (n < 80) return ['writeBack', () => this.#disk.writeBack(this.#random)];
    if (n < 86) return ['query', () => this.#query()];
    if (n < 89) return ['expire', () => this.#expire()];
    if (n < 91) return ['restart', () => this.#restart()];
    if (n < 93) return ['kill', () => this.#crash(false)];
    if (n < 96) return ['powerCut', () => this.#crash(true)];
    return this.#dying();
  }

  #open(): Store {
    return openStore({
      directory: ROOT,
      options: this.#options,
      disk: this.#disk,
      clock: { now: () => this.#now, monotonic: () => 0 },
      queueDirectory: QueueDirectory.plain(64),
    });
  }

  /** Mostly forwards, now and then backwards: clocks are set, and are wrong for a while. */
  #tick(): void {
    if (this.#random.chance(this.#wrongBy === 0 ? 0.002 : 0.02)) {
      const wrongBy = this.#wrongBy === 0 ? this.#random.pick([-YEAR, YEAR]) : 0;
      this.#now += wrongBy - this.#wrongBy;
      this.#wrongBy = wrongBy;
    }
    this.#now += this.#random.chance(0.05) ? -this.#random.int(0, 5000) : this.#random.int(0, 1500);
  }

  #burst(): void {
    for (let n = this.#random.int(10, 60); n > 0; n--) this.#append(1);
  }

  #append(count: number): void {
    this.#tick();
    const topic = this.#random.pick(TOPICS);
    const queueId = this.#random.int(0, 2);
    const drafts = Array.from({ length: count }, () => this.#draft(topic, queueId));
    const appended = this.#store.appendBatch(topic, queueId, drafts);
    const { fileSize, model } = { fileSize: this.#options.mappedFileSizeCommitLog ?? 0, model: this.#model };
    assert.is(appended.queueOffset, model.next(topic, queueId), 'queue offsets are consecutive');
    assert.ok(appended.physicalOffset >= model.end, 'a record lies behind all others');
    let position = appended.physicalOffset;
    for (const draft of drafts) {
      position += model.append(topic, queueId, draft, position, this.#now).record.length;
    }
    const file = (at: number) => Math.floor(at / fileSize);
    assert.is(file(appended.physicalOffset), file(position + 7), 'a batch and its reserve lie in one file');
  }

  #draft(topic: string, queueId: number): Draft {
    const random = this.#random;
    const v6 = this.#recordSize === undefined && random.chance(0.2);
    const bornHost = { address: v6 ? random.bytes(16) : Uint8Array.of(10, 0, 0, 9), port: 50000 };
    const uniqueKey = `ID${String(this.#made++).padStart(8, '0')}`;
    const keys = random.chance(0.5) ? [`key-${random.int(0, 9)}`] : [];
    const tag = random.pick(TAGS);
    let properties = `UNIQ_KEY\x01${uniqueKey}\x02`;
    if (keys.length > 0) properties += `KEYS\x01${keys.join(' ')}\x02`;
    if (tag !== '') properties += `TAGS\x01${tag}\x02`;
    if (random.chance(0.2)) properties += `DELAY\x01${random.int(1, 20)}\x02`;
    const largest = random.chance(0.03) ? 20_000 : 900;
    return {
      head: {
        queueId,
        flag: random.int(0, 3),
        sysFlag: 0,
        bornTimestamp: this.#now - 5,
        bornHost,
        storeHost: { address: Uint8Array.of(10, 0, 0, 1), port: 10911 },
        reconsumeTimes: 0,
        preparedTransactionOffset: 0,
      },
      body: random.bytes(this.#evenBody(topic, properties) ?? random.int(0, largest)),
      properties,
      uniqueKey,
      keys,
      tag,
    };
  }

  /** Length of the body that makes all records of a run equally long. */
  #evenBody(topic: string, properties: string): number | undefined {
    return (
      this.#recordSize && this.#recordSize - recordSize(0, topic.length, Buffer.byteLength(properties), 0)
    );
  }

  #flush(): void {
    this.#store.flush();
    this.#model.flushed = this.#model.end;
  }

  #dispatch(): void {
    this.#store.dispatch();
    checkQueues(this.#store, this.#model);
  }

  async #checkpoint(): Promise<void> {
    assert.is(await this.#store.checkpoint(), true);
  }

  #query(): void {
    const message = this.#model.messages.length === 0 ? undefined : this.#random.pick(this.#model.messages);
    if (message !== undefined) checkQuery(this.#store, this.#model, message, this.#random.next());
  }

  /** Files that expire were flushed, dispatched and covered by a checkpoint long ago. */
  async #expire(): Promise<void> {
    const store = this.#store;
    this.#flush();
    store.dispatch();
    await this.#checkpoint();
    const retention = new Retention({
      disk: this.#disk,
      options: store.options,
      positions: store.positions,
      clock: { now: () => this.#now, monotonic: () => 0 },
      log: { info: () => {}, warn: () => {}, error: () => {} },
      followLog: async () => {
        const queues = [...this.#model.queues.values()].map(({ topic, queueId }) => ({
          topic,
          queueId,
          id: store.queue(topic, queueId)?.id ?? 0,
        }));
        const logStart = store.positions.get(LOG_START);
        followLogStart(this.#disk, store.options, store.directory, queues, logStart);
      },
      announce: () => {},
      mayGo: async () => true,
      removeFile: async (path) => this.#disk.remove(path),
    });
    await retention.run(true);
    for (const queue of this.#model.queues.values()) queue.checked = 0;
    checkQueues(store, this.#model);
  }

  async #restart(): Promise<void> {
    this.#flush();
    assert.is(await this.#store.close(), true, 'a stop with everything flushed and dispatched is clean');
    this.#reopen(this.#model.end);
  }

  /** An operation in the middle of which the process dies, alone or with the machine. */
  #dying(): [string, () => Promise<void>] {
    const operations: [string, () => void | Promise<void>][] = [
      ['flush', () => this.#flush()],
      ['dispatch', () => this.#dispatch()],
      ['checkpoint', () => this.#checkpoint()],
      ['expire', () => this.#expire()],
      ['restart', () => this.#restart()],
    ];
    const [name, operation] = this.#random.pick(operations);
    const withMachine = this.#random.chance(0.5);
    return [
      `${name} and ${withMachine ? 'power cut' : 'kill'} within`,
      async () => {
        this.#disk.callsUntilCrash = this.#random.int(0, 6);
        if (await survives(operation)) this.#disk.callsUntilCrash = Number.POSITIVE_INFINITY;
        else this.#crash(withMachine);
      },
    ];
  }

  /** Without the machine, all that was written to mapped memory and files stays. */
  #crash(withMachine: boolean, safe = this.#model.end): void {
    if (withMachine) this.#disk.powerCut(this.#random);
    else this.#disk.kill();
    this.#reopen(withMachine ? Math.min(safe, this.#model.flushed) : safe);
  }

  #reopen(atLeast: number): void {
    this.#tick();
    if (this.#random.chance(0.2)) this.#disk.callsUntilCrash = this.#random.int(0, 12);
    try {
      this.#store = this.#open();
    } catch (error) {
      if (!(error instanceof SimCrash)) throw error;
      this.#crash(this.#random.chance(0.5), atLeast);
      return;
    }
    this.#disk.callsUntilCrash = Number.POSITIVE_INFINITY;
    this.result.lost += checkAfterOpen(this.#store, this.#model, atLeast);
  }
}
