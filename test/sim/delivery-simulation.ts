/**
 * One run of delay levels over a store on a simulated disk, with a clock that is set and machines that die: random
 * operations by seed. The truth is: a delayed message that is durable is delivered at least once, whatever happens, and
 * twice only where a crash came between; none comes before its time by the monotonic clock; a level keeps its order.
 */
import * as assert from 'uvu/assert';
import { DelayProgress, type DelayState, notBegun } from '../../src/delivery/delay/delay-progress.ts';
import { DelayService } from '../../src/delivery/delay/delay-service.ts';
import { DelayLevels, queueOfLevel } from '../../src/delivery/delay/levels.ts';
import { rewriteForDelay } from '../../src/delivery/delay/rewrite.ts';
import { DurableProgress } from '../../src/delivery/durable-progress.ts';
import { noLog } from '../../src/lib/log.ts';
import { SCHEDULE_TOPIC } from '../../src/lib/names.ts';
import { skewOf } from '../../src/metadata/append-times.ts';
import { ResponseCode } from '../../src/protocol/codes.ts';
import type { BeginPut, InternalMessage } from '../../src/store/put/put-message.ts';
import type { Random } from '../support/random.ts';
import { SIM_HOST, SimMachine, YEAR_MS } from './sim-machine.ts';

const LEVELS = '1s 5s 30s';
const LONGEST_DELAY_MS = 30_000;
const TOPIC = 'due';
/** An idle level looks at the clock every five seconds. */
const LOOKS_MS = 6_000;
/** Corrections of the clock up to 100 ms count as none, in either direction. */
const TOLERANCE_MS = 200;

interface Delayed {
  readonly key: string;
  readonly level: number;
  /** True time at which it was sent, ms. */
  readonly sent: number;
  /** Position behind its record. */
  readonly end: number;
  durable: boolean;
  /** It waited while the machine or a killed process was started again: only the clock could tell for how long. */
  uncertain: boolean;
  /** Positions behind what was delivered in its place. */
  deliveries: number[];
}

export interface DeliveryResult {
  delivered: number;
  twice: number;
  lostUndurable: number;
}

export class DeliverySimulation {
  readonly operations: string[] = [];
  readonly result: DeliveryResult = { delivered: 0, twice: 0, lostUndurable: 0 };
  readonly #random: Random;
  readonly #levels = new DelayLevels(LEVELS);
  readonly #machine: SimMachine;
  #sent = new Map<string, Delayed>();
  #made = 0;
  /** Whether the machine or the process has died: until then nothing comes twice. */
  #crashed = false;
  /** The clock was set, and a process that is killed may not have told so. */
  #stepped = false;
  #steppedAt = Number.NEGATIVE_INFINITY;
  /** What control's files hold. */
  #offsets = new Map<number, number>();
  #times = new Map<number, DelayState['times'][number][1]>();
  #service!: DelayService;
  #starts = false;
  #skewAtStart = 0;
  #progress!: DelayProgress;
  #durable!: DurableProgress<DelayState>;
  #wantsTimes = false;
  /** What the ring to the writer does with puts. */
  readonly #ring = { busy: false, refusing: false };

  constructor(random: Random) {
    this.#random = random;
    this.#machine = new SimMachine(random.pick(['SYNC_FLUSH', 'ASYNC_FLUSH'] as const), LEVELS);
    this.#begin();
  }

  async run(steps: number): Promise<void> {
    for (let i = 0; i < steps; i++) await this.#step();
    Object.assign(this.#ring, { busy: false, refusing: false });
    // Every wait begins anew at most once with a restart, and goes in steps of a second; a level retries for a minute.
    for (let i = 0; i < 2 * LONGEST_DELAY_MS + 80_000; i += 500) this.#advance(500);
    for (const { key, durable, deliveries } of this.#sent.values()) {
      if (durable) assert.ok(deliveries.length > 0, `${key} was durable and is lost`);
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
    const step = this.#random.pick([YEAR_MS, -YEAR_MS, 20_000, -20_000, 300, -300]);
    if (n < 30) return [`send m${this.#made}`, () => this.#send()];
    if (n < 70) return [`wait ${ms}`, () => this.#advance(ms)];
    if (n < 78) return ['flush', () => this.#flush()];
    if (n < 84) return ['save', () => this.#save()];
    if (n < 86) return [`clock ${step}`, () => this.#stepClock(step)];
    if (n < 88) return ['busy or not', () => this.#toggle('busy')];
    if (n < 90) return ['refusing or not', () => this.#toggle('refusing')];
    if (n < 92) return ['restart', () => this.#restart()];
    if (n < 95) return ['kill', () => this.#kill()];
    if (n < 97) return ['power cut', () => this.#powerCut()];
    return ['checkpoint', () => this.#machine.store.checkpoint()];
  }

  #stepClock(ms: number): void {
    // Two steps that undo each other are not to be seen when nobody has looked in between.
    if (this.#machine.time - this.#steppedAt < LOOKS_MS) return;
    this.#machine.ahead += ms;
    this.#stepped = true;
    this.#steppedAt = this.#machine.time;
  }

  #toggle(what: 'busy' | 'refusing'): void {
    this.#ring[what] = !this.#ring[what];
  }

  #begin(): void {
    this.#machine.open();
    const { positions } = this.#machine.store;
    this.#progress = new DelayProgress(this.#machine.clock, {
      offsets: [...this.#offsets],
      times: structuredClone([...this.#times]),
    });
    this.#durable = new DurableProgress(() => this.#progress.take(this.#wantsTimes), positions);
    const { maxOffset } = this.#machine.reads();
    const ends = [1, 2, 3].map((level) => maxOffset(SCHEDULE_TOPIC, queueOfLevel(level)));
    this.#starts = this.#random.chance(0.5);
    this.#skewAtStart = skewOf(this.#machine.clock);
    this.#service = new DelayService({
      maxPending: () => 4,
      clock: this.#machine.clock,
      timers: this.#machine.agenda,
      log: noLog,
      store: this.#machine.reads(),
      put: this.#put,
      busy: () => this.#ring.busy,
      progress: this.#progress,
      endAtStart: (level) => ends[level - 1] ?? 0,
      levels: this.#levels,
    });
    // Where nothing waits delivery starts with what comes.
    if (this.#starts) this.#service.start();
  }

  #send(): void {
    const level = this.#random.int(1, 3);
    const key = `m${this.#made++}`;
    const message: InternalMessage = {
      topic: TOPIC,
      queueId: this.#random.int(0, 1),
      body: Buffer.from(key),
      properties: new Map([
        ['DELAY', String(level)],
        ['KEYS', key],
      ]),
      flag: 0,
      sysFlag: 0,
      bornTimestamp: 1,
      bornHost: SIM_HOST,
      reconsumeTimes: 0,
      preparedTransactionOffset: 0,
    };
    const { end } = this.#machine.append(rewriteForDelay(message, this.#levels.max));
    const state = { durable: false, uncertain: false, deliveries: [] };
    this.#sent.set(key, { key, level, sent: this.#machine.time, end, ...state });
  }

  readonly #put: BeginPut = (message, done) => {
    const answer = (status: number) => done({ status, remark: undefined, queueOffset: 0, physicalOffset: 0 });
    if (this.#ring.refusing) {
      answer(ResponseCode.SYSTEM_ERROR);
      return;
    }
    const { end } = this.#machine.append(message);
    this.#delivered(message, end);
    this.#machine.whenConfirmed(end, () => answer(ResponseCode.SUCCESS));
  };

  #delivered({ topic, properties }: InternalMessage, end: number): void {
    assert.is(topic, TOPIC);
    const key = properties.get('KEYS') as string;
    const delayed = this.#sent.get(key);
    // One that a power cut should have taken, and has not.
    if (delayed === undefined) return;
    const early = delayed.sent + this.#levels.delayOf(delayed.level) - this.#machine.time;
    if (!delayed.uncertain) assert.ok(early <= TOLERANCE_MS, `${key} comes ${early} ms early`);
    delayed.deliveries.push(end);
    if (delayed.deliveries.length === 1) this.result.delivered++;
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
    if (!this.#starts && this.#random.chance(0.3)) {
      this.#starts = true;
      this.#service.start();
    }
    this.#machine.store.dispatch();
    if (this.#random.chance(0.5)) for (let level = 1; level <= 3; level++) this.#service.poke(level);
    this.#machine.endPuts();
    this.#machine.agenda.run();
    this.#machine.endPuts();
  }

  #flush(): void {
    this.#machine.store.flush();
    const durable = this.#machine.durable;
    for (const delayed of this.#sent.values()) delayed.durable ||= delayed.end <= durable;
  }

  /** The agent tells, and control writes. */
  #save(): void {
    this.#wantsTimes = this.#random.chance(0.5);
    const state = this.#durable.take();
    if (state !== undefined) this.#write(state);
  }

  #write({ offsets, times }: DelayState): void {
    for (const [level, offset] of offsets) this.#offsets.set(level, offset);
    for (const [level, states] of times) this.#times.set(level, structuredClone(states));
  }

  async #restart(): Promise<void> {
    this.#service.stop();
    for (let i = 0; i < 100 && !this.#service.idle; i++) {
      this.#flush();
      this.#machine.endPuts();
    }
    assert.ok(this.#service.idle, 'puts under way end');
    this.#flush();
    this.#write(this.#starts ? this.#progress.state() : this.#notBegun());
    this.#stepped = false;
    await this.#machine.close(this.#random);
    this.#begin();
  }

  #notBegun(): DelayState {
    const before = { offsets: [...this.#offsets], times: [...this.#times] };
    return notBegun(before, this.#levels.max, this.#skewAtStart, this.#machine.clock);
  }

  #kill(): void {
    this.#crashed = true;
    if (this.#stepped) for (const delayed of this.#sent.values()) delayed.uncertain = true;
    this.#machine.disk.kill();
    this.#begin();
  }

  #powerCut(): void {
    this.#crashed = true;
    const flushed = this.#machine.durable;
    this.#machine.disk.powerCut(this.#random);
    for (const delayed of [...this.#sent.values()]) {
      delayed.uncertain = true;
      delayed.deliveries = delayed.deliveries.filter((end) => end <= flushed);
      if (delayed.durable) continue;
      this.#sent.delete(delayed.key);
      this.result.lostUndurable++;
    }
    this.#machine.boot(this.#random);
    // They hold for one boot.
    this.#times.clear();
    this.#begin();
  }
}
