/** A timer service on fake time, disk, store and puts, with the checkpoint that control keeps of it. */
import { DeliveryFigures } from '../../../src/delivery/figures.ts';
import { TimerCheckKeeper } from '../../../src/delivery/timer/timer-check-keeper.ts';
import type { TimerOptions } from '../../../src/delivery/timer/timer-files.ts';
import { TimerService } from '../../../src/delivery/timer/timer-service.ts';
import type { ControlLog } from '../../../src/lib/log.ts';
import { TIMER_TOPIC } from '../../../src/lib/names.ts';
import type { BeginPut, InternalMessage } from '../../../src/store/put/put-message.ts';
import { SimDisk } from '../../sim/sim-disk.ts';
import { FakePut, FakeStore, message } from '../broker/support.ts';
import { FakeTime } from '../metadata/support.ts';

/** What the send path does with a message that asks for a time. */
export function parked(
  body: string,
  properties: Record<string, string>,
  outMs: number,
  queueId = 3,
): InternalMessage {
  return message({
    topic: TIMER_TOPIC,
    queueId: 0,
    body: Buffer.from(body),
    properties: new Map(
      Object.entries({
        ...properties,
        UNIQ_KEY: body,
        TIMER_OUT_MS: String(outMs),
        REAL_TOPIC: 't',
        REAL_QID: String(queueId),
      }),
    ),
  });
}

export interface Delivered {
  body: string;
  at: number;
  monotonic: number;
  message: InternalMessage;
}

export class TimerRig {
  readonly time = new FakeTime();
  readonly store = new FakeStore();
  readonly disk = new SimDisk();
  readonly puts = new FakePut();
  readonly lines: string[] = [];
  readonly delivered: Delivered[] = [];
  readonly options: TimerOptions;
  busy = false;
  readonly figures = new DeliveryFigures();
  service!: TimerService;
  keeper!: TimerCheckKeeper;
  readonly #log: ControlLog;

  constructor(options: Partial<TimerOptions> = {}) {
    this.options = {
      directory: '/store',
      timerPrecisionMs: 1000,
      timerRollWindowSlot: 300,
      mappedFileSizeTimerLog: 52 * 1000 + 16,
      wheelSlots: 800,
      ...options,
    };
    const line = (level: string) => (fields: object, text: string) => {
      this.lines.push(`${level} ${text} ${JSON.stringify(fields)}`);
    };
    this.#log = { info: line('info'), warn: line('warn'), error: line('error') };
    this.disk.makeDirectory('/store/config');
    this.begin();
  }

  /** A life of the service, with what the files hold. */
  begin(): void {
    this.keeper = new TimerCheckKeeper(this.disk, '/store', this.#log, (sequence) => {
      this.service.saved(sequence);
    });
    this.service = new TimerService({
      figures: this.figures,
      maxPending: () => 100,
      clock: this.time,
      timers: this.time,
      log: this.#log,
      disk: this.disk,
      options: this.options,
      store: this.store,
      put: this.#begin,
      busy: () => this.busy,
      endAtStart: this.store.maxOffset(TIMER_TOPIC, 0),
    });
    this.service.start();
  }

  readonly #begin: BeginPut = (put, done) => {
    this.puts.begin(put, (result) => {
      if (result.status === 0) {
        if (put.topic === TIMER_TOPIC) this.append(put);
        else this.#note(put);
      }
      done(result);
    });
  };

  #note(put: InternalMessage): void {
    const body = Buffer.from(put.body).toString();
    this.delivered.push({ body, at: this.time.now(), monotonic: this.time.monotonic(), message: put });
  }

  append(put: InternalMessage): void {
    this.store.append(put, this.time.now());
    this.service.poke();
  }

  /** As the send path parks a message for a time of the machine's clock. */
  at(body: string, deliverMs: number): void {
    this.append(parked(body, { TIMER_DELIVER_MS: String(deliverMs) }, this.#outOf(deliverMs)));
  }

  /** For a span. */
  after(body: string, delayMs: number): void {
    const out = this.#outOf(this.time.now() + delayMs);
    this.append(parked(body, { TIMER_DELAY_MS: String(delayMs) }, out));
  }

  recall(body: string, outMs: number, topicInKey = false): void {
    const key = topicInKey ? `t+${body}` : body;
    const properties = { TIMER_DEL_UNIQKEY: key, TIMER_DELIVER_MS: String(outMs + 1), TAGS: '_RECALL_TAG_' };
    this.append(parked('0', properties, outMs, 0));
  }

  #outOf(deliverMs: number): number {
    const { timerPrecisionMs: precision } = this.options;
    return (Math.ceil(deliverMs / precision) - 1) * precision;
  }

  get bodies(): string[] {
    return this.delivered.map(({ body }) => body);
  }

  get rolls(): number {
    return this.puts.messages.filter(({ topic }) => topic === TIMER_TOPIC).length;
  }

  /** Time passes, and control writes a checkpoint each second. */
  async live(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 1_000) {
      await this.time.advance(Math.min(left, 1_000));
      await this.save();
    }
  }

  /** The agent tells, and control writes; what is durable is cleared. */
  async save(): Promise<void> {
    const news = this.service.news();
    if (news === undefined) return;
    this.keeper.note(news);
    await this.keeper.saved();
    await this.time.advance(0);
  }

  async stop(): Promise<void> {
    this.service.stop();
    for (let i = 0; i < 100 && !this.service.idle; i++) await this.time.advance(10);
    const state = this.service.state();
    if (state !== undefined) this.keeper.note(state);
    await this.keeper.saved();
    this.service.close();
  }

  /** The process dies; what it wrote stays. */
  kill(): void {
    this.service.stop();
    this.disk.kill();
    this.begin();
  }
}
