/**
 * Messages at a time of the sender's choice: from the queue of the timer topic into the timing wheel, and from there to
 * their topics. Files are opened with the first timer, recovered and, when the clock was set back, gone through in
 * short steps; all of it in turns of the delivery agent's agenda.
 */
import type { Clock } from '../../lib/clock.ts';
import { javaHashCode } from '../../lib/java-hash.ts';
import type { ControlLog } from '../../lib/log.ts';
import { TIMER_TOPIC } from '../../lib/names.ts';
import type { Timers } from '../../lib/timers.ts';
import { AppendTimes } from '../../metadata/append-times.ts';
import type { StoredMessage } from '../../record/decode.ts';
import type { Disk } from '../../store/disk/disk.ts';
import type { BeginPut, InternalMessage } from '../../store/put/put-message.ts';
import type { StoreReads } from '../../store/read/store-reads.ts';
import { ActedBefore } from '../acting/acted-timers.ts';
import type { DeliveryFigures } from '../figures.ts';
import { realQueueOf } from '../real-queue.ts';
import { DamagedTimers } from './damaged-timers.ts';
import { OldestTimer } from './oldest-timer.ts';
import type { TimedRecord } from './timed-record.ts';
import { NOTHING_PARTLY, type TimerCheck } from './timer-check.ts';
import { TimerDelivery, type TimerDeliveryParts } from './timer-delivery.ts';
import { type Delivered, deliveredBy, type EnqueueParts, TimerEnqueue } from './timer-enqueue.ts';
import { type FoundTimers, TimerFiles, type TimerOptions } from './timer-files.ts';
import { NONE } from './timer-layout.ts';
import type { TimerMark } from './timer-mark.ts';
import { TimerMoves } from './timer-moves.ts';
import { type Recovered, TimerRecovery } from './timer-recovery.ts';
import { COMMIT_PAUSE_MS, type Steps, type TimerStore } from './timer-store.ts';
import { TimingCounts } from './timing-counts.ts';

/** A step of the clock has to be noticed before the next timer comes. */
const LONGEST_SLEEP_MS = 1_000;
/** An empty queue is looked at this often even if nobody pokes. */
const IDLE_SLEEP_MS = 5_000;
/** Between two looks whether puts under way have ended. */
const IDLE_POLL_MS = 5;
/** Files that cannot be made are tried again after this. */
const REOPEN_MS = 1_000;
/** Spans of arrival times are as wide as for a delay of a minute. */
const SPAN_DELAY_MS = 60_000;

export interface TimerContext {
  maxPending: () => number;
  clock: Clock;
  timers: Timers;
  log: ControlLog;
  disk: Disk;
  options: TimerOptions;
  store: Pick<StoreReads, 'minOffset' | 'maxOffset' | 'readQueue' | 'recordAt'>;
  /** See TimerDelivery. */
  outcome?: TimerDeliveryParts['outcome'];
  put: BeginPut;
  /** Whether no more may be put until some of what is under way has ended. */
  busy: () => boolean;
  figures: DeliveryFigures;
  /** A message was delivered, or rolled. */
  delivered?: () => void;
  /** Whether anybody is to get a message whose time has come; default: yes. */
  isNeeded?: (message: InternalMessage) => boolean;
  /** Where the queue of the timer topic ended when the broker started. */
  endAtStart: number;
  /** Of the clock, then. */
  skew?: number;
}

/** How far it has come. Can be posted. */
export interface TimerState {
  /** Counts what was told; `saved` gives it back. */
  sequence: number;
  check: Omit<TimerCheck, 'counter'>;
  /** Position in the CommitLog of the oldest record that waits; -1 while nobody knows. */
  oldest: number;
}

/** For metrics. */
export interface TimerGauges {
  /** Offset of the next entry of the timer topic. */
  next: number;
  /** Up to which time all was delivered. */
  readTimeMs: number;
  waiting: number;
  ahead: number[];
}

/** What is open once there are timers. */
interface Running {
  timers: TimerStore;
  enqueue: TimerEnqueue;
  delivery: TimerDelivery;
}

export class TimerService {
  readonly #context: TimerContext;
  readonly #files: TimerFiles;
  readonly #times: AppendTimes;
  #running = false;
  #open: Running | undefined;
  /** Being recovered. */
  #recovering: TimerStore | undefined;
  /** What has to be finished before anything is delivered. */
  #job: Steps | undefined;
  /** It puts units into the wheel once more, and the next process could not tell how far that has come. */
  #moving = false;
  readonly #timing: TimingCounts;
  /** Counts what was in the wheel at the start. */
  #countJob: Steps | undefined;
  readonly #oldest: OldestTimer;
  #cancelTimer: () => void = () => {};
  #wakesAt = Number.POSITIVE_INFINITY;
  #repeatsAt = 0;
  /** To be told and saved before wheel and log are removed, and with which sequence it was; 0 = it was not. */
  #remaking: TimerCheck | undefined;
  #remakingTold = 0;
  /** What was told last, to see whether there is news. */
  #told = '';
  #sequence = 0;
  /** Slots that were finished then. */
  #finished: { sequence: number; slots: readonly (readonly [number, number])[] } | undefined;

  constructor(context: TimerContext) {
    const { clock, endAtStart, skew, disk, options, log } = context;
    this.#context = context;
    this.#oldest = new OldestTimer(clock);
    this.#timing = new TimingCounts(context.figures);
    this.#files = new TimerFiles(disk, options, log);
    // What came before the clock was set while nobody looked waits for as long as it asked.
    this.#times = new AppendTimes(clock, SPAN_DELAY_MS, this.#files.timesBefore(), endAtStart, skew);
    this.#times.note(endAtStart);
  }

  start(): void {
    this.#running = true;
    this.#wake(0);
  }

  /** New entries were dispatched to the queue of the timer topic. */
  poke(): void {
    this.#times.note(this.#queueEnd);
    this.#wake(0);
  }

  /** Puts nothing more; what is under way still ends. */
  stop(): void {
    this.#running = false;
    if (!this.#moving) this.#cancelTimer();
  }

  get idle(): boolean {
    return !this.#moving && this.#noneUnderWay;
  }

  get #noneUnderWay(): boolean {
    return (this.#open?.delivery.underWay ?? 0) === 0;
  }

  close(): void {
    const next = this.#open?.enqueue.next ?? 0;
    const times = this.#times.state();
    // Without open files there is no clock that tells of a step, and some may be stored that no queue has yet.
    if (times.stepped || this.#open === undefined || next < this.#queueEnd) this.#files.keepTimes(times);
    this.#open?.timers.close();
    this.#recovering?.close();
  }

  get #queueEnd(): number {
    return this.#context.store.maxOffset(TIMER_TOPIC, 0);
  }

  /** What is due by now. Without open files there is no clock of elapsed time: what has no wheel waits by none. */
  mark(): TimerMark {
    const { clock } = this.#context;
    const elapsed = this.#open?.timers.clock.elapsed ?? Number.POSITIVE_INFINITY;
    return { time: clock.now(), elapsed, queueEnd: this.#queueEnd };
  }

  /** Whether all of that has been put. */
  hasPassed(mark: TimerMark): boolean {
    if (this.#open === undefined) return this.#queueEnd === 0;
    if (this.#job !== undefined || this.#open.enqueue.next < mark.queueEnd) return false;
    return this.#open.delivery.hasPassed(mark);
  }

  /** As it stands now; undefined when it cannot be told: files are opened, or being gone through. */
  state(): TimerState | undefined {
    const open = this.#open;
    if (open === undefined || this.#job !== undefined || !open.delivery.resumed) return undefined;
    if (!open.timers.commit()) return undefined;
    const { clock, log, displacedFrom } = open.timers;
    const { slot, floor } = open.delivery.slots.progress;
    const { precisionMs } = clock;
    const { partly } = open.delivery;
    const mark = { readSlot: slot, floor, partly, displacedFrom };
    const own = { precisionMs, clock: clock.state(), ...mark, remaking: false };
    const late = open.timers.late.stateAt(slot);
    const readTimeMs = slot * precisionMs;
    const { next: queueOffset } = open.enqueue;
    // A step of the clock that is not noticed yet must not be told by half.
    const timestamp = Math.floor(clock.machineTime(clock.elapsed, true));
    const check = { readTimeMs, logEnd: log.end, queueOffset, timestamp, own, late };
    return { sequence: this.#sequence, check, oldest: this.#oldest.position };
  }

  /** State, if there is something new but time that passes. */
  news(): TimerState | undefined {
    if (this.#remaking !== undefined) return this.#tellRemaking(this.#remaking);
    const { open, state } = { open: this.#open, state: this.state() };
    if (open === undefined || state === undefined) return undefined;
    const finished = [...open.timers.finishedSlots];
    const { queueOffset, logEnd, own } = state.check;
    const news = JSON.stringify([
      queueOffset,
      logEnd,
      own?.clock,
      own?.partly,
      state.oldest,
      finished.length,
    ]);
    if (news === this.#told) return undefined;
    this.#told = news;
    this.#sequence += 1;
    this.#finished = { sequence: this.#sequence, slots: finished };
    return { ...state, sequence: this.#sequence };
  }

  #tellRemaking(check: TimerCheck): TimerState | undefined {
    if (this.#remakingTold !== 0) return undefined;
    this.#sequence += 1;
    this.#remakingTold = this.#sequence;
    this.#told = '';
    return { sequence: this.#sequence, check, oldest: NONE };
  }

  /** A checkpoint was written with what was told then, and everything that it promises is durable. */
  saved(sequence: number): void {
    if (sequence === this.#remakingTold) this.#remaking = undefined;
    if (this.#finished?.sequence !== sequence || this.#finished.slots.length === 0) return;
    this.#open?.timers.clear(this.#finished.slots);
    this.#finished = undefined;
    this.#wake(0);
  }

  #wake(ms: number): void {
    const { clock, timers } = this.#context;
    const at = clock.monotonic() + ms;
    if (!(this.#running || this.#moving) || at >= this.#wakesAt) return;
    this.#cancelTimer();
    this.#wakesAt = at;
    this.#cancelTimer = timers.after(ms, () => this.#run());
  }

  #run(): void {
    this.#wakesAt = Number.POSITIVE_INFINITY;
    if (!this.#running && !this.#moving) return;
    this.#times.note(this.#queueEnd);
    try {
      this.#wake(this.#turn());
    } catch (error) {
      if (!(error instanceof DamagedTimers)) throw error;
      this.#job = this.#rebuild(error.message);
      this.#moving = false;
      this.#wake(0);
    }
  }

  /** ms after which the next one is to come. */
  #turn(): number {
    if (this.#job !== undefined) {
      const { done, value } = this.#job.next();
      if (done) this.#job = undefined;
      // Who stops does not wait for a disk that is full.
      if (done || (!this.#running && value === COMMIT_PAUSE_MS)) this.#moving = false;
      return typeof value === 'number' ? value : 0;
    }
    if (this.#open === undefined) {
      if (this.#queueEnd === 0) return IDLE_SLEEP_MS;
      this.#job = this.#begin();
      return 0;
    }
    return this.#deliver(this.#open);
  }

  #deliver({ timers, enqueue, delivery }: Running): number {
    const step = timers.clock.takeStep();
    if (step !== 0) {
      const moves = new TimerMoves(timers, delivery);
      this.#job = step < 0 ? moves.back() : moves.forward();
      this.#moving = true;
      return 0;
    }
    let next = enqueue.run();
    if (timers.log.isStaged) return next;
    if (delivery.prepare()) next = 0;
    if (this.#open !== undefined && delivery.hasFailed) next = Math.min(next, this.#repeat(this.#open));
    else next = Math.min(next, delivery.issue());
    if (this.#oldest.look(timers) || this.#countOn() || timers.log.isStaged) next = 0;
    const waits = timers.wheel.filled > 0;
    return Math.min(next, waits ? LONGEST_SLEEP_MS : IDLE_SLEEP_MS);
  }

  /** Repeats what has failed, when its pause is over. */
  #repeat({ delivery }: Running): number {
    const now = this.#context.clock.monotonic();
    if (now < this.#repeatsAt) return this.#repeatsAt - now;
    return delivery.repeat();
  }

  /** One step of it; whether there are more. */
  #countOn(): boolean {
    if (this.#countJob?.next().done === true) this.#countJob = undefined;
    return this.#countJob !== undefined;
  }

  /** How far it has come, and how many messages wait, in all and by `boundsMs` ahead; undefined without a wheel. */
  gauges(boundsMs: readonly number[]): TimerGauges | undefined {
    const open = this.#open;
    if (open === undefined) return undefined;
    const { wheel, clock } = open.timers;
    const { slot } = open.delivery.slots.progress;
    const slotIn = (ms: number) => clock.slot + Math.floor(ms / clock.precisionMs);
    const ahead = boundsMs.map((bound, i) => wheel.countWithin(slotIn(boundsMs[i - 1] ?? 0), slotIn(bound)));
    return { next: open.enqueue.next, readTimeMs: slot * clock.precisionMs, waiting: wheel.count, ahead };
  }

  #enqueued(delivery: TimerDelivery, to: number, timed: TimedRecord, message: StoredMessage): void {
    delivery.enqueued(to, timed.rolled, timed.recalls);
    const { figures } = this.#context;
    figures.count('timersIn', timed.realTopic);
    figures.observe('delays', timed.realTopic, Math.floor((timed.outMs - message.bornTimestamp) / 1_000));
    if (!timed.recalls) this.#timing.add(javaHashCode(timed.realTopic), 1);
  }

  /** Opens the files. */
  *#begin(): Steps {
    const { store, endAtStart, log } = this.#context;
    const found = this.#files.find();
    if (!found.exist && found.check === undefined && endAtStart > 0) {
      log.warn(
        {},
        'there is no timing wheel: it is made from the queue of the timer topic, delivered or not',
      );
    }
    if (found.problem !== undefined) {
      yield* this.#remakeFound(found.problem, found.check);
      return;
    }
    const timers = yield* this.#opened(found);
    this.#recovering = timers;
    let recovered: Recovered;
    try {
      recovered = yield* new TimerRecovery(timers, this.#files, found, store, endAtStart).run();
    } catch (error) {
      if (!(error instanceof DamagedTimers)) throw error;
      this.#recovering = undefined;
      timers.close();
      yield* this.#remakeFound(error.message, found.check);
      return;
    }
    this.#recovering = undefined;
    const slot = recovered.slot || timers.clock.slot;
    this.#ready(timers, { ...recovered, slot });
  }

  /** Files that cannot be used at the start. */
  *#remakeFound(problem: string, check: TimerCheck | undefined): Steps {
    if (check !== undefined) yield* this.#untilDone(() => this.#files.announceRemaking(check) ?? true);
    yield* this.#remake(problem, check, deliveredBy(check, this.#context.options.timerPrecisionMs));
  }

  /** Files that have turned out to be damaged while they were used: what is under way ends first. */
  *#rebuild(problem: string): Steps {
    const open = this.#open;
    const state = this.#lastKnown();
    while (!this.#noneUnderWay) yield IDLE_POLL_MS;
    open?.timers.close();
    this.#open = undefined;
    if (state !== undefined) {
      this.#remaking = this.#files.remakingCheck(state);
      this.#remakingTold = 0;
    }
    // Control writes the checkpoint, and what it was told before comes first.
    while (this.#remaking !== undefined) yield IDLE_POLL_MS;
    const delivered = deliveredBy(state, this.#context.options.timerPrecisionMs);
    yield* this.#remake(problem, state, delivered);
  }

  #lastKnown(): TimerCheck | undefined {
    const open = this.#open;
    if (open === undefined) return undefined;
    const { clock } = open.timers;
    const { slot } = open.delivery.slots.progress;
    const own = {
      precisionMs: clock.precisionMs,
      clock: clock.state(),
      readSlot: slot,
      floor: NONE,
      partly: NOTHING_PARTLY,
      remaking: false,
      displacedFrom: NONE,
    };
    const readTimeMs = slot * clock.precisionMs;
    const timestamp = Math.floor(clock.machineTime(clock.elapsed, true));
    const late = open.timers.late.stateAt(slot);
    return { readTimeMs, logEnd: 0, queueOffset: open.enqueue.next, timestamp, counter: 0, own, late };
  }

  /** Makes wheel and log from the queue. */
  *#remake(problem: string, check: TimerCheck | undefined, delivered: Delivered): Steps {
    this.#files.remove(problem);
    const timers = yield* this.#opened({ check, logStart: 0, logEnd: 0, problem, exist: true });
    timers.clock.forgetSteps(Number.POSITIVE_INFINITY);
    timers.log.resumeAt(0, 0);
    const slot = delivered.slot || timers.clock.slot;
    this.#ready(timers, { slot, floor: NONE, partly: undefined, ahead: 0, queueOffset: 0, delivered });
  }

  *#opened(found: FoundTimers): Steps<TimerStore> {
    return yield* this.#untilDone(() => this.#files.open(this.#context.clock, found));
  }

  /** Tries until it is no string, which says why the disk refuses. */
  *#untilDone<Done>(attempt: () => Done | string): Steps<Done> {
    let told = false;
    for (;;) {
      const done = attempt();
      if (typeof done !== 'string') return done;
      if (!told) this.#context.log.error({ reason: done }, 'timers wait until their files can be made');
      told = true;
      yield REOPEN_MS;
    }
  }

  #ready(timers: TimerStore, recovered: Recovered): void {
    const { slot, floor, partly, ahead, queueOffset, delivered } = recovered;
    const { store, put, busy, maxPending, log, figures, outcome, isNeeded = () => true } = this.#context;
    const acted = this.#actedBefore(slot * timers.clock.precisionMs);
    const begun = { slot: Math.min(slot, timers.clock.slot), floor };
    const delivery = new TimerDelivery(
      {
        timers,
        store,
        put,
        outcome,
        acted,
        busy,
        maxPending,
        isNeeded,
        delivers: ({ topic, properties }) => {
          this.#context.delivered?.();
          figures.count('timersOut', realQueueOf(properties).topic || topic);
        },
        left: (topicHash) => this.#timing.add(topicHash, -1),
        log,
        queueEnd: () => this.#queueEnd,
        enqueued: () => enqueue.next,
        canEnqueue: () => enqueue.canRun,
        wake: (ms) => this.#wakeAfterPut(ms),
        recalledKeys: this.#context.options.recalledKeys,
      },
      { slot, floor, partly, ahead },
    );
    delivery.goBack(begun.slot);
    timers.firstSlot = begun.slot;
    const min = store.minOffset(TIMER_TOPIC, 0);
    const added: EnqueueParts['added'] = (...entry) => this.#enqueued(delivery, ...entry);
    const parts = { timers, store, log, times: this.#times, added };
    const enqueue = new TimerEnqueue(parts, Math.max(queueOffset, min), delivered);
    this.#open = { timers, enqueue, delivery };
    this.#oldest.forget();
    this.#timing.reset();
    this.#countJob = this.#timing.addAll(timers, delivery.before, timers.log.end);
  }

  #actedBefore(readTimeMs: number): ActedBefore {
    const { disk, options, log } = this.#context;
    return ActedBefore.load(disk, options.directory, readTimeMs, (line) => log.warn({}, line));
  }

  #wakeAfterPut(ms: number): void {
    if (ms > 0) this.#repeatsAt = this.#context.clock.monotonic() + ms;
    this.#wake(ms);
  }
}
