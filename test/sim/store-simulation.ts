/**
 * One run of a store on a simulated disk against the model: random operations by seed, crashes and failures of the disk
 * among them, and after every step the question whether the store still tells the truth.
 *
 * The truth is: nothing acknowledged is lost (what was flushed, and without a power cut everything), nothing comes
 * twice within a queue or under another number, no message of a deleted topic comes up under the new one, and none that
 * was purged at all.
 */
import { tmpdir } from 'node:os';
import * as assert from 'uvu/assert';
import { APPENDED_TIME, DISPATCHED, LOG_START } from '../../src/ring/positions.ts';
import type { StoreOptions } from '../../src/store/options.ts';
import { QueueDirectory } from '../../src/store/queue/queue-directory.ts';
import { followLogStart } from '../../src/store/retention/follow-log.ts';
import { Retention } from '../../src/store/retention/retention.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { Random } from '../support/random.ts';
import { damageDerived } from './derived-damage.ts';
import { isRefusal, SimCrash, SimDisk } from './sim-disk.ts';
import { PAGE } from './sim-file.ts';
import { SimMessages, TOPICS } from './sim-messages.ts';
import { type CutShort, checkAfterOpen, checkQuery, checkQueues } from './store-checks.ts';
import { StoreModel } from './store-model.ts';

const ROOT = '/store';
/** Retention asks the real file system of this path how full it is; the files in it are simulated like all others. */
const LOG_DIRECTORY = tmpdir();

const MINUTES_10 = 600_000;
const YEAR = 365 * 24 * 3_600_000;

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
    const tail = simulation.result.operations.slice(-16).join(', ');
    const cause = error instanceof Error ? `${error.stack}\n${details(error)}` : String(error);
    throw new Error(`seed ${setup.seed} (SIM_SEED=${setup.seed} runs it again), after ${tail}: ${cause}`);
  }
  return simulation.result;
}

/** How an operation ended: as it should, with the process's death, or with a refusal of the disk. */
type Outcome = 'done' | 'died' | 'failed';

/** What a comparison has to say beyond its message. */
function details(error: Error): string {
  return 'details' in error ? String(error.details).slice(0, 2000) : '';
}

class Simulation {
  readonly result: SimulationResult = { operations: [], lost: 0, survived: 0 };
  readonly #random: Random;
  readonly #disk: SimDisk;
  readonly #model = new StoreModel();
  readonly #messages: SimMessages;
  readonly #options: Partial<StoreOptions>;
  /** Without it dispatch meets what the disk does to the log's end. */
  readonly #readsRecent: boolean;
  #store: Store;
  #now = 1_700_000_000_000;
  /** By how much the clock is ahead of what it would be. */
  #wrongBy = 0;
  /** The topic whose deletion or purge is under way: a crash leaves open whether it took effect. */
  #underWay: CutShort = {};

  constructor(seed: number, disk: SimDisk) {
    this.#random = new Random(seed);
    this.#disk = disk;
    this.#messages = new SimMessages(this.#random);
    this.#readsRecent = seed % 2 === 0;
    disk.mounts = [LOG_DIRECTORY];
    disk.unordered = this.#random.chance(0.5);
    this.#options = {
      commitLogDirectory: LOG_DIRECTORY,
      maxMessageSize: 1024,
      mappedFileSizeCommitLog: this.#random.pick([68 * 1024, 256 * 1024]),
      preallocateBytes: this.#random.pick([4096, 10_000, 1024 * 1024]),
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
    if (n < 31) return ['append', () => this.#append(1)];
    if (n < 38) return ['batch', () => this.#append(this.#random.int(2, 8))];
    if (n < 44) return ['burst', () => this.#burst()];
    if (n < 54) return ['flush', () => this.#flush()];
    if (n < 64) return ['dispatch', () => this.#dispatch()];
    if (n < 70) return ['checkpoint', () => this.#checkpoint()];
    if (n < 73) return ['writeBack', () => this.#disk.writeBack(this.#random)];
    if (n < 78) return ['query', () => this.#query()];
    if (n < 81) return ['expire', () => this.#expire()];
    if (n < 83) return ['deleteTopic', () => this.#deleteTopic()];
    if (n < 84) return ['purgeTopic', () => this.#purgeTopic()];
    if (n < 85) return ['clockStep', () => this.#stepClock()];
    if (n < 87) return ['restart', () => this.#restart()];
    if (n < 89) return ['kill', () => this.#crash(false)];
    if (n < 91) return ['powerCut', () => this.#crash(true)];
    if (n < 92) return ['unreadable page', () => this.#spoilPage()];
    if (n < 93) return ['rotten byte', () => this.#rot()];
    if (n < 97) return this.#dying();
    return this.#failing();
  }

  #open(): Store {
    return openStore({
      directory: ROOT,
      options: this.#options,
      disk: this.#disk,
      clock: { now: () => this.#now, monotonic: () => 0 },
      queueDirectory: QueueDirectory.plain(512),
      readsRecent: this.#readsRecent,
      warn: (line) => this.result.operations.push(`[${line}]`),
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

  /** Somebody sets the clock, or a wrong one is put right. */
  #stepClock(): void {
    this.#now += this.#random.pick([MINUTES_10, -MINUTES_10, YEAR, -YEAR]);
  }

  #burst(): void {
    for (let n = this.#random.int(10, 60); n > 0; n--) this.#append(1);
  }

  #append(count: number): void {
    this.#tick();
    const topic = this.#random.pick(TOPICS);
    const queueId = this.#random.int(0, 2);
    const drafts = this.#messages.batch(count, topic, queueId, this.#now);
    const unreserved = this.#disk.unreservedWrites;
    const appended = this.#store.appendBatch(topic, queueId, drafts);
    assert.is(this.#disk.unreservedWrites, unreserved, 'what is appended has its room');
    const { fileSize, model } = { fileSize: this.#options.mappedFileSizeCommitLog ?? 0, model: this.#model };
    assert.is(appended.queueOffset, model.next(topic, queueId), 'queue offsets are consecutive');
    assert.ok(appended.physicalOffset >= model.end, 'a record lies behind all others');
    // Which time that is, other tests say: here the log must keep it.
    const time = this.#store.positions.get(APPENDED_TIME);
    let position = appended.physicalOffset;
    for (const draft of drafts) {
      position += model.append(topic, queueId, draft, position, time).record.length;
    }
    const file = (at: number) => Math.floor(at / fileSize);
    assert.is(file(appended.physicalOffset), file(position + 7), 'a batch and its reserve lie in one file');
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
    if (!(await this.#store.checkpoint())) throw new Error('the checkpoint could not be written');
  }

  #query(): void {
    const { messages } = this.#model;
    const alive = messages.length === 0 ? undefined : this.#random.pick(messages);
    if (alive !== undefined) checkQuery(this.#store, this.#model, alive, this.#random.next());
  }

  /** As the broker does it: what the old topic had is settled before the name may be used again. */
  #deleteTopic(): void {
    const topic = this.#random.pick(TOPICS);
    if (this.#random.chance(0.5)) {
      this.#flush();
      this.#dispatch();
    }
    this.#underWay = { deletion: topic };
    this.#store.deleteTopic(topic);
    this.#model.deleteTopic(topic);
    this.#underWay = {};
  }

  /** Of all that may be seen. */
  #purgeTopic(): void {
    const topic = this.#random.pick(TOPICS);
    this.#dispatch();
    const position = this.#store.positions.get(DISPATCHED);
    this.#underWay = { purge: { topic, position } };
    this.#store.purgeTopic(topic);
    this.#model.purge(topic, position);
    this.#underWay = {};
    checkQueues(this.#store, this.#model);
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
        followLogStart(this.#disk, store.options, store.directory, queues, logStart, this.#model.purges);
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
    if (!(await this.#store.close())) throw new Error('the stop could not be clean');
    if (this.#random.chance(0.3)) this.#damageDerived();
    this.#reopen(this.#model.end);
  }

  /** Somebody removes or cuts what the log can make again. */
  #damageDerived(): void {
    this.result.operations.push(damageDerived(this.#disk, this.#random, ROOT));
  }

  /** Operations in which the process can die, and the disk fail. */
  #anyOperation(): [string, () => void | Promise<void>] {
    return this.#random.pick<[string, () => void | Promise<void>]>([
      ['append', () => this.#append(this.#random.int(1, 8))],
      ['flush', () => this.#flush()],
      ['dispatch', () => this.#dispatch()],
      ['checkpoint', () => this.#checkpoint()],
      ['expire', () => this.#expire()],
      ['restart', () => this.#restart()],
      ['deleteTopic', () => this.#deleteTopic()],
      ['purgeTopic', () => this.#purgeTopic()],
    ]);
  }

  /** An operation in the middle of which the process dies, alone or with the machine. */
  #dying(): [string, () => Promise<void>] {
    const [name, operation] = this.#anyOperation();
    const withMachine = this.#random.chance(0.5);
    return [
      `${name} and ${withMachine ? 'power cut' : 'kill'} within`,
      async () => {
        this.#disk.callsUntilCrash = this.#random.int(0, 12);
        if ((await this.#outcomeOf(operation)) === 'done') {
          this.#disk.callsUntilCrash = Number.POSITIVE_INFINITY;
        } else {
          this.#crash(withMachine);
        }
      },
    ];
  }

  /**
   * The disk fails in the middle of an operation. What fails halts the broker, and it ends as brokers do then: with a
   * word to the next start, or without. A full disk and a checkpoint that failed end nobody.
   */
  #failing(): [string, () => Promise<void>] {
    const [name, operation] = this.#anyOperation();
    const fault = this.#random.pick(['sync', 'sync', 'syncRangeFiles', 'write', 'allocate', 'full'] as const);
    return [
      `${name} and ${fault} fails`,
      async () => {
        if (fault === 'full') this.#disk.full = true;
        else this.#disk.fail(fault, this.#random.int(0, 2), this.#random.pick([5, 28]));
        const outcome = await this.#outcomeOf(operation);
        this.#disk.mend();
        const goesOn = outcome === 'done' || (name === 'checkpoint' && this.#random.chance(0.5));
        if (goesOn && !this.#store.positions.halted) return;
        const isMarked = this.#random.chance(0.5);
        if (isMarked) this.#store.abandon();
        // Without the mark nobody could tell an index page that has gone from one that was never written.
        const evicts = isMarked && this.#random.chance(0.5);
        if (evicts) this.#disk.evict();
        this.#crash(this.#random.chance(0.2), evicts ? this.#model.flushed : this.#model.end);
      },
    ];
  }

  /**
   * What becomes of an operation that the disk may refuse. Appends that failed are nobody's: they were not answered.
   */
  async #outcomeOf(operation: () => void | Promise<void>): Promise<Outcome> {
    try {
      await operation();
      return 'done';
    } catch (error) {
      if (error instanceof SimCrash) return 'died';
      if (isRefusal(error)) return 'failed';
      throw error;
    }
  }

  /** A page of the log cannot be read when the store is opened; then the disk is copied to a sound one. */
  #spoilPage(): void {
    const { mappedFileSizeCommitLog: fileSize = 0 } = this.#options;
    const files = this.#disk.list(LOG_DIRECTORY).filter((name) => /^\d{20}$/.test(name));
    if (files.length === 0) return;
    this.#disk.kill();
    const file = this.#random.pick(files);
    const used = Math.min(fileSize, Math.max(1, this.#model.end - Number(file)));
    this.#disk.spoilPage(`${LOG_DIRECTORY}/${file}`, this.#random.int(0, Math.floor((used - 1) / PAGE)));
    try {
      this.#open();
    } catch (error) {
      if (!isRefusal(error)) throw error;
    }
    this.#disk.mend();
    this.#crash(false);
  }

  /** A byte of a body changes on the disk: what stands behind it must not suffer. */
  #rot(): void {
    const { messages, logStart } = this.#model;
    const bodyAt = (record: Uint8Array) => ((record[39] as number) & 0x10 ? 100 : 88);
    const inLog = messages.slice(0, -1).filter(({ position, record, damaged }) => {
      const body = Buffer.from(record).readInt32BE(bodyAt(record) - 4);
      // Smaller ones have no room for a word about it, and what stands in place of a damaged one has another layout.
      return !damaged && position >= logStart && body >= 32;
    });
    if (inLog.length === 0) return;
    const message = this.#random.pick(inLog);
    const { mappedFileSizeCommitLog: fileSize = 0 } = this.#options;
    const at = message.position % fileSize;
    const name = String(message.position - at).padStart(20, '0');
    this.#disk.rot(`${LOG_DIRECTORY}/${name}`, at + bodyAt(message.record) + this.#random.int(0, 31));
    message.damaged = true;
    // A power cut before the damage is mended could take what stands behind it, and with that the reason to mend it.
    this.#disk.kill();
    this.#reopen(this.#model.end, true);
  }

  /** Without the machine, all that was written to mapped memory and files stays. */
  #crash(withMachine: boolean, safe = this.#model.end): void {
    if (withMachine) this.#disk.powerCut(this.#random);
    else this.#disk.kill();
    if (this.#random.chance(0.1)) this.#damageDerived();
    this.#reopen(withMachine ? Math.min(safe, this.#model.flushed) : safe);
  }

  /** Opens the store again; not `calmly`, that too may die or fail. */
  #reopen(atLeast: number, calmly = false): void {
    this.#tick();
    if (calmly) this.#disk.mend();
    else if (this.#random.chance(0.2)) this.#disk.callsUntilCrash = this.#random.int(0, 30);
    else if (this.#random.chance(0.05)) this.#disk.fail('sync');
    try {
      this.#store = this.#open();
    } catch (error) {
      const isRefused = isRefusal(error) && this.#disk.hasFailed;
      if (!(error instanceof SimCrash) && !isRefused) throw error;
      this.#disk.mend();
      this.#crash(this.#random.chance(0.5), atLeast);
      return;
    }
    this.#disk.mend();
    this.#disk.callsUntilCrash = Number.POSITIVE_INFINITY;
    this.result.lost += checkAfterOpen(this.#store, this.#model, atLeast, this.#underWay);
    this.#underWay = {};
  }
}
