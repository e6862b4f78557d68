/**
 * One run of groups that pop, with clients that acknowledge, change, repeat and forge, a clock that is set and machines
 * that die: random operations by seed. The truth is: nobody gets a message that is invisible by somebody else's pop,
 * nobody one whose ack was answered in time; every other one comes again until it is acknowledged; ordered groups get
 * none before what lies ahead of it is done; every question gets one answer; and when all is acknowledged, nothing is
 * left over and the revive queues are all behind.
 */
import * as assert from 'uvu/assert';
import type { Random } from '../support/random.ts';
import { YEAR_MS } from './sim-machine.ts';
import { SimPopBroker, type Trouble } from './sim-pop-broker.ts';
import {
  bundles,
  GROUPS,
  LONGEST_INVISIBLE_MS,
  LONGEST_TROUBLE_MS,
  ORDERED,
  type PopResult,
  type PopWorld,
  QUEUES,
  SimPopClients,
  TAGGED,
} from './sim-pop-clients.ts';
import { popMessage, SimMessage } from './sim-pops.ts';

/** What a process that died had put, and has not written down that it had, is not older. */
const UNWRITTEN_MS = 16_000;

export class PopSimulation {
  readonly #random: Random;
  readonly #broker: SimPopBroker;
  readonly #world: PopWorld = {
    operations: [],
    result: {
      ...{ popped: 0, again: 0, acknowledged: 0, lateAcks: 0, changed: 0 },
      ...{ refused: 0, full: 0, parked: 0, loose: 0, done: 0 },
    },
    ...{ sent: new Map(), topic: '', steppedAt: Number.NEGATIVE_INFINITY, process: 0 },
  };
  readonly #clients: SimPopClients;
  readonly #sent = this.#world.sent;
  readonly operations = this.#world.operations;
  readonly #resets: { at: number; group: string; topic: string; queueId: number }[] = [];
  #made = 0;
  #topicsMade = 0;
  #troubleSince = 0;

  constructor(random: Random) {
    this.#random = random;
    this.#broker = new SimPopBroker(random);
    this.#clients = new SimPopClients(random, this.#broker, this.#world);
    for (const group of GROUPS) this.#broker.groups.add(group);
    this.#makeTopic();
  }

  get result(): PopResult {
    return this.#world.result;
  }

  get lines(): readonly string[] {
    return this.#broker.lines;
  }

  get #now(): number {
    return this.#broker.machine.time;
  }

  async run(steps: number): Promise<void> {
    for (let i = 0; i < steps; i++) await this.#step();
    await this.#finish();
    this.#checkEnd();
  }

  async #step(): Promise<void> {
    const [name, operation] = this.#pick();
    this.operations.push(`${this.#now}: ${name}`);
    await operation();
    await this.#broker.saved();
  }

  #pick(): [string, () => unknown] {
    const n = this.#random.int(0, 999);
    const ms = this.#random.pick([20, 100, 500, 1_000, 4_000]);
    const step = this.#random.pick([YEAR_MS, -YEAR_MS, 20_000, -20_000, 300, -300]);
    if (n < 160) return [`send m${this.#made}`, () => this.#send()];
    if (n < 330) return ['pop', () => this.#clients.pop()];
    if (n < 480) return ['ack', () => this.#clients.acknowledge()];
    if (n < 530) return ['change', () => this.#clients.change()];
    if (n < 550) return ['ask something else', () => this.#clients.askOther()];
    if (n < 565) return ['forge', () => this.#clients.forge()];
    if (n < 810) return [`wait ${ms}`, () => this.#advance(ms)];
    if (n < 830) return ['flush', () => this.#flush()];
    if (n < 850) return ['report and save', () => this.#save()];
    if (n < 865) return [`clock ${step}`, () => this.#stepClock(step)];
    if (n < 905) return ['trouble or not', () => this.#toggleTrouble()];
    if (n < 915) return ['connection closes', () => this.#clients.closeConnection()];
    if (n < 925) return ['reset', () => this.#reset()];
    if (n < 932) return ['delete topic', () => this.#deleteTopic()];
    if (n < 940) return ['delete group', () => this.#deleteGroup()];
    if (n < 955) return ['restart', () => this.#restart()];
    if (n < 975) return ['kill', () => this.#kill()];
    if (n < 985) return ['power cut', () => this.#powerCut()];
    return ['checkpoint', () => this.#broker.machine.store.checkpoint()];
  }

  #makeTopic(): void {
    this.#world.topic = `t${this.#topicsMade++}`;
    this.#broker.createTopic(this.#world.topic, QUEUES);
  }

  #send(): void {
    for (let i = this.#random.int(1, 4); i > 0; i--) {
      const key = `m${this.#made++}`;
      const tag = this.#random.pick(['a', 'b']);
      const queueId = this.#random.int(0, QUEUES - 1);
      const placed = this.#broker.machine.append(popMessage(key, this.#world.topic, queueId, tag));
      const message = new SimMessage(key, this.#world.topic, queueId, tag, placed);
      this.#sent.set(key, message);
      this.#loosen(message);
    }
  }

  #advance(ms: number): void {
    const { trouble } = this.#broker;
    if (this.#now - this.#troubleSince > LONGEST_TROUBLE_MS) {
      trouble.unreadable = false;
      trouble.stuck = false;
    }
    this.#broker.advance(ms, () => this.#clients.hear());
  }

  #flush(): void {
    this.#broker.machine.store.flush();
    this.#noteDurable();
  }

  #noteDurable(): void {
    const { durable } = this.#broker.machine;
    for (const message of this.#sent.values()) message.isDurable ||= message.end <= durable;
  }

  #save(): void {
    this.#broker.report();
    this.#advance(20);
    this.#broker.saveTables();
  }

  #stepClock(ms: number): void {
    // Two steps that undo each other are not to be seen when nobody has looked in between.
    if (this.#now - this.#world.steppedAt < 1_100) return;
    this.#broker.machine.ahead += ms;
    this.#world.steppedAt = this.#now;
    for (const { group, message } of this.#clients.receipts)
      if (group === ORDERED) message.of(group).isUnsure();
  }

  #toggleTrouble(): void {
    const what = this.#random.pick<keyof Trouble>(['busy', 'refusing', 'failing', 'stuck', 'unreadable']);
    this.#broker.trouble[what] = !this.#broker.trouble[what];
    this.#troubleSince = this.#now;
  }

  #reset(): void {
    const group = this.#random.pick(GROUPS);
    const queueId = this.#random.int(0, QUEUES - 1);
    const end = this.#broker.machine.reads().maxOffset(this.#world.topic, queueId);
    this.#broker.reset(group, this.#world.topic, queueId, this.#random.int(0, end));
    this.#resets.push({ at: this.#now, group, topic: this.#world.topic, queueId });
    for (const message of this.#sent.values()) this.#loosen(message);
  }

  /** Of what was sent before the owner has heard of a reset nobody knows whether it comes. */
  #loosen(message: SimMessage): void {
    for (const { at, group, topic, queueId } of this.#resets) {
      const isMeant = message.topic === topic && message.queueId === queueId && this.#now - at < 2_000;
      if (isMeant) message.of(group).isLoose = true;
    }
  }

  #deleteTopic(): void {
    const topic = this.#world.topic;
    this.#broker.deleteTopic(topic);
    for (const [key, message] of this.#sent) if (message.topic === topic) this.#sent.delete(key);
    this.#clients.receipts = this.#clients.receipts.filter(({ message }) => message.topic !== topic);
    this.#makeTopic();
  }

  /** It comes again at once. */
  #deleteGroup(): void {
    const group = this.#random.pick(GROUPS);
    this.#broker.deleteGroup(group);
    for (const message of this.#sent.values()) message.of(group).isLoose = true;
    this.#clients.receipts = this.#clients.receipts.filter((receipt) => receipt.group !== group);
    this.#broker.groups.add(group);
  }

  #nextProcess(): void {
    this.#world.process += 1;
    for (const message of this.#sent.values()) for (const state of message.states) state.processEnded();
  }

  async #restart(): Promise<void> {
    // Network threads wait for what is answered soon before delivery is told to stop.
    this.#broker.mend();
    for (let i = 0; i < 500 && this.#waitsForAnswers; i++) {
      this.#advance(20);
      await this.#broker.saved();
    }
    const isWaiting = await this.#broker.restart(() => this.#clients.hear());
    this.#nextProcess();
    this.#noteDurable();
    const left = [...this.#clients.pending].filter(([, { isGone }]) => !isGone);
    const named = left.map(
      ([opaque, { what, group, askedAt }]) => `${opaque}: ${what} of ${group} at ${askedAt}`,
    );
    // What was not taken is of clients whose connections close now.
    const isTaken = !isWaiting;
    assert.ok(!isTaken || named.length === 0, `not answered before the stop: ${named}`);
    this.#clients.pending.clear();
  }

  get #waitsForAnswers(): boolean {
    return [...this.#clients.pending.values()].some(({ what }) => what === 'ack' || what === 'change');
  }

  #kill(): void {
    this.#dies();
    this.#broker.kill();
  }

  /** What was under way is lost, or not. */
  #dies(): void {
    this.#nextProcess();
    const isStepped = this.#now - this.#world.steppedAt < 2 * LONGEST_INVISIBLE_MS;
    for (const { what, receipts } of this.#clients.pending.values()) {
      for (const { message, group } of receipts) {
        const state = message.of(group);
        if (what === 'ack') state.isOpen = true;
        // There may be two checkpoints of it.
        if (what === 'change') state.isLoose = true;
      }
    }
    this.#clients.pending.clear();
    for (const { message, group, until, isSure } of this.#clients.receipts) {
      const state = message.of(group);
      if (isStepped) state.isUnsure();
      if (group === ORDERED) continue;
      // It may have been revived, and that is not written down: it is revived once more.
      const isBeing = !isSure || (until < this.#now + 1_000 && until > this.#now - UNWRITTEN_MS);
      if (isBeing && !state.isDone) state.isLoose = true;
    }
  }

  #powerCut(): void {
    this.#noteDurable();
    this.#dies();
    const isSync = this.#broker.machine.flushDiskType === 'SYNC_FLUSH';
    for (const message of this.#sent.values()) {
      if (!message.isDurable) {
        message.isDoubtful = true;
        for (const group of GROUPS) message.of(group).isLoose = true;
      }
      for (const state of message.states) {
        state.isUnsure();
        if (isSync) continue;
        // Its ack may be gone, and its checkpoint.
        if (state.isDone) state.isOpen = true;
        state.isDone = false;
        state.isLoose = true;
      }
    }
    this.#broker.powerCut();
  }

  /** Everybody pops and acknowledges, until nothing comes any more and nothing is left. */
  async #finish(): Promise<void> {
    this.operations.push('--- end');
    this.#broker.mend();
    this.#clients.receipts = [];
    let quietSince = this.#now;
    for (let i = 0; i < 1_000; i++) {
      for (const group of GROUPS) this.#clients.pop(group, true);
      this.#advance(500);
      await this.#broker.saved();
      if (this.#clients.receipts.length > 0) quietSince = this.#now;
      for (const together of bundles(this.#clients.receipts.splice(0)))
        this.#clients.acknowledgeAll(together);
      if (this.#now - quietSince > LONGEST_INVISIBLE_MS + 10_000 && this.#isAtRest) break;
    }
    this.#advance(1_000);
  }

  get #isAtRest(): boolean {
    return this.#broker.reviveBehind.every((behind) => behind === 0);
  }

  #checkEnd(): void {
    const { rig, reviveBehind } = this.#broker;
    const left = [...this.#clients.pending.values()].filter(({ isGone }) => !isGone);
    assert.equal(left, [], 'every question is answered');
    for (const message of this.#sent.values()) {
      for (const group of GROUPS) this.#checkMessage(message, group);
    }
    assert.equal(rig.kind.held, { live: 0, foreign: 0, reviving: 0, parked: 0, early: 0, lites: 0 });
    assert.ok(rig.idle && !rig.kind.pending, 'nothing is under way');
    assert.equal(reviveBehind, Array(reviveBehind.length).fill(0), 'the revive queues are behind');
  }

  #checkMessage(message: SimMessage, group: string): void {
    if (group === TAGGED && message.tag !== 'a') return;
    const { isDone, isOpen, isLoose, deliveries, current } = message.of(group);
    if (isLoose) this.result.loose++;
    else if (isDone) this.result.done++;
    const { key } = message;
    const what = `${key} is lost for ${group}: ${deliveries} deliveries, the last at ${current?.popTime}`;
    assert.ok(isDone || isOpen || isLoose, what);
  }
}
