/**
 * One run of timers over a store on a simulated disk, with recalls, a clock that is set and machines that die: random
 * operations by seed. The truth is: what is durable and was not recalled is delivered at least once, and twice only
 * after a crash; a time is kept by the machine's clock and a span by true time, neither is early; what was recalled
 * does not come.
 */
import * as assert from 'uvu/assert';
import { DurableProgress } from '../../src/delivery/durable-progress.ts';
import { DeliveryFigures } from '../../src/delivery/figures.ts';
import { TimerCheckKeeper } from '../../src/delivery/timer/timer-check-keeper.ts';
import { TimerService, type TimerState } from '../../src/delivery/timer/timer-service.ts';
import type { ControlLog } from '../../src/lib/log.ts';
import { TIMER_TOPIC } from '../../src/lib/names.ts';
import { skewOf } from '../../src/metadata/append-times.ts';
import { ResponseCode } from '../../src/protocol/codes.ts';
import type { BeginPut, InternalMessage } from '../../src/store/put/put-message.ts';
import type { Random } from '../support/random.ts';
import { SimCrash } from './sim-disk.ts';
import { SIM_HOST, SimMachine, YEAR_MS } from './sim-machine.ts';

const TOPIC = 'due';
const LONGEST_MS = 40_000;
const PRECISION_MS = 1_000;
/** Corrections of the clock up to 100 ms count as none, in either direction. */
const TOLERANCE_MS = 110;
/** The clock is looked at every second while something waits. */
const LOOKS_MS = 1_100;

interface Timed {
  readonly key: string;
  /** By the machine's clock, for a time; undefined for a span. */
  readonly time: number | undefined;
  /** True time, for a span. */
  readonly after: number;
  readonly outMs: number;
  /** A span and its recall may part: it may be rolled when the clock is set, or counts from when it was seen. */
  readonly parts: boolean;
  readonly end: number;
  durable: boolean;
  /** It may not have been in the wheel when a process died that the clock was set for, or the machine did. */
  uncertain: boolean;
  /** Position behind the recall; undefined without one. */
  recall: number | undefined;
  recallDurable: boolean;
  deliveries: number[];
}

/** `ms` after the begin of the slot that a handle names: in it, or in one beside. */
function isBeside(ms: number): boolean {
  return ms > -PRECISION_MS && ms < 1_200;
}

export interface TimerResult {
  delivered: number;
  twice: number;
  recalled: number;
  rolled: number;
  crashes: number;
}

export class TimerSimulation {
  readonly operations: string[] = [];
  readonly result: TimerResult = { delivered: 0, twice: 0, recalled: 0, rolled: 0, crashes: 0 };
  readonly #random: Random;
  readonly #machine: SimMachine;
  readonly #sent = new Map<string, Timed>();
  #made = 0;
  #crashed = false;
  #steppedAt = Number.NEGATIVE_INFINITY;
  /** A checkpoint was written in this boot. */
  #knowsBoot = true;
  #service!: TimerService;
  #keeper!: TimerCheckKeeper;
  #durable!: DurableProgress<TimerState>;
  readonly #ring = { busy: false, refusing: false };
  readonly lines: string[] = [];
  readonly #log: ControlLog;

  constructor(random: Random) {
    this.#random = random;
    this.#machine = new SimMachine(random.pick(['SYNC_FLUSH', 'ASYNC_FLUSH'] as const));
    const line = (_: object, text: string) => void this.lines.push(text);
    this.#log = { info: line, warn: line, error: line };
    this.#machine.disk.makeDirectory('/store/config');
    this.#begin();
  }

  async run(steps: number): Promise<void> {
    for (let i = 0; i < steps; i++) await this.#step();
    Object.assign(this.#ring, { busy: false, refusing: false });
    this.#machine.disk.callsUntilCrash = Number.POSITIVE_INFINITY;
    // Times of a clock that was years ahead come when it is so again.
    for (const until of [LONGEST_MS + 80_000, LONGEST_MS]) {
      await this.#rest(until);
      this.#machine.ahead += 2 * YEAR_MS;
    }
    await this.#rest(20_000);
    for (const timed of this.#sent.values()) this.#checkEnd(timed);
  }

  async #rest(ms: number): Promise<void> {
    for (let i = 0; i < ms; i += 500) {
      this.#advance(500);
      await this.#save();
    }
  }

  #checkEnd({ key, durable, deliveries, recall }: Timed): void {
    if (recall !== undefined) {
      this.result.recalled++;
      return;
    }
    if (durable) assert.ok(deliveries.length > 0, `${key} was durable and is lost`);
  }

  async #step(): Promise<void> {
    const [name, operation] = this.#pick();
    this.operations.push(`${this.#machine.time}: ${name}`);
    try {
      await operation();
    } catch (error) {
      if (!(error instanceof SimCrash)) throw error;
      this.operations.push('(dies within)');
      this.#kill();
    }
  }

  #pick(): [string, () => unknown] {
    const n = this.#random.int(0, 99);
    const ms = this.#random.pick([20, 100, 500, 1_000, 4_000]);
    const step = this.#random.pick([YEAR_MS, -YEAR_MS, 20_000, -20_000, 2_000, -2_000, 300, -300]);
    if (n < 30) return [`send m${this.#made}`, () => this.#send()];
    if (n < 36) return ['recall', () => this.#recall()];
    if (n < 68) return [`wait ${ms}`, () => this.#advance(ms)];
    if (n < 76) return ['flush', () => this.#flush()];
    if (n < 84) return ['save', () => this.#save()];
    if (n < 86) return [`clock ${step}`, () => this.#stepClock(step)];
    if (n < 88) return ['busy or not', () => this.#toggle('busy')];
    if (n < 90) return ['refusing or not', () => this.#toggle('refusing')];
    if (n < 92) return ['restart', () => this.#restart()];
    if (n < 94) return ['kill', () => this.#kill()];
    if (n < 96) return ['die soon', () => this.#dieSoon()];
    if (n < 98) return ['power cut', () => this.#powerCut()];
    return ['checkpoint', () => this.#machine.store.checkpoint()];
  }

  #dieSoon(): void {
    this.#machine.disk.callsUntilCrash = this.#random.int(1, 60);
  }

  #stepClock(ms: number): void {
    // Two steps that undo each other are not to be seen when nobody has looked in between.
    if (this.#machine.time - this.#steppedAt < LOOKS_MS) return;
    this.#machine.ahead += ms;
    this.#steppedAt = this.#machine.time;
    // A clock that is set before the first look of a new boot seems to show how long the machine was down.
    if (!this.#knowsBoot) for (const timed of this.#sent.values()) timed.uncertain = true;
    // A recall names the slot in which its span would have been: one that is not in the wheel yet misses it now.
    const wheelEnd = this.#wheelEnd();
    for (const { key, time, recall = 0 } of [...this.#sent.values()])
      if (time === undefined && recall > wheelEnd) this.#sent.delete(key);
    // One that is acknowledged later than its message comes due may miss it too.
    const { clock, confirmed } = this.#machine;
    for (const { key, time = Number.POSITIVE_INFINITY, recall = 0 } of [...this.#sent.values()])
      if (time <= clock.now() && recall > confirmed) this.#sent.delete(key);
  }

  /** Position behind the newest record that is in the wheel. */
  #wheelEnd(): number {
    const next = this.#service.state()?.check.queueOffset ?? 0;
    const [entry] = next === 0 ? [] : this.#machine.reads().readQueue(TIMER_TOPIC, 0, next - 1, 1);
    return entry === undefined ? 0 : entry.physicalOffset + entry.size;
  }

  #toggle(what: 'busy' | 'refusing'): void {
    this.#ring[what] = !this.#ring[what];
  }

  #begin(): void {
    this.#machine.open();
    const { positions } = this.#machine.store;
    this.#keeper = new TimerCheckKeeper(this.#machine.disk, '/store', this.#log, (n) =>
      this.#service.saved(n),
    );
    const store = this.#machine.reads();
    this.#service = new TimerService({
      figures: new DeliveryFigures(),
      maxPending: () => 4,
      clock: this.#machine.clock,
      timers: this.#machine.agenda,
      log: this.#log,
      disk: this.#machine.disk,
      options: {
        directory: '/store',
        timerPrecisionMs: PRECISION_MS,
        timerRollWindowSlot: 15,
        mappedFileSizeTimerLog: 52 * 40 + 16,
        wheelSlots: 200,
      },
      store,
      put: this.#put,
      busy: () => this.#ring.busy,
      endAtStart: store.maxOffset(TIMER_TOPIC, 0),
      skew: skewOf(this.#machine.clock),
    });
    this.#durable = new DurableProgress(() => this.#service.news(), positions);
    this.#service.start();
  }

  #park(body: string, outMs: number, wishes: Record<string, string>): number {
    const { end } = this.#machine.append({
      topic: TIMER_TOPIC,
      queueId: 0,
      body: Buffer.from(body),
      properties: new Map(
        Object.entries({
          UNIQ_KEY: body,
          ...wishes,
          TIMER_OUT_MS: String(outMs),
          REAL_TOPIC: TOPIC,
          REAL_QID: '0',
        }),
      ),
      flag: 0,
      sysFlag: 0,
      bornTimestamp: 1,
      bornHost: SIM_HOST,
      reconsumeTimes: 0,
      preparedTransactionOffset: 0,
    });
    return end;
  }

  /** The process is starting and may have to find out that the clock was set. */
  get #opensAfterStep(): boolean {
    return this.#machine.time - this.#steppedAt < 2 * LONGEST_MS && this.#service.state() === undefined;
  }

  #send(): void {
    const key = `m${this.#made++}`;
    const delay = this.#random.int(1, this.#random.pick([1_500, 8_000, LONGEST_MS]));
    const deliver = this.#machine.clock.now() + delay;
    const outMs = (Math.ceil(deliver / PRECISION_MS) - 1) * PRECISION_MS;
    const isTime = this.#random.chance(0.5);
    const wish: Record<string, string> = isTime
      ? { TIMER_DELIVER_MS: String(deliver) }
      : { TIMER_DELAY_MS: String(delay) };
    const end = this.#park(key, outMs, wish);
    this.operations.push(`   ${key}: delay ${delay} ${isTime} out ${outMs} end ${end}`);
    const state = { durable: false, uncertain: false, recall: undefined, recallDurable: false };
    const time = isTime ? deliver : undefined;
    this.#sent.set(key, {
      key,
      time,
      after: this.#machine.time + delay,
      outMs,
      parts: delay > 13_000 || this.#opensAfterStep,
      end,
      ...state,
      deliveries: [],
    });
  }

  /** Of one whose slot is not near, and that is where its handle says: the clock was not set since it was sent. */
  #recall(): void {
    const now = this.#machine.clock.now();
    const open = [...this.#sent.values()].filter(
      ({ time, outMs, after, parts, uncertain, deliveries, recall }) =>
        deliveries.length === 0 &&
        recall === undefined &&
        outMs > now + 3_000 &&
        (time !== undefined ||
          (!parts && !uncertain && isBeside(after - this.#machine.time - (outMs - now)))),
    );
    if (open.length === 0) return;
    const timed = this.#random.pick(open);
    const { key, outMs } = timed;
    timed.recall = this.#park('0', outMs, {
      UNIQ_KEY: key,
      TIMER_DEL_UNIQKEY: key,
      TIMER_DELIVER_MS: String(outMs + 1),
      TAGS: '_RECALL_TAG_',
    });
  }

  readonly #put: BeginPut = (message, done) => {
    const answer = (status: number) => done({ status, remark: undefined, queueOffset: 0, physicalOffset: 0 });
    if (this.#ring.refusing) {
      answer(ResponseCode.SYSTEM_ERROR);
      return;
    }
    const { end } = this.#machine.append(message);
    if (message.topic === TOPIC) this.#delivered(message, end);
    else this.result.rolled++;
    this.#machine.whenConfirmed(end, () => answer(ResponseCode.SUCCESS));
  };

  #delivered({ properties }: InternalMessage, end: number): void {
    const key = properties.get('UNIQ_KEY') as string;
    const timed = this.#sent.get(key);
    // One that a power cut should have taken, and has not.
    if (timed === undefined) return;
    assert.is(timed.recall, undefined, `${key} comes although it was recalled`);
    if (timed.time !== undefined) {
      const early = timed.time - this.#machine.clock.now();
      assert.ok(early <= 0, `${key} comes ${early} ms before its time`);
    } else if (!timed.uncertain) {
      const early = timed.after - this.#machine.time;
      assert.ok(early <= TOLERANCE_MS, `${key} comes ${early} ms before its span is over`);
    }
    timed.deliveries.push(end);
    this.operations.push(
      `   delivered ${key} at ${this.#machine.time} end ${end} due ${timed.time} ${timed.after}`,
    );
    if (timed.deliveries.length === 1) this.result.delivered++;
    else {
      assert.ok(this.#crashed, `${key} comes twice without a crash`);
      this.result.twice++;
    }
  }

  #advance(ms: number): void {
    this.#machine.advance(ms, () => this.#work());
  }

  #work(): void {
    if (this.#random.chance(0.2)) this.#flush();
    this.#machine.store.dispatch();
    if (this.#random.chance(0.5)) this.#service.poke();
    this.#machine.endPuts();
    for (let i = 0; i < 8; i++) this.#machine.agenda.run();
    this.#machine.endPuts();
  }

  #flush(): void {
    this.#machine.store.flush();
    const durable = this.#machine.durable;
    for (const timed of this.#sent.values()) {
      timed.durable ||= timed.end <= durable;
      timed.recallDurable ||= timed.recall !== undefined && timed.recall <= durable;
    }
  }

  /** The agent tells, and control writes. */
  async #save(): Promise<void> {
    const news = this.#durable.take();
    if (news === undefined) return;
    this.operations.push(`   saved ${JSON.stringify(news.check)}`);
    this.#keeper.note(news);
    this.#knowsBoot = true;
    await this.#keeper.saved();
  }

  async #restart(): Promise<void> {
    this.#service.stop();
    for (let i = 0; i < 100 && !this.#service.idle; i++) {
      this.#flush();
      this.#machine.endPuts();
      this.#machine.agenda.run();
      this.#machine.time += 1;
    }
    assert.ok(this.#service.idle, 'puts under way end');
    this.#flush();
    const state = this.#service.state();
    if (state !== undefined) this.#keeper.note(state);
    await this.#keeper.saved();
    this.#service.close();
    await this.#machine.close(this.#random);
    this.#begin();
  }

  #kill(): void {
    this.#crashed = true;
    this.result.crashes++;
    // What has not come into the wheel yet is reckoned by the clock that the next process finds.
    for (const timed of [...this.#sent.values()]) {
      timed.uncertain ||= this.#machine.time - this.#steppedAt < 2 * LONGEST_MS;
      if (timed.uncertain && timed.time === undefined && timed.recall !== undefined)
        this.#sent.delete(timed.key);
    }
    this.#machine.disk.kill();
    this.#begin();
  }

  #powerCut(): void {
    this.#crashed = true;
    this.result.crashes++;
    const flushed = this.#machine.durable;
    this.#machine.disk.powerCut(this.#random);
    for (const timed of [...this.#sent.values()]) {
      timed.uncertain = true;
      timed.deliveries = timed.deliveries.filter((end) => end <= flushed);
      // A recall that was not durable may have gone or not. One that has not come into the wheel names the slot in
      // which its span would have been if the clock had not been set.
      const isLost = !timed.recallDurable || (timed.time === undefined && this.#steppedAt > 0);
      if (!timed.durable || (timed.recall !== undefined && isLost)) this.#sent.delete(timed.key);
    }
    this.#knowsBoot = false;
    this.#machine.boot(this.#random);
    this.#begin();
  }
}
