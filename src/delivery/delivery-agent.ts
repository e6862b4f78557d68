/**
 * Delivers what becomes due: reads it from the log and puts it as a new message. All of it is on one agenda, and every
 * task on it is short, so that a million messages due at once hold up none of the others. A participant like a network
 * thread, with a ring of its own to the writer; pages that it has to wait for hold up nobody else.
 */
import type { Clock } from '../lib/clock.ts';
import { systemClock } from '../lib/clock.ts';
import { SCHEDULE_TOPIC } from '../lib/names.ts';
import { LIFE_LINES, QuietLog } from '../lib/quiet-log.ts';
import type { Agent } from '../ring/agent.ts';
import { ChannelReceiver, ChannelSender } from '../ring/channel.ts';
import { AWAITED, LOG_START, Positions } from '../ring/positions.ts';
import { reportingLog, tellControl } from '../ring/reports.ts';
import { RingConsumer } from '../ring/spsc-ring.ts';
import { wakerOf } from '../ring/wake.ts';
import { Watermark } from '../ring/watermark.ts';
import { QUEUE_ADDED, type QueueAdded, TOPIC_FORGOTTEN } from '../store/dispatch/dispatcher-records.ts';
import type { ParticipantShape } from '../store/engine-shapes.ts';
import { confirmedBy, maxRecordBytes } from '../store/options.ts';
import { PutRing } from '../store/put/put-ring.ts';
import { QueueDirectory } from '../store/queue/queue-directory.ts';
import { ReadsByName } from '../store/read/reads-by-name.ts';
import { Agenda } from './agenda.ts';
import { DelayProgress } from './delay/delay-progress.ts';
import { DelayService } from './delay/delay-service.ts';
import { DurableProgress } from './delay/durable-progress.ts';
import { DelayLevels } from './delay/levels.ts';
import { DELIVERY_LIMITS, DELIVERY_STOPS, type DeliveryLimits } from './delivery-records.ts';
import type { DeliveryReport, DeliveryShape } from './delivery-shape.ts';
import { KnownQueues } from './known-queues.ts';

/** Between two reports of progress, ms; times are many, and worth it more seldom. */
const REPORT_MS = 1_000;
const TIMES_EVERY = 10;
const LONGEST_SLEEP_MS = 1_000;

export class DeliveryAgent implements Agent {
  readonly spins = 50;
  readonly #clock: Clock;
  readonly #number: number;
  readonly #positions: Positions;
  readonly #directory: QueueDirectory;
  readonly #queues = new KnownQueues();
  readonly #reads: ReadsByName;
  readonly #commands: ChannelReceiver;
  readonly #arrivals: RingConsumer;
  readonly #lost: Int32Array;
  readonly #puts: PutRing;
  readonly #agenda: Agenda;
  readonly #log: QuietLog;
  readonly #progress: DelayProgress;
  readonly #durable: DurableProgress;
  readonly #delays: DelayService;
  readonly #tell: (report: DeliveryReport) => void;
  #limits: DeliveryLimits;
  #logStart = 0;
  #reports = 0;
  #stopping = false;
  #stopped = false;

  constructor(
    shape: DeliveryShape,
    clock = systemClock,
    tell: (report: DeliveryReport) => void = tellControl,
  ) {
    const { broker, number } = shape;
    const { store, wakes } = broker;
    const participant = broker.participants[number] as ParticipantShape;
    this.#clock = clock;
    this.#tell = tell;
    this.#number = number;
    this.#limits = shape.limits;
    this.#positions = new Positions(broker.positions);
    this.#directory = QueueDirectory.attach(broker.directory);
    for (const [topic, ids] of shape.topics)
      for (const [queueId, id] of ids.entries()) if (id !== undefined) this.#queues.add(topic, queueId, id);
    this.#reads = new ReadsByName(store, this.#positions, this.#directory, this.#queues);
    this.#commands = ChannelReceiver.join(shape.commands, wakerOf(wakes.control));
    this.#arrivals = RingConsumer.join(participant.arrivals, wakerOf(wakes.dispatcher));
    this.#lost = new Int32Array(broker.arrivalsLost);
    this.#agenda = new Agenda(clock);
    this.#log = new QuietLog(reportingLog, this.#agenda, LIFE_LINES);
    this.#progress = new DelayProgress(clock, shape.delays, shape.skew);
    this.#durable = new DurableProgress(this.#progress, this.#positions);
    this.#puts = this.#makePuts(shape, participant);
    this.#delays = new DelayService({
      maxPending: () => this.#limits.maxPending,
      clock,
      timers: this.#agenda,
      log: this.#log,
      store: this.#reads,
      put: this.#puts.begin,
      busy: () => this.#puts.busy !== undefined,
      progress: this.#progress,
      endAtStart: (level) => shape.ends[level - 1] ?? 0,
      levels: new DelayLevels(shape.delayLevels),
    });
    for (const id of this.#queues.of(SCHEDULE_TOPIC)) this.#directory.addInterest(id, number);
    this.#delays.start();
    this.#agenda.after(REPORT_MS, () => this.#report());
  }

  #makePuts({ broker, number, storeHost }: DeliveryShape, { send, replies, sameThread }: ParticipantShape) {
    // In one thread the writer has its turn after this one, and needs no bell.
    const wakeWriter = sameThread ? () => {} : wakerOf(broker.wakes.writer);
    return new PutRing({
      writer: ChannelSender.join(send, wakeWriter),
      replies: RingConsumer.join(replies, wakeWriter),
      positions: this.#positions,
      awaited: AWAITED + number,
      confirmed: new Watermark(this.#positions, confirmedBy(broker.store)),
      storeHost,
      maxRecord: maxRecordBytes(broker.store),
      queueIdOf: (topic, queueId) => this.#queueIdOf(topic, queueId),
    });
  }

  doWork(): number {
    // Commands first: a queue is named before a message for it can be dispatched.
    let done = this.#obey();
    done += this.#puts.drain();
    done += this.#hear();
    done += this.#agenda.run();
    this.#dropDeleted();
    this.#endStop();
    return done;
  }

  hasWork(): boolean {
    if (this.#commands.pending || this.#arrivals.pending || this.#puts.pending) return true;
    return Atomics.load(this.#lost, this.#number) !== 0 || this.#agenda.next <= this.#clock.monotonic();
  }

  get maxSleepMs(): number {
    return Math.min(Math.max(this.#agenda.next - this.#clock.monotonic(), 0), LONGEST_SLEEP_MS);
  }

  /** After the stop that control has asked for there is nothing more to do; without it, what is under way is lost. */
  get drained(): boolean {
    return this.#puts.underWay === 0;
  }

  close(): void {
    this.#log.flush();
    this.#reads.close();
  }

  #obey(): number {
    let done = 0;
    while (this.#commands.next()) {
      const { type, offset, length, bytes } = this.#commands;
      this.#take(type, Buffer.from(bytes.buffer, bytes.byteOffset + offset, length).toString());
      done++;
    }
    this.#commands.release();
    return done;
  }

  #take(type: number, text: string): void {
    if (type === QUEUE_ADDED) {
      const { topic, queueId, id } = JSON.parse(text) as QueueAdded;
      this.#queues.add(topic, queueId, id);
      if (topic === SCHEDULE_TOPIC) this.#directory.addInterest(id, this.#number);
    } else if (type === TOPIC_FORGOTTEN) {
      this.#reads.forget(this.#queues.of(text));
      this.#queues.forget(text);
    } else if (type === DELIVERY_LIMITS) {
      this.#limits = JSON.parse(text) as DeliveryLimits;
    } else if (type === DELIVERY_STOPS) {
      this.#stopping = true;
      this.#delays.stop();
    }
  }

  /** News of messages that wait for their time. */
  #hear(): number {
    let done = 0;
    for (; this.#arrivals.next(); done++) {
      const id = this.#arrivals.view.getInt32(this.#arrivals.offset, true);
      this.#directory.addInterest(id, this.#number);
      this.#delays.poke((this.#queues.queueIdOf(id) ?? -1) + 1);
    }
    this.#arrivals.release();
    if (Atomics.exchange(this.#lost, this.#number, 0) !== 0) {
      for (const id of this.#queues.of(SCHEDULE_TOPIC)) this.#directory.addInterest(id, this.#number);
      this.#delays.pokeAll();
    }
    return done;
  }

  /** A queue may have been named after this turn has looked: then its command is there now. */
  #queueIdOf(topic: string, queueId: number): number | undefined {
    const known = this.#queues.find(topic, queueId);
    if (known !== undefined || !this.#commands.pending) return known;
    this.#obey();
    return this.#queues.find(topic, queueId);
  }

  #report(): void {
    this.#reports += 1;
    const delays = this.#durable.take(this.#reports % TIMES_EVERY === 0);
    if (delays !== undefined) this.#tell({ kind: 'delivery', delays, stopped: false });
    this.#agenda.after(REPORT_MS, () => this.#report());
  }

  #endStop(): void {
    if (!this.#stopping || this.#stopped || !this.#delays.idle) return;
    this.#stopped = true;
    // Control writes it when all of the log is durable.
    this.#tell({ kind: 'delivery', delays: this.#progress.state(), stopped: true });
  }

  #dropDeleted(): void {
    const start = this.#positions.get(LOG_START);
    if (start === this.#logStart) return;
    this.#logStart = start;
    this.#reads.dropDeleted();
  }
}
