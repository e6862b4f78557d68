/**
 * A broker whose groups pop, without network: the owner of pops and the timer on a simulated machine, the ring to the
 * writer, and control, which hears and tells late. It stops, is killed, loses power and starts again.
 */
import * as assert from 'uvu/assert';
import { DurableProgress } from '../../src/delivery/durable-progress.ts';
import { DeliveryFigures } from '../../src/delivery/figures.ts';
import { KnownQueues } from '../../src/delivery/known-queues.ts';
import { PopControl } from '../../src/delivery/pop/pop-control.ts';
import type { PopAsk } from '../../src/delivery/pop/pop-link.ts';
import { TimerCheckKeeper } from '../../src/delivery/timer/timer-check-keeper.ts';
import { TimerService, type TimerState } from '../../src/delivery/timer/timer-service.ts';
import type { ControlLog } from '../../src/lib/log.ts';
import { popRetryTopicOf, TIMER_TOPIC } from '../../src/lib/names.ts';
import { skewOf } from '../../src/metadata/append-times.ts';
import { ResponseCode } from '../../src/protocol/codes.ts';
import {
  type BeginPut,
  type InternalMessage,
  type PutResult,
  refused,
} from '../../src/store/put/put-message.ts';
import { PopRig } from '../support/pop-rig.ts';
import type { Random } from '../support/random.ts';
import { SimMachine } from './sim-machine.ts';
import { REVIVE_QUEUES, REVIVE_TOPIC, SimPopTables } from './sim-pop-tables.ts';

const PRECISION_MS = 1_000;
/** Puts that the ring to the writer has room for. */
const RING = 24;
const FILES = {
  directory: '/store',
  timerPrecisionMs: PRECISION_MS,
  timerRollWindowSlot: 15,
  mappedFileSizeTimerLog: 52 * 40 + 16,
  wheelSlots: 200,
};

export interface Trouble {
  /** The ring is full; puts are refused at once; some fail later; the writer stands; reads fail. */
  busy: boolean;
  refusing: boolean;
  failing: boolean;
  stuck: boolean;
  unreadable: boolean;
}

interface Waiting {
  message: InternalMessage;
  done: (result: PutResult) => void;
}

export class SimPopBroker {
  readonly machine: SimMachine;
  readonly topics = new Map<string, number>([
    [TIMER_TOPIC, 1],
    [REVIVE_TOPIC, REVIVE_QUEUES],
  ]);
  readonly groups = new Set<string>();
  readonly trouble: Trouble = {
    ...{ busy: false, refusing: false, failing: false, stuck: false, unreadable: false },
  };
  readonly lines: string[] = [];
  rig!: PopRig;
  readonly #random: Random;
  readonly #tables: SimPopTables;
  readonly #log: ControlLog;
  #control!: PopControl;
  #service!: TimerService;
  #keeper!: TimerCheckKeeper;
  #durable!: DurableProgress<TimerState>;
  #queues!: KnownQueues;
  #lastId = 0;
  /** Queues whose next message is told, and where each ended when that was looked at last; by id. */
  #interest = new Set<number>();
  #ends = new Map<number, number>();
  #ring: Waiting[] = [];
  /** Commands on their way. */
  #toControl: (() => void)[] = [];
  #toAgent: (() => void)[] = [];

  constructor(random: Random) {
    this.#random = random;
    this.machine = new SimMachine(random.pick(['SYNC_FLUSH', 'ASYNC_FLUSH'] as const));
    this.machine.disk.makeDirectory('/store/config');
    const line = (fields: object, text: string) =>
      void this.lines.push(`${this.machine.time} ${text} ${JSON.stringify(fields)}`);
    this.#log = { info: line, warn: line, error: line };
    const { topics, groups } = this;
    this.#tables = new SimPopTables({ topics, groups }, this.machine.clock, (topic, queues) => {
      this.#toAgent.push(() => this.#add(topic, queues));
    });
    this.begin();
  }

  begin(): void {
    this.machine.open();
    [this.#ring, this.#toControl, this.#toAgent] = [[], [], []];
    this.#interest = new Set();
    this.#ends = new Map();
    this.#queues = new KnownQueues();
    this.#tables.load();
    this.#control = new PopControl(this.#tables.tables, (told) =>
      this.#toAgent.push(() => this.rig.kind.hear(told)),
    );
    void this.#control.prepare(this.machine.reads().maxOffset(TIMER_TOPIC, 0));
    for (const [topic, count] of this.topics) this.#name(topic, count);
    this.#beginTimer();
    const { clock, agenda, store } = this.machine;
    this.rig = new PopRig({
      ...{ clock, timers: agenda, reads: this.reads(), positions: store.positions, put: this.#put },
      busy: () => this.#isBusy,
      queues: this.#queues,
      interest: (id) => this.#interest.add(id),
      ask: (ask: PopAsk) => this.#toControl.push(() => this.#control.asked(ask)),
      timer: this.#service,
      start: JSON.parse(JSON.stringify(this.#control.start)),
      random: () => this.#random.next(),
      log: this.#log,
    });
  }

  get #isBusy(): boolean {
    return this.trouble.busy || this.#ring.length >= RING;
  }

  #beginTimer(): void {
    const { machine } = this;
    const { clock, agenda: timers, disk, store } = machine;
    this.#keeper = new TimerCheckKeeper(disk, '/store', this.#log, (sequence) =>
      this.#toAgent.push(() => this.#service.saved(sequence)),
    );
    const reads = this.reads();
    this.#service = new TimerService({
      figures: new DeliveryFigures(),
      ...{ maxPending: () => 8, clock, timers, log: this.#log, disk, options: FILES, store: reads },
      ...{ put: this.#put, busy: () => this.#isBusy },
      isNeeded: (message) => this.rig.kind.isNeeded(message),
      endAtStart: reads.maxOffset(TIMER_TOPIC, 0),
      skew: skewOf(clock),
    });
    this.#durable = new DurableProgress(() => this.#service.news(), store.positions);
    this.#service.start();
  }

  #name(topic: string, count: number): number[] {
    const ids = [];
    for (let queueId = 0; queueId < count; queueId++) {
      this.#queues.add(topic, queueId, ++this.#lastId);
      ids.push(this.#lastId);
    }
    return ids;
  }

  #add(topic: string, count: number): void {
    for (const [queueId, id] of this.#name(topic, count).entries()) this.rig.kind.added(topic, queueId, id);
  }

  /** Reads that may fail. */
  reads() {
    const { machine } = this;
    const { readQueue, recordAt, ...offsets } = machine.reads();
    const mayFail =
      <Args extends unknown[], Result>(read: (...args: Args) => Result) =>
      (...args: Args): Result => {
        if (this.trouble.unreadable && this.#random.chance(0.3)) throw new Error('simulated: unreadable');
        return read(...args);
      };
    return {
      ...{ ...offsets, readQueue: mayFail(readQueue), recordAt: mayFail(recordAt) },
      minPhysicalOffset: 0,
      get maxPhysicalOffset() {
        return machine.end;
      },
    };
  }

  readonly #put: BeginPut = (message, done) => {
    if (this.trouble.refusing) done(refused(ResponseCode.SYSTEM_ERROR, 'simulated: refused'));
    else this.#ring.push({ message, done });
  };

  /** The writer takes what is in its ring. */
  #write(): void {
    if (this.trouble.stuck) return;
    for (const { message, done } of this.#ring.splice(0)) {
      const isThere = message.queueId < (this.topics.get(message.topic) ?? 0);
      if (!isThere) {
        done(refused(ResponseCode.TOPIC_NOT_EXIST, 'simulated: no such topic'));
      } else if (this.trouble.failing && this.#random.chance(0.5)) {
        this.machine.whenConfirmed(0, () => done(refused(ResponseCode.SYSTEM_ERROR, 'simulated: failed')));
      } else {
        const { end, ...place } = this.machine.append(message);
        const result = { status: ResponseCode.SUCCESS, remark: undefined, ...place };
        this.machine.whenConfirmed(end, () => done(result));
      }
    }
  }

  advance(ms: number, heard: () => void): void {
    this.machine.advance(ms, () => {
      this.#turn();
      heard();
    });
  }

  #turn(): void {
    const { machine } = this;
    if (this.#random.chance(0.2)) machine.store.flush();
    if (this.#random.chance(0.6)) for (const act of this.#toControl.splice(0)) act();
    if (this.#random.chance(0.6)) for (const act of this.#toAgent.splice(0)) act();
    machine.store.dispatch();
    machine.endPuts();
    this.#hear();
    for (let i = 0; i < 4; i++) machine.agenda.run();
    this.rig.work();
    if (this.#random.chance(0.02)) this.report();
    if (this.#random.chance(0.01)) this.saveTables();
    if (this.#random.chance(0.7)) this.#write();
    machine.endPuts();
  }

  /** What has arrived since it was looked last. */
  #hear(): void {
    const { maxOffset } = this.machine.reads();
    let isLost = false;
    for (const [topic, count] of this.topics) {
      for (let queueId = 0; queueId < count; queueId++) {
        const id = this.#queues.find(topic, queueId);
        if (id === undefined) continue;
        const end = maxOffset(topic, queueId);
        if (end === (this.#ends.get(id) ?? 0)) continue;
        this.#ends.set(id, end);
        if (this.#random.chance(0.03)) isLost = true;
        else this.#arrived(topic, queueId, id);
        this.#interest.delete(id);
      }
    }
    if (!isLost) return;
    this.#service.poke();
    this.rig.kind.pokeAll();
  }

  #arrived(topic: string, queueId: number, id: number): void {
    if (topic === TIMER_TOPIC) this.#service.poke();
    else if (topic === REVIVE_TOPIC) this.rig.kind.poke(topic, queueId);
    else if (this.#interest.delete(id)) this.rig.kind.arrived(id);
  }

  /** The agent tells control how far it has come. */
  report(): void {
    const { pops } = this.rig.kind.progress();
    if (pops !== undefined) {
      const told = structuredClone(pops);
      this.#toControl.push(() => this.#control.note(told));
    }
    const timers = this.#durable.take();
    if (timers !== undefined) this.#keeper.note(timers);
  }

  /** Control writes its files. */
  saveTables(): void {
    this.#tables.save();
  }

  /** The file of timers is written. */
  saved(): Promise<void> {
    return this.#keeper.saved();
  }

  createTopic(topic: string, queues: number): void {
    this.topics.set(topic, queues);
    this.#toAgent.push(() => this.#add(topic, queues));
  }

  deleteTopic(topic: string): void {
    const { offsets } = this.#tables.tables;
    const retryTopics = [...this.groups].map((group) => popRetryTopicOf(topic, group));
    for (const name of [topic, ...retryTopics.filter((each) => this.topics.has(each))]) {
      this.topics.delete(name);
      offsets.removeTopic(name);
      this.#control.topicDeleted(name);
      this.#toAgent.push(() => {
        const ids = this.#queues.of(name);
        this.#queues.forget(name);
        this.rig.kind.forgotten(name, ids);
      });
      this.machine.store.deleteTopic(name);
    }
    // Written at once, as with every deletion.
    this.saveTables();
  }

  deleteGroup(group: string): void {
    this.groups.delete(group);
    this.#tables.tables.offsets.removeGroup(group);
    this.#control.groupDeleted(group);
    this.saveTables();
  }

  /** An operator sets where a group goes on. */
  reset(group: string, topic: string, queueId: number, offset: number): void {
    this.#tables.tables.offsets.assignReset(group, topic, queueId, offset);
  }

  mend(): void {
    Object.assign(this.trouble, { ...{ busy: false, refusing: false, failing: false }, stuck: false });
    this.trouble.unreadable = false;
  }

  /** Returns whether questions were left that nobody has taken. */
  async restart(heard: () => void): Promise<boolean> {
    const { kind } = this.rig;
    kind.stop();
    this.#service.stop();
    for (let i = 0; i < 400 && !(this.rig.idle && this.#service.idle); i++) this.advance(20, heard);
    assert.ok(this.rig.idle && this.#service.idle, 'what is under way ends');
    // Answers of its last turn.
    this.advance(20, heard);
    for (const act of this.#toControl.splice(0)) act();
    this.machine.store.flush();
    const { pops } = kind.lastProgress();
    if (pops !== undefined) this.#control.note(structuredClone(pops));
    const state = this.#service.state();
    if (state !== undefined) this.#keeper.note(state);
    await this.#keeper.saved();
    this.#service.close();
    this.saveTables();
    const isWaiting = this.rig.questions.waiting;
    await this.machine.close(this.#random);
    this.begin();
    return isWaiting;
  }

  kill(): void {
    this.machine.disk.kill();
    this.begin();
  }

  powerCut(): void {
    this.machine.disk.powerCut(this.#random);
    this.machine.boot(this.#random);
    this.begin();
  }

  /** By revive queue: entries behind the offset that was told, if all is told now. */
  get reviveBehind(): number[] {
    const revive = this.rig.kind.lastProgress().pops?.revive ?? [];
    const { maxOffset } = this.machine.reads();
    return revive.map((done, queueId) => maxOffset(REVIVE_TOPIC, queueId) - 1 - done);
  }
}
