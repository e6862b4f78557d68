/**
 * One run of transactions over a store on a simulated disk, with producers that come and go, a clock that is set and
 * machines that die: random operations by seed. The truth is: what a producer was told is committed, and a power cut
 * has not taken back, is delivered, twice only where a crash came between; what is rolled back is never seen; nobody is
 * asked too soon, too often, or about what has ended; what is given up can be read; progress passes nothing that is
 * open; and when all is well again, all of the half queue is behind it.
 */
import * as assert from 'uvu/assert';
import type { HalfCheck, HalfLimits } from '../../src/delivery/transaction/context.ts';
import type { TransactionOffsets } from '../../src/delivery/transaction/transaction-recovery.ts';
import { HALF_TOPIC, OP_HALF_TOPIC, TRANS_CHECK_MAX_TIME_TOPIC } from '../../src/lib/names.ts';
import { ResponseCode } from '../../src/protocol/codes.ts';
import { decodeRecord } from '../../src/record/decode.ts';
import type { BeginPut, InternalMessage } from '../../src/store/put/put-message.ts';
import type { Random } from '../support/random.ts';
import { SETTINGS, TransactionRig } from '../support/transaction-rig.ts';
import { SimMachine, YEAR_MS } from './sim-machine.ts';
import { DUE_TOPIC, halfMessage, SimTransaction } from './sim-transactions.ts';

const GROUPS = ['g0', 'g1', 'g2'];
const ROOMY: HalfLimits = { maxOpenHalves: 1_000, maxHalvesSpan: 2_000 };
const TIGHT: HalfLimits = { maxOpenHalves: 4, maxHalvesSpan: 8 };
/** Queues that cannot be read for longer are passed over. */
const LONGEST_UNREADABLE_MS = 15_000;
/** In ages by the clock: 9 s, so that what waits is moved. */
const SHORT_RESERVE = 0.01;

export interface TransactionResult {
  delivered: number;
  twice: number;
  rolledBack: number;
  givenUp: number;
  /** Committed after they had been given up, and those for which the broker had been started meanwhile. */
  late: number;
  lateAfterStart: number;
  refused: number;
  asked: number;
  moved: number;
}

export class TransactionSimulation {
  readonly operations: string[] = [];
  readonly result: TransactionResult = {
    ...{ delivered: 0, twice: 0, rolledBack: 0 },
    ...{ givenUp: 0, asked: 0, moved: 0, late: 0, lateAfterStart: 0, refused: 0 },
  };
  readonly #random: Random;
  readonly #machine: SimMachine;
  /** How likely a flush is in every 20 ms. */
  readonly #flushes: number;
  readonly #limits: HalfLimits;
  readonly #fileReservedTime: number;
  readonly #sent = new Map<string, SimTransaction>();
  readonly #online = new Set<string>();
  #made = 0;
  /** What control's files hold. */
  #offsets: TransactionOffsets = { half: 0, op: 0 };
  #rig!: TransactionRig;
  /** Ends that wait for their answer, by opaque. */
  #ends = new Map<number, { transaction: SimTransaction; commits: boolean }>();
  #opaque = 0;
  /** What the ring to the writer does with puts, and the disk with reads. */
  readonly #trouble = { busy: false, refusing: false, failing: false, unreadable: false };
  #unreadableSince = 0;

  constructor(random: Random) {
    this.#random = random;
    this.#machine = new SimMachine(random.pick(['SYNC_FLUSH', 'ASYNC_FLUSH'] as const));
    this.#flushes = this.#machine.flushDiskType === 'SYNC_FLUSH' ? 0.2 : random.pick([0.2, 0.005]);
    this.#limits = random.chance(0.3) ? TIGHT : ROOMY;
    this.#fileReservedTime = random.chance(0.3) ? SHORT_RESERVE : 72;
    for (const group of GROUPS) if (random.chance(0.5)) this.#online.add(group);
    this.#begin();
  }

  async run(steps: number): Promise<void> {
    for (let i = 0; i < steps; i++) await this.#step();
    this.#mend();
    for (const group of GROUPS) this.#setOnline(group, true);
    // Recovery reads, timeouts, all rounds of checks, and retries of what was refused.
    for (let i = 0; i < 60_000; i += 500) this.#advance(500);
    this.#checkEnd();
  }

  #checkEnd(): void {
    const end = this.#reads().maxOffset(HALF_TOPIC, 0);
    assert.is(this.#rig.progress.half, end, 'all of the half queue is behind');
    for (const transaction of this.#sent.values()) {
      const { key, isDurable, hasEnded } = transaction;
      if (isDurable) assert.ok(hasEnded, `${key} was durable and has no end`);
      if (transaction.committed) assert.ok(transaction.deliveries > 0, `${key} was committed and is lost`);
      if (transaction.rollbacks > 0) this.result.rolledBack++;
    }
  }

  async #step(): Promise<void> {
    const [name, operation] = this.#pick();
    this.operations.push(`${this.#machine.time}: ${name}`);
    await operation();
  }

  #pick(): [string, () => unknown] {
    const n = this.#random.int(0, 99);
    const ms = this.#random.pick([20, 100, 500, 1_000, 4_000]);
    const step = this.#random.pick([YEAR_MS, -YEAR_MS, 20_000, -20_000]);
    const group = this.#random.pick(GROUPS);
    if (n < 25) return [`send m${this.#made}`, () => this.#send()];
    if (n < 40) return ['end', () => this.#endSome()];
    if (n < 68) return [`wait ${ms}`, () => this.#advance(ms)];
    if (n < 74) return ['flush', () => this.#flush()];
    if (n < 80) return ['save', () => this.#save()];
    if (n < 82) return [`clock ${step}`, () => this.#stepClock(step)];
    if (n < 88) return [`${group} comes or goes`, () => this.#setOnline(group, !this.#online.has(group))];
    if (n < 92) return ['trouble or not', () => this.#toggleTrouble()];
    if (n < 95) return ['restart', () => this.#restart()];
    if (n < 97) return ['kill', () => this.#kill()];
    if (n < 98) return ['power cut', () => this.#powerCut()];
    if (n < 99) return ['all ends, restart', () => this.#endAll()];
    return ['checkpoint', () => this.#machine.store.checkpoint()];
  }

  #stepClock(ms: number): void {
    this.#machine.ahead += ms;
    for (const transaction of this.#sent.values()) transaction.clockIsRight = false;
  }

  #setOnline(group: string, isOnline: boolean): void {
    if (isOnline) this.#online.add(group);
    else this.#online.delete(group);
    this.#rig.producers.set(group, isOnline);
  }

  #toggleTrouble(): void {
    const what = this.#random.pick(['busy', 'refusing', 'failing', 'unreadable'] as const);
    // Where too many are open, what cannot be read is given up.
    if (what === 'unreadable' && this.#limits === TIGHT) return;
    this.#trouble[what] = !this.#trouble[what];
    this.#unreadableSince = this.#machine.time;
  }

  #mend(): void {
    Object.assign(this.#trouble, { busy: false, refusing: false, failing: false, unreadable: false });
  }

  #begin(): void {
    this.#machine.open();
    for (const transaction of this.#sent.values()) transaction.isLongGivenUp = transaction.givenUp;
    const { positions } = this.#machine.store;
    this.#ends.clear();
    this.#rig = new TransactionRig({
      ...{
        clock: this.#machine.clock,
        timers: this.#machine.agenda,
        reads: this.#reads(),
        positions,
        put: this.#put,
      },
      busy: () => this.#trouble.busy,
      settings: { ...SETTINGS, fileReservedTime: this.#fileReservedTime },
      ...{ limits: this.#limits, offsets: this.#offsets, check: (check) => this.#check(check) },
    });
    for (const group of this.#online) this.#rig.producers.set(group, true);
  }

  #reads() {
    const machine = this.#machine;
    const { readQueue, recordAt, storeTimeOf, ...offsets } = machine.reads();
    const mayFail =
      <Args extends unknown[], Result>(read: (...args: Args) => Result) =>
      (...args: Args): Result => {
        if (this.#trouble.unreadable && this.#random.chance(0.3)) throw new Error('simulated: unreadable');
        return read(...args);
      };
    return {
      ...offsets,
      readQueue: mayFail(readQueue),
      recordAt: mayFail(recordAt),
      storeTimeOf: mayFail(storeTimeOf),
      minPhysicalOffset: 0,
      get maxPhysicalOffset() {
        return machine.end;
      },
    };
  }

  #send(): void {
    const key = `m${this.#made++}`;
    const group = this.#random.pick(GROUPS);
    const immunityMs = this.#random.chance(0.1) ? 5_000 : 0;
    // Somebody claims that his message is a copy of another one.
    const forged = this.#random.chance(0.1) ? this.#random.int(0, this.#made) : undefined;
    const { queueOffset, physicalOffset } = this.#machine.append(halfMessage(key, group, immunityMs, forged));
    const outcome = this.#random.pick(['commit', 'commit', 'roll back', 'unknown'] as const);
    const place = { logOffset: physicalOffset, queueOffset };
    const at = { place, end: this.#machine.end, sentAt: this.#machine.time };
    const transaction = new SimTransaction({ key, group, outcome, immunityMs, ...at });
    this.#sent.set(key, transaction);
    if (this.#random.chance(0.4)) this.#end(transaction, false);
  }

  /** Their producers end some that they have not ended yet, or say it again. */
  #endSome(): void {
    const all = [...this.#sent.values()];
    const late = this.#random.chance(0.2) ? all.filter(({ givenUp }) => givenUp) : [];
    const recent = late.length > 0 ? late : all.slice(-8);
    if (recent.length > 0) this.#end(this.#random.pick(recent), false);
  }

  #end(transaction: SimTransaction, answersCheck: boolean): void {
    const { outcome, group, immunityMs } = transaction;
    if (outcome === 'unknown') return;
    const commits = outcome === 'commit';
    const waits = this.#random.chance(0.5);
    const { logOffset, queueOffset } = this.#random.pick([transaction.place, transaction.newest]);
    const opaque = this.#opaque++;
    const end = { commits, group, logOffset, queueOffset, waits, opaque };
    if (!this.#rig.end({ ...end, answersCheck: answersCheck || immunityMs > 0 })) return;
    if (commits) transaction.commits++;
    else transaction.rollbacks++;
    if (waits) this.#ends.set(opaque, { transaction, commits });
  }

  #hearAnswers(): void {
    for (const { opaque, code, remark } of this.#rig.answers()) {
      const asked = this.#ends.get(opaque);
      assert.ok(asked !== undefined, `answer ${opaque} to nobody`);
      this.#ends.delete(opaque);
      if (code === ResponseCode.ILLEGAL_OPERATION) {
        this.result.refused++;
        asked.transaction.refused(remark);
      }
      if (code !== ResponseCode.SUCCESS) continue;
      const { transaction, commits } = asked;
      if (commits) transaction.committed = true;
      else transaction.rolledBack = true;
    }
  }

  #check({ group, record, logOffset, queueOffset }: HalfCheck): void {
    const message = decodeRecord(record);
    assert.ok(message !== undefined);
    const transaction = this.#sent.get(Buffer.from(message.body).toString());
    // One that a power cut should have taken, and has not.
    if (transaction === undefined) return;
    this.result.asked++;
    transaction.checked({ logOffset, queueOffset }, message, this.#machine.time);
    assert.is(group, transaction.group);
    if (this.#online.has(group) && this.#random.chance(0.6)) this.#end(transaction, true);
  }

  readonly #put: BeginPut = (message, done) => {
    const refused = {
      status: ResponseCode.SYSTEM_ERROR,
      remark: undefined,
      queueOffset: -1,
      physicalOffset: -1,
    };
    if (this.#trouble.refusing) {
      done(refused);
    } else if (this.#trouble.failing && this.#random.chance(0.5)) {
      this.#machine.whenConfirmed(0, () => done(refused));
    } else {
      const { end, ...place } = this.#machine.append(message);
      this.#hasPut(message, place);
      const result = { status: ResponseCode.SUCCESS, remark: undefined, ...place };
      this.#machine.whenConfirmed(end, () => done(result));
    }
  };

  #hasPut(message: InternalMessage, place: { queueOffset: number; physicalOffset: number }): void {
    if (message.topic === OP_HALF_TOPIC) return;
    const transaction = this.#sent.get(Buffer.from(message.body).toString());
    if (transaction === undefined) return;
    if (message.topic === HALF_TOPIC) {
      this.result.moved++;
      transaction.copied({ logOffset: place.physicalOffset, queueOffset: place.queueOffset });
    } else if (message.topic === TRANS_CHECK_MAX_TIME_TOPIC) {
      this.result.givenUp++;
      transaction.givesUp(message, this.#limits === TIGHT, SETTINGS.transactionCheckMax);
    } else {
      transaction.delivered(message);
      if (transaction.givenUp) this.result.late++;
      if (transaction.isLongGivenUp) this.result.lateAfterStart++;
      if (transaction.deliveries === 1) this.result.delivered++;
      else this.result.twice++;
    }
  }

  #advance(ms: number): void {
    this.#machine.advance(ms, () => this.#work());
  }

  #work(): void {
    if (this.#machine.time - this.#unreadableSince > LONGEST_UNREADABLE_MS) this.#trouble.unreadable = false;
    if (this.#random.chance(this.#flushes)) this.#flush();
    this.#machine.store.dispatch();
    if (this.#random.chance(0.5)) this.#rig.kind.poke();
    this.#turn();
  }

  /** As the agent's: answers of the writer, agenda, ends. */
  #turn(): void {
    this.#machine.endPuts();
    this.#machine.agenda.run();
    this.#rig.work();
    this.#machine.endPuts();
    this.#hearAnswers();
  }

  #flush(): void {
    this.#machine.store.flush();
    const durable = this.#machine.durable;
    for (const transaction of this.#sent.values()) transaction.isDurable ||= transaction.end <= durable;
  }

  /** The agent tells, and control writes. */
  #save(): void {
    const { transactions } = this.#rig.kind.progress();
    if (transactions !== undefined) this.#write(transactions);
  }

  #write(offsets: TransactionOffsets): void {
    for (const { key, hasEnded, newest } of this.#sent.values()) {
      const isPassed = !hasEnded && newest.queueOffset < offsets.half;
      assert.not.ok(isPassed, `progress ${offsets.half} passes ${key} at ${newest.queueOffset}`);
    }
    this.#offsets = offsets;
  }

  /** Nothing is open at the next start, which then reads only what says what was given up. */
  async #endAll(): Promise<void> {
    this.#mend();
    for (const group of GROUPS) this.#setOnline(group, true);
    this.#advance(20_000);
    for (let i = 0; i < 2; i++) {
      await this.#restart();
      this.#advance(1_000);
      const late = [...this.#sent.values()].filter(({ givenUp }) => givenUp);
      for (const transaction of late) this.#end(transaction, false);
      this.#advance(1_000);
    }
  }

  async #restart(): Promise<void> {
    this.#mend();
    // Network threads wait for their answers before delivery is told to stop, but not for ever.
    const isPatient = this.#random.chance(0.7);
    for (let i = 0; isPatient && i < 400 && this.#ends.size > 0; i++) this.#advance(20);
    if (isPatient) assert.is(this.#ends.size, 0, 'two-way ends are answered');
    this.#rig.kind.stop();
    for (let i = 0; i < 400 && !this.#rig.idle; i++) this.#advance(20);
    assert.ok(this.#rig.idle, 'what is under way ends');
    this.#flush();
    this.#write(this.#rig.progress);
    await this.#machine.close(this.#random);
    for (const transaction of this.#sent.values()) transaction.timesAreSure = false;
    this.#begin();
  }

  #kill(): void {
    for (const transaction of this.#sent.values()) transaction.hasSeenCrash = true;
    this.#machine.disk.kill();
    this.#begin();
  }

  #powerCut(): void {
    this.#machine.disk.powerCut(this.#random);
    for (const transaction of [...this.#sent.values()]) {
      if (transaction.isDurable) transaction.losePower();
      else this.#sent.delete(transaction.key);
    }
    this.#machine.boot(this.#random);
    this.#begin();
    this.#findSurvivors();
  }

  /** What the power cut has left of copies, deliveries and what was given up. */
  #findSurvivors(): void {
    const { readQueue, maxOffset, recordAt } = this.#reads();
    const isUnreadable = this.#trouble.unreadable;
    this.#trouble.unreadable = false;
    for (const topic of [HALF_TOPIC, DUE_TOPIC, TRANS_CHECK_MAX_TIME_TOPIC]) {
      for (const { queueOffset, physicalOffset } of readQueue(topic, 0, 0, maxOffset(topic, 0))) {
        const message = decodeRecord(recordAt(physicalOffset) ?? new Uint8Array(0));
        const transaction = this.#sent.get(Buffer.from(message?.body ?? '').toString());
        if (topic === HALF_TOPIC) transaction?.copied({ logOffset: physicalOffset, queueOffset });
        else transaction?.survives(topic);
      }
    }
    this.#trouble.unreadable = isUnreadable;
    for (const transaction of this.#sent.values()) transaction.checkSurvivors(this.#machine.flushDiskType);
  }
}
