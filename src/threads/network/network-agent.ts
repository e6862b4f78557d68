/**
 * A network thread: its sockets, and the requests that it answers itself. Everything happens in turns of its event
 * loop: a read brings frames, the doorbell brings answers, arrivals and news; each turn ends by publishing to the
 * rings and flushing the sockets that have output.
 */
import { totalmem } from 'node:os';
import type { DeliveryQuestions } from '../../broker/delivery-questions.ts';
import { leftToMaster } from '../../broker/follow/masters-only.ts';
import { ControlLink } from '../../broker/link/control-link.ts';
import type { LiteRequests } from '../../broker/lite/lite-requests.ts';
import type { PopRequests } from '../../broker/pop/pop-requests.ts';
import { AnnouncedSubscriptions } from '../../broker/pull/announced-subscriptions.ts';
import type { PullHandler } from '../../broker/pull/pull-handler.ts';
import { PullHold } from '../../broker/pull/pull-hold.ts';
import { countRefusal } from '../../broker/refusals.ts';
import type { Acknowledger } from '../../broker/send/acknowledge.ts';
import { RefusalCounts } from '../../broker/send/refused-sends.ts';
import type { SendHandler } from '../../broker/send/send-handler.ts';
import { SlowSends } from '../../broker/send/slow-sends.ts';
import { Calls } from '../../broker/stats/calls.ts';
import { GivenCounts } from '../../broker/stats/given.ts';
import { CreationWait } from '../../broker/topics/creation-wait.ts';
import { EndTransactions } from '../../broker/transaction/end-transaction.ts';
import type { Delta, SettingsDelta } from '../../broker/view/deltas.ts';
import { NetworkView } from '../../broker/view/network-view.ts';
import { systemClock } from '../../lib/clock.ts';
import { MAX_CHANNEL_BACKLOG_BYTES } from '../../lib/limits.ts';
import type { Connection } from '../../net/connection.ts';
import { ConnectionCount } from '../../net/connection-count.ts';
import { Faults } from '../../net/faults.ts';
import { PendingSends } from '../../net/pending-sends.ts';
import { Sockets, type SocketsParts } from '../../net/sockets.ts';
import { Wakefulness } from '../../net/wakefulness.ts';
import { AT_ONCE, CALL_ROWS, DELIVERY_REQUESTS, OTHER_CALL } from '../../protocol/call-kinds.ts';
import { RequestCode, ResponseCode } from '../../protocol/codes.ts';
import { FLAG_RESPONSE } from '../../protocol/command.ts';
import { encodeAnswer } from '../../protocol/command-codec.ts';
import { CUT_ALL, CUT_BROKEN } from '../../protocol/frame-cutter.ts';
import { isOversized, refuseOversized } from '../../protocol/oversized-header.ts';
import { RequestView } from '../../protocol/request-view.ts';
import { CallTable, NETWORK_CALLS } from '../../ring/call-table.ts';
import { ChannelReceiver, ChannelSender } from '../../ring/channel.ts';
import { COUNTER_BLOCKS, Counters, counterPlace } from '../../ring/counters.ts';
import { LoopTime } from '../../ring/loop-time.ts';
import { Patience } from '../../ring/patience.ts';
import { LOG_START, Positions } from '../../ring/positions.ts';
import { slowLog, tellControl } from '../../ring/reports.ts';
import { RingConsumer } from '../../ring/spsc-ring.ts';
import { type Doorbell, wakerOf } from '../../ring/wake.ts';
import { nativeDisk } from '../../store/disk/native-disk.ts';
import { Segments } from '../../store/log/segments.ts';
import { storePaths } from '../../store/paths.ts';
import { QueueDirectory } from '../../store/queue/queue-directory.ts';
import { PullReader } from '../../store/read/pull-reader.ts';
import { QueueFiles } from '../../store/read/queue-files.ts';
import { engineAgent } from '../engine-agents.ts';
import { type EngineParts, type NetworkShape, PENDING_SENDS, participantOf } from '../shapes.ts';
import { NetworkTrace } from '../trace/network-trace.ts';
import {
  makeAcknowledger,
  makeLites,
  makePops,
  makePullHandler,
  makeQuestions,
  makeSendHandler,
  type TurnParts,
} from './assembly.ts';
import { InlineEngine } from './inline-engine.ts';

/** One coarse timer serves all deadlines. */
const TICK_MS = 250;

const ASKED_OF_DELIVERY: ReadonlySet<number> = new Set(DELIVERY_REQUESTS);

const FRAMES = counterPlace('frames');
const FORWARDED = counterPlace('framesForwarded');
const WAKE_UPS = counterPlace('wakeUps');
const ROUNDS = counterPlace('rounds');

export class NetworkAgent {
  readonly sockets: Sockets;
  readonly #shape: NetworkShape;
  readonly #positions: Positions;
  readonly #segments: Segments;
  readonly #link: ControlLink;
  readonly #creation: CreationWait;
  readonly #questions: DeliveryQuestions;
  readonly #ends: EndTransactions;
  readonly #pops: PopRequests;
  readonly #lites: LiteRequests;
  readonly #send: SendHandler;
  readonly #acknowledger: Acknowledger;
  readonly #sends = new PendingSends(PENDING_SENDS);
  /** Of the layouts `merged` and `inline`. */
  readonly #engine: InlineEngine | undefined;
  readonly #pull: PullHandler;
  readonly #reader: PullReader;
  readonly #hold = new PullHold();
  readonly #view: NetworkView;
  readonly #arrivals: RingConsumer;
  readonly #arrivalsLost: Int32Array;
  readonly #versions: Int32Array;
  readonly #wakefulness: Wakefulness;
  readonly #request = new RequestView();
  readonly #timer: NodeJS.Timeout;
  readonly #loopTime: LoopTime;
  readonly #wakeControl: () => void;
  readonly #counters: Counters;
  readonly #calls: Calls;
  readonly #faults = new Faults();
  readonly #refusals = new RefusalCounts();
  readonly #given = new GivenCounts();
  readonly #slowSends: SlowSends;
  /** Of a broker in which somebody follows a message. */
  readonly #trace: NetworkTrace | undefined;
  #logStart = 0;
  /** What a turn has left over, for which nobody rings. */
  #next: NodeJS.Immediate | undefined;
  /** Ms of the monotonic clock at the start of this turn. */
  #now = systemClock.monotonic();

  constructor(shape: NetworkShape, doorbell: Doorbell) {
    this.#shape = shape;
    const { broker } = shape;
    const { store, wakes } = broker;
    // One look at the clock per turn: deadlines are coarse, and a send would otherwise pay for it every time.
    const now = () => this.#now;
    this.#slowSends = new SlowSends(broker.slowMillis);
    this.#wakeControl = wakerOf(wakes.control);
    this.#counters = new Counters(broker.counters, COUNTER_BLOCKS.network + shape.index);
    this.#calls = new Calls(new CallTable(broker.calls, NETWORK_CALLS + shape.index, CALL_ROWS));
    this.#positions = new Positions(broker.positions);
    const directory = QueueDirectory.attach(broker.directory);
    this.#segments = new Segments(nativeDisk, store.commitLogDirectory, store.mappedFileSizeCommitLog);
    const queueRoot = storePaths.consumeQueue(store.directory);
    this.#view = new NetworkView((topic, queueId, id) => ({
      id,
      files: new QueueFiles(nativeDisk, queueRoot, store.mappedFileSizeConsumeQueue, topic, queueId),
    }));
    this.#trace = NetworkTrace.of(shape);
    this.sockets = this.#makeSockets();
    const connectionOf = (slot: number, generation: number) => this.sockets.connections.get(slot, generation);
    const touched = (connection: Connection) => this.sockets.touched(connection);
    this.#link = new ControlLink({
      up: ChannelSender.join(shape.linkUp, wakerOf(wakes.control), MAX_CHANNEL_BACKLOG_BYTES),
      down: ChannelReceiver.join(shape.linkDown, wakerOf(wakes.control)),
      connectionOf,
      touched,
      close: (connection) => this.sockets.close(connection),
      apply: (delta, version) => this.#apply(delta, version),
    });
    this.#creation = new CreationWait({
      link: this.#link,
      view: this.#view,
      now,
      run: (connection, frame) => this.#run(connection, frame),
      touched,
      clock: systemClock.monotonic,
      goOn: () => this.#goOnLater(),
      ...{ refusals: this.#refusals, calls: this.#calls },
    });
    const common: TurnParts = {
      ...{ view: this.#view, link: this.#link, creation: this.#creation },
      now,
      ...{ counters: this.#counters, calls: this.#calls, trace: this.#trace },
      ...{ refusals: this.#refusals, given: this.#given },
      slowSends: this.#slowSends,
      connectionOf,
      touched,
      guarded: (connection, run) => this.sockets.guarded(connection, run),
      subscriptions: new AnnouncedSubscriptions((subscription) => this.#link.subscription(subscription), now),
    };
    this.#questions = makeQuestions(shape, common);
    this.#ends = new EndTransactions(this.#questions);
    this.#send = makeSendHandler(shape, common, this.#sends, this.#positions);
    this.#engine = shape.inline && this.#inlineEngine(shape.inline);
    this.#acknowledger = makeAcknowledger(shape, common, this.#sends, this.#positions);
    this.#reader = new PullReader(this.#segments, this.#positions, directory, 0);
    const reading = { reader: this.#reader, directory };
    const endOfTurn = () => this.#endOfTurn();
    this.#pull = makePullHandler(shape, common, { ...reading, hold: this.#hold }, endOfTurn);
    this.#lites = makeLites(common, this.#questions);
    this.#pops = makePops(shape, common, this.#questions, reading, endOfTurn);
    this.#arrivals = RingConsumer.join(participantOf(shape).arrivals, wakerOf(wakes.dispatcher));
    this.#arrivalsLost = new Int32Array(broker.arrivalsLost);
    this.#versions = new Int32Array(shape.versions);
    this.#wakefulness = this.#makeWakefulness(doorbell);
    this.#loopTime = this.#makeLoopTime();
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  #inlineEngine(parts: EngineParts): InlineEngine {
    return new InlineEngine(engineAgent(parts), this.#positions, () => this.rung());
  }

  #makeSockets(): Sockets {
    const { connections, settings, broker } = this.#shape;
    const parts: SocketsParts = {
      beginTurn: () => {
        this.#now = systemClock.monotonic();
        return this.#now;
      },
      clock: systemClock.monotonic,
      frame: (connection, bytes, view, offset, length) =>
        this.#frame(connection, bytes, view, offset, length),
      opened: (connection) => this.#link.opened(connection),
      identified: (connection, subject) => this.#link.identified(connection, subject),
      closed: (connection) => this.#closed(connection),
      drained: (connection) => this.#pull.drained(connection),
      closedFor: (reason, detail) => this.#faults.note(reason, detail),
      mayOpen: () => this.#link.mayOpen,
      tls: settings.tls,
      count: new ConnectionCount(connections, settings.maxConnections),
      counters: this.#counters,
      threads: broker.wakes.network.length,
      endOfTurn: () => {
        this.#endOfTurn();
        this.#wakefulness.worked();
      },
    };
    return new Sockets(this.#trace?.sockets(parts) ?? parts);
  }

  #makeLoopTime(): LoopTime {
    const { slowMillis } = this.#shape.broker;
    const parts = { everyMs: TICK_MS, step: 'network', slowMillis, log: slowLog } as const;
    return new LoopTime(this.#counters, systemClock.monotonic(), parts);
  }

  #makeWakefulness(doorbell: Doorbell): Wakefulness {
    return new Wakefulness({
      patience: new Patience(this.#shape.broker.busyPollMicros),
      look: () => this.#look(),
      stayAwake: () => doorbell.mute(),
      now: systemClock.monotonic,
      fallAsleep: () => {
        doorbell.unmute();
        this.#doAll();
      },
    });
  }

  /** The doorbell rang: somebody put something into a ring, or made room in one. */
  rung(): void {
    this.#counters.add(WAKE_UPS);
    this.#doAll();
    this.#wakefulness.worked();
  }

  #doAll(): void {
    this.#now = systemClock.monotonic();
    this.#acknowledger.drain(this.#now);
    this.#drainArrivals();
    this.#link.drain();
    this.#questions.drain();
    this.#pull.serve();
    this.#creation.retry();
    if (this.sockets.hasBlocked) this.sockets.unblock();
    this.#dropDeleted();
    this.#endOfTurn();
    if (this.#link.pending) this.#goOnLater();
  }

  #goOnLater(): void {
    this.#next ??= setImmediate(() => {
      this.#next = undefined;
      this.rung();
    });
  }

  /** Instead of the doorbell, while the loop stays awake. */
  #look(): void {
    const { pending } = this.#acknowledger;
    const hasNews = this.#arrivals.pending || this.#link.pending || this.#questions.pending;
    if (pending || hasNews || this.#engine?.hasWork) this.rung();
  }

  /** Before a stop: brings everything to its end that is under way; control hears of all of it. */
  settle(): void {
    this.#link.remind();
    this.rung();
  }

  /** Whether every send was answered: a stop may go on. */
  get idle(): boolean {
    return this.#sends.size === 0 && this.#questions.underWay === 0 && !this.#creation.hasReady;
  }

  close(): void {
    clearInterval(this.#timer);
    // Whatever is kept for a later line.
    this.#report(Number.POSITIVE_INFINITY);
    clearImmediate(this.#next);
    this.#wakefulness.close();
    this.sockets.refuse();
    this.sockets.destroyAll();
    this.#engine?.close();
    this.#trace?.close();
    this.#segments.close();
  }

  #frame(connection: Connection, bytes: Uint8Array, view: DataView, offset: number, length: number): number {
    const request = this.#request;
    this.#counters.add(FRAMES);
    if (isOversized(view, offset, length)) return this.#refuseOversized(connection, view, offset, length);
    if (!request.read(bytes, view, offset, length)) return CUT_BROKEN;
    if ((request.flag & FLAG_RESPONSE) === 0) {
      const left = this.#asksDelivery(request.code) ? leftToMaster(request.code) : undefined;
      if (left !== undefined) {
        this.#questions.refuse(connection, request, ...left);
        return CUT_ALL;
      }
      switch (request.code) {
        case RequestCode.SEND_MESSAGE_V2:
        case RequestCode.SEND_MESSAGE:
        case RequestCode.SEND_BATCH_MESSAGE:
        case RequestCode.SEND_REPLY_MESSAGE_V2:
        case RequestCode.SEND_REPLY_MESSAGE:
          return this.#send.handle(connection, request, offset, length);
        case RequestCode.PULL_MESSAGE:
        case RequestCode.LITE_PULL_MESSAGE:
          return this.#pull.handle(connection, request, offset, length);
        case RequestCode.END_TRANSACTION:
          return this.#ends.handle(connection, request);
        case RequestCode.POP_MESSAGE:
        case RequestCode.ACK_MESSAGE:
        case RequestCode.BATCH_ACK_MESSAGE:
        case RequestCode.CHANGE_MESSAGE_INVISIBLETIME:
        case RequestCode.NOTIFICATION:
        case RequestCode.PEEK_MESSAGE:
        case RequestCode.POLLING_INFO:
          return this.#pops.handle(connection, request, offset, length);
        case RequestCode.POP_LITE_MESSAGE:
        case RequestCode.LITE_SUBSCRIPTION_CTL:
          return this.#lites.handle(connection, request, offset, length);
      }
    }
    this.#counters.add(FORWARDED);
    return this.#link.forward(connection, bytes, offset, length, this.#now);
  }

  /**
   * Of a slave, where delivery runs only while it acts for its master, and without transactions. What control serves is
   * refused there, where the audit sees it.
   */
  #asksDelivery(code: number): boolean {
    if (!this.#shape.broker.isSlave || !ASKED_OF_DELIVERY.has(code)) return false;
    return !this.#view.settings.acts || code === RequestCode.END_TRANSACTION;
  }

  #refuseOversized(connection: Connection, view: DataView, offset: number, length: number): number {
    const answer = refuseOversized(view, offset, length);
    if (answer === false) return CUT_BROKEN;
    countRefusal(this.#counters, ResponseCode.MESSAGE_ILLEGAL);
    // Which request it was is not read.
    this.#calls.done(OTHER_CALL, ResponseCode.MESSAGE_ILLEGAL, AT_ONCE, 0);
    if (answer !== undefined) connection.append(encodeAnswer(answer));
    return CUT_ALL;
  }

  #run(connection: Connection, frame: Uint8Array): number {
    const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
    let outcome = CUT_BROKEN;
    this.sockets.guarded(connection, () => {
      outcome = this.#frame(connection, frame, view, 0, frame.length);
    });
    this.sockets.touched(connection);
    return outcome;
  }

  #closed(connection: Connection): void {
    this.#pull.closed(connection);
    this.#questions.gone(connection);
    this.#link.closed(connection);
  }

  #endOfTurn(): void {
    this.#counters.add(ROUNDS);
    this.#send.publish();
    this.#questions.publish();
    // What was appended in this turn is answered in it, unless it waits for the disk. For the room that makes nobody
    // rings: the writer is this thread.
    if (this.#engine?.work() && this.#acknowledgeOwn() > 0) {
      if (this.sockets.hasBlocked || this.#creation.hasReady) this.#goOnLater();
    }
    this.#link.publish();
    this.sockets.flush();
  }

  /** What this thread has appended itself: that took some of its turn. */
  #acknowledgeOwn(): number {
    this.#now = systemClock.monotonic();
    return this.#acknowledger.drain(this.#now);
  }

  #drainArrivals(): void {
    while (this.#arrivals.next())
      this.#pull.arrived(this.#arrivals.view.getInt32(this.#arrivals.offset, true));
    this.#arrivals.release();
    if (Atomics.load(this.#arrivalsLost, this.#shape.index) === 0) return;
    Atomics.store(this.#arrivalsLost, this.#shape.index, 0);
    this.#pull.arrivedSomewhere();
  }

  #apply(delta: Delta, version: number): void {
    this.#view.apply(delta);
    if (delta.kind === 'ensured') this.#creation.ensured(delta);
    // Pulls of queues that did not exist are parked under no queue; a topic's change may have brought theirs.
    if (delta.kind === 'topic') this.#pull.arrived(0);
    if (delta.kind === 'settings') this.#settings(delta);
    Atomics.store(this.#versions, this.#shape.index, version);
    // Control holds replies back until all threads have come this far.
    if (this.#shape.broker.wakes.network.length > 1) this.#wakeControl();
  }

  #settings({ inMemoryPercent, acts }: SettingsDelta): void {
    this.#reader.inMemoryWindow = (totalmem() * inMemoryPercent) / 100;
    if (this.#shape.broker.isSlave && !acts) this.#questions.deliveryEnds();
  }

  #tick(): void {
    this.#now = systemClock.monotonic();
    this.#acknowledger.drain(this.#now);
    this.#pull.expire();
    this.#creation.expire();
    this.#creation.retry();
    if (this.sockets.hasBlocked) this.sockets.unblock();
    this.sockets.closeStalled(this.#shape.settings.serverChannelMaxIdleTimeSeconds * 1000);
    this.#dropDeleted();
    this.#loopTime.tick(this.#now);
    this.#given.report(this.#now, (given) => this.#link.given(given));
    this.#report();
    this.#link.remind();
    this.#endOfTurn();
  }

  #report(now = this.#now): void {
    this.#faults.report(now);
    this.#slowSends.report(slowLog);
    for (const refused of this.#refusals.take()) tellControl({ kind: 'refused', refused });
  }

  #dropDeleted(): void {
    const start = this.#positions.get(LOG_START);
    if (start === this.#logStart) return;
    this.#logStart = start;
    this.#segments.dropBefore(start);
  }
}
