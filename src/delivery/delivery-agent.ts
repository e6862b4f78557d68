/**
 * Delivers what becomes due: reads it from the log and puts it as a new message. All of it is on one agenda, and every
 * task on it is short, so that a million messages due at once hold up none of the others. A participant like a network
 * thread, with a ring of its own to the writer; pages that it has to wait for hold up nobody else.
 */
import type { Clock } from '../lib/clock.ts';
import { systemClock } from '../lib/clock.ts';
import { Listeners } from '../lib/listeners.ts';
import { LIFE_LINES, QuietLog } from '../lib/quiet-log.ts';
import { CALL_ROWS } from '../protocol/call-kinds.ts';
import { ResponseCode } from '../protocol/codes.ts';
import type { Agent } from '../ring/agent.ts';
import { CallTable, DELIVERY_CALLS } from '../ring/call-table.ts';
import { ChannelReceiver, ChannelSender } from '../ring/channel.ts';
import { COUNTER_BLOCKS, Counters, counterPlace } from '../ring/counters.ts';
import { AWAITED, LOG_START, Positions } from '../ring/positions.ts';
import { reportingLog, tellControl } from '../ring/reports.ts';
import { RingConsumer } from '../ring/spsc-ring.ts';
import { StepClock } from '../ring/step-clock.ts';
import { wakerOf } from '../ring/wake.ts';
import { Watermark } from '../ring/watermark.ts';
import { QUEUE_ADDED, type QueueAdded, TOPIC_FORGOTTEN } from '../store/dispatch/dispatcher-records.ts';
import type { ParticipantShape } from '../store/engine-shapes.ts';
import { confirmedBy, maxRecordBytes } from '../store/options.ts';
import { PutRing } from '../store/put/put-ring.ts';
import { QueueDirectory } from '../store/queue/queue-directory.ts';
import { ReadsByName } from '../store/read/reads-by-name.ts';
import { ActingPuts, type Escaped, type EscapeReport } from './acting/acting-puts.ts';
import { Agenda } from './agenda.ts';
import {
  CHECK_TAKEN,
  DELIVERY_LIMITS,
  DELIVERY_STOPS,
  type DeliveryLimits,
  ESCAPED,
  POP_TOLD,
  PRODUCER_PRESENCE,
  type ProducerPresence,
  TIMERS_SAVED,
} from './delivery-records.ts';
import type { CheckReport, DeliveryReport, DeliveryShape, DueProgress } from './delivery-shape.ts';
import type { DueKind } from './due-kind.ts';
import { dueKinds } from './due-kinds.ts';
import { DeliveryFigures } from './figures.ts';
import { KnownQueues } from './known-queues.ts';
import type { PopKind } from './pop/pop-kind.ts';
import type { PopReport, PopTold } from './pop/pop-link.ts';
import { QuestionServer } from './question-server.ts';
import type { HalfCheck } from './transaction/context.ts';
import { ProducersOnline } from './transaction/producers-online.ts';

/** Between two reports of progress, ms. */
const REPORT_MS = 1_000;
/** The same on a slave that acts for its master, which may be back at any moment. */
const ACTING_REPORT_MS = 100;
const LONGEST_SLEEP_MS = 1_000;
const POP_CHECKPOINTS = counterPlace('popCheckpoints');

type Tell = (report: DeliveryReport | CheckReport | PopReport | EscapeReport) => void;

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
  readonly #puts: PutRing | ActingPuts;
  /** On a slave that acts for its master: the same as `#puts`. */
  readonly #acting: ActingPuts | undefined;
  readonly #questions: QuestionServer;
  readonly #agenda: Agenda;
  readonly #log: QuietLog;
  readonly #counters: Counters;
  readonly #round: StepClock;
  readonly #kinds: readonly DueKind[];
  readonly #pops: PopKind;
  /** By topic that it follows. */
  readonly #kindOf = new Map<string, DueKind>();
  /** By id: queues of these topics. */
  readonly #followed = new Map<number, { kind: DueKind; topic: string; queueId: number }>();
  readonly #figures = new DeliveryFigures();
  readonly #producers = new ProducersOnline();
  readonly #timersSaved = new Listeners<number>();
  readonly #checks = {
    underWay: 0,
    tell: (check: HalfCheck) => {
      this.#checks.underWay += 1;
      this.#tell({ kind: 'check', check });
    },
  };
  readonly #tell: Tell;
  #limits: DeliveryLimits;
  #logStart = 0;
  #stopping = false;
  #stopped = false;

  constructor(shape: DeliveryShape, clock = systemClock, tell: Tell = tellControl) {
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
    this.#counters = new Counters(broker.counters, COUNTER_BLOCKS.delivery);
    const counters = this.#counters;
    this.#round = new StepClock('delivery', { limitMs: broker.slowMillis, counters, clock });
    for (const group of shape.producers) this.#producers.set(group, true);
    this.#acting = shape.acts ? this.#makeActing(shape) : undefined;
    this.#puts = this.#acting ?? this.#makePuts(shape, participant);
    this.#questions = new QuestionServer(shape.questions, broker, {
      calls: new CallTable(broker.calls, DELIVERY_CALLS, CALL_ROWS),
      now: () => clock.monotonic(),
    });
    const { all, pops } = dueKinds({
      shape,
      clock,
      timers: this.#agenda,
      ...{ log: this.#log, counters, figures: this.#figures },
      positions: this.#positions,
      reads: this.#reads,
      put: this.#puts.begin,
      deliver: this.#acting?.deliver ?? this.#puts.begin,
      busy: () => this.#puts.full,
      limits: () => this.#limits,
      producers: this.#producers,
      checks: this.#checks,
      timersSaved: this.#timersSaved,
      questions: this.#questions,
      queues: this.#queues,
      interest: (id) => this.#directory.addInterest(id, this.#number),
      tellActed: (acted) =>
        this.#tell({ kind: 'delivery', progress: { acted }, figures: undefined, stopped: false }),
      pops: { ask: (ask) => this.#tell({ kind: 'pop', ask }) },
    });
    this.#kinds = all;
    this.#pops = pops;
    for (const kind of this.#kinds) this.#begin(kind);
    this.#reportLater();
  }

  #begin(kind: DueKind): void {
    for (const topic of kind.topics) {
      this.#kindOf.set(topic, kind);
      for (const [queueId, id] of this.#queues.byNumber(topic).entries())
        if (id !== undefined) this.#follow(kind, topic, queueId, id);
    }
    kind.start();
  }

  #follow(kind: DueKind, topic: string, queueId: number, id: number): void {
    this.#followed.set(id, { kind, topic, queueId });
    this.#directory.addInterest(id, this.#number);
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
      shown: 'turn',
      maxRecord: maxRecordBytes(broker.store),
      queueIdOf: (topic, queueId) => this.#queueIdOf(topic, queueId),
    });
  }

  #makeActing({ pops }: DeliveryShape): ActingPuts {
    return new ActingPuts({
      reviveTopic: pops.reviveTopic,
      escape: this.#tell,
      revives: (message) => this.#pops.hasBecomeDue(message),
    });
  }

  doWork(): number {
    this.#round.begin();
    // Commands first: a queue is named before a message for it can be dispatched.
    let done = this.#obey();
    done += this.#puts.drain();
    done += this.#hear();
    done += this.#agenda.run();
    done += this.#questions.serve();
    for (const kind of this.#kinds) done += kind.work?.() ?? 0;
    this.#puts.publish();
    this.#questions.publish();
    this.#dropDeleted();
    this.#endStop();
    this.#round.end();
    return done;
  }

  hasWork(): boolean {
    if (this.#commands.pending || this.#arrivals.pending || this.#puts.pending) return true;
    if (this.#questions.pending) return true;
    for (const kind of this.#kinds) if (kind.pending) return true;
    return Atomics.load(this.#lost, this.#number) !== 0 || this.#agenda.next <= this.#clock.monotonic();
  }

  get maxSleepMs(): number {
    return Math.min(Math.max(this.#agenda.next - this.#clock.monotonic(), 0), LONGEST_SLEEP_MS);
  }

  /** After the stop that control has asked for there is nothing more to do; without it, what is under way is lost. */
  get drained(): boolean {
    return this.#puts.underWay === 0;
  }

  /** A slave acts for its master no more, and all that was under way has ended and is told. */
  get isOver(): boolean {
    return this.#acting !== undefined && this.#stopped && this.drained && this.#questions.isTold;
  }

  close(): void {
    this.#log.flush();
    for (const kind of this.#kinds) kind.close?.();
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
      const kind = this.#kindOf.get(topic);
      if (kind !== undefined) this.#follow(kind, topic, queueId, id);
      for (const each of this.#kinds) each.added?.(topic, queueId, id);
    } else if (type === TOPIC_FORGOTTEN) {
      const ids = this.#queues.of(text);
      this.#reads.forget(ids);
      for (const id of ids) this.#followed.delete(id);
      this.#queues.forget(text);
      for (const kind of this.#kinds) kind.forgotten?.(text, ids);
    } else if (type === DELIVERY_LIMITS) {
      this.#limits = JSON.parse(text) as DeliveryLimits;
    } else if (type === PRODUCER_PRESENCE) {
      const { group, online } = JSON.parse(text) as ProducerPresence;
      this.#producers.set(group, online);
    } else if (type === CHECK_TAKEN) {
      this.#checks.underWay -= 1;
    } else if (type === DELIVERY_STOPS) {
      this.#stopping = true;
      for (const kind of this.#kinds) kind.stop();
    } else if (type === ESCAPED) {
      this.#acting?.escaped(JSON.parse(text) as Escaped);
    } else if (type === POP_TOLD) {
      this.#pops.hear(JSON.parse(text) as PopTold);
    } else if (type === TIMERS_SAVED) {
      this.#timersSaved.emit(Number(text));
    }
  }

  /** News of messages that wait for their time. */
  #hear(): number {
    let done = 0;
    for (; this.#arrivals.next(); done++) {
      const id = this.#arrivals.view.getInt32(this.#arrivals.offset, true);
      const followed = this.#followed.get(id);
      if (followed === undefined) {
        for (const kind of this.#kinds) kind.arrived?.(id);
        continue;
      }
      this.#directory.addInterest(id, this.#number);
      followed.kind.poke(followed.topic, followed.queueId);
    }
    this.#arrivals.release();
    if (Atomics.exchange(this.#lost, this.#number, 0) !== 0) {
      for (const id of this.#followed.keys()) this.#directory.addInterest(id, this.#number);
      for (const kind of this.#kinds) kind.pokeAll();
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

  #reportLater(): void {
    this.#agenda.after(this.#acting === undefined ? REPORT_MS : ACTING_REPORT_MS, () => this.#report());
  }

  #report(): void {
    const progress: DueProgress = Object.assign({}, ...this.#kinds.map((kind) => kind.progress()));
    this.#counters.set(POP_CHECKPOINTS, this.#pops.held.live);
    const figures = this.#figures.take();
    if (Object.keys(progress).length > 0 || figures !== undefined)
      this.#tell({ kind: 'delivery', progress, figures, stopped: false });
    this.#reportLater();
  }

  #endStop(): void {
    if (!this.#stopping || this.#stopped || this.#questions.pending) return;
    if (!this.#kinds.every(({ idle }) => idle)) return;
    this.#stopped = true;
    // Control writes it when all of the log is durable.
    const progress: DueProgress = Object.assign({}, ...this.#kinds.map((kind) => kind.lastProgress()));
    this.#tell({ kind: 'delivery', progress, figures: this.#figures.take(), stopped: true });
    if (this.#acting === undefined) return;
    // Network threads ask no more. What came before there was room for it is asked of the master, which is back.
    this.#questions.refuse(ResponseCode.SERVICE_NOT_AVAILABLE, 'this slave acts for its master no more');
    this.#questions.publish();
  }

  #dropDeleted(): void {
    const start = this.#positions.get(LOG_START);
    if (start === this.#logStart) return;
    this.#logStart = start;
    this.#reads.dropDeleted();
  }
}
