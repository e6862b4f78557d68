/**
 * Pops as a kind of messages that become due: what is popped is invisible for a while, and comes again unless it is
 * acknowledged. This is the one owner of what each group has popped of each queue.
 */
import { ParsedFilters } from '../../clients/parsed-filters.ts';
import { isLiteQueue } from '../../lib/lite-names.ts';
import { isRetryTopic, popRetryTopicOf } from '../../lib/names.ts';
import { ResponseCode } from '../../protocol/codes.ts';
import { PROPERTY_TAGS } from '../../record/properties.ts';
import { APPENDED, DISPATCHED } from '../../ring/positions.ts';
import {
  FIELDS,
  GONE,
  LITE_SUBSCRIBE,
  POP,
  POP_ACK,
  POP_ACKS,
  POP_CHANGE,
  POP_LITE,
  POP_NOTIFICATION,
  POP_PEEK,
  POP_POLLING,
  POP_UNTAKEN,
  QUESTION_HEAD,
} from '../../ring/question-records.ts';
import type { InternalMessage } from '../../store/put/put-message.ts';
import { ActingPopProgress } from '../acting/acting-pops.ts';
import type { DueKind, DueParts } from '../due-kind.ts';
import { DurableProgress } from '../durable-progress.ts';
import { LitePops } from '../lite/lite-pops.ts';
import type { LiteQuestion, LiteSubscriptions } from '../lite/lite-questions.ts';
import type { Asked, QuestionTaker } from '../question-server.ts';
import type { TimerMark } from '../timer/timer-mark.ts';
import { AckTaker } from './ack-taker.ts';
import { Acks } from './acks.ts';
import { ChangeInvisible } from './change-invisible.ts';
import { CK_TAG, parseAck, parseCheckpoint } from './checkpoint.ts';
import { LiveCheckpoints } from './live-checkpoints.ts';
import { OrderInfo } from './order-info.ts';
import { ORDER_JOURNAL_TOPIC } from './order-journal.ts';
import { ORDER_REVIVE_QUEUE, OrderedPops } from './ordered-pops.ts';
import { answerNothing, Polling } from './polling.ts';
import { contextOf, type PopContext } from './pop-context.ts';
import type { PopStart, PopTold } from './pop-link.ts';
import { isLite, type PairParked, type Parked, type PopPair, type Wanting } from './pop-pair.ts';
import { PopPairs } from './pop-pairs.ts';
import { PopProgressKeeper } from './pop-progress.ts';
import type {
  AcksQuestion,
  ChangeQuestion,
  LookQuestion,
  PollingQuestion,
  PopFilter,
  Popped,
  PopQuestion,
} from './pop-questions.ts';
import { learnFrom, PopRecovery } from './pop-recovery.ts';
import { type PopQueue, PopStates } from './pop-states.ts';
import { type Outcome, Popper } from './popper.ts';
import { ReviveLog } from './revive-log.ts';
import { Reviver } from './reviver.ts';

/** Pops, acks and changes on their way to the log. */
const MAX_UNDER_WAY = 4_096;

export class PopKind implements DueKind, QuestionTaker {
  readonly topics: readonly string[];
  readonly #parts: DueParts;
  readonly #context: PopContext;
  readonly #states: PopStates;
  readonly #live: LiveCheckpoints;
  readonly #ordered: OrderedPops;
  readonly #popper: Popper;
  readonly #polling: Polling;
  readonly #pairs: PopPairs;
  readonly #acks: Acks;
  readonly #ackTaker: AckTaker;
  readonly #changes: ChangeInvisible;
  readonly #reviver: Reviver;
  readonly #reviveLog: ReviveLog;
  readonly #lites: LitePops;
  readonly #recovery: PopRecovery;
  readonly #keeper: PopProgressKeeper | ActingPopProgress;
  readonly #durable;
  readonly #filters = new ParsedFilters();
  /** Topics of the queues whose arrivals are heard, by id. */
  readonly #topicOf = new Map<number, string>();
  #stopping = false;

  /** `random`: numbers between 0 and 1. */
  constructor(
    parts: DueParts,
    timers: { mark(): TimerMark; hasPassed(mark: TimerMark): boolean },
    random: () => number = Math.random,
  ) {
    this.#parts = parts;
    const { pops } = parts.shape;
    this.topics = [pops.reviveTopic];
    const context = contextOf(parts, random);
    this.#context = context;
    this.#states = new PopStates({
      ask: (topic, group) => parts.pops.ask({ what: 'offsets', topic, group }),
      forgotten: (topic, group) => parts.pops.ask({ what: 'idle', topic, group }),
      dropped: (queue) => this.#live.drop(queue),
      now: () => parts.clock.monotonic(),
    });
    const states = this.#states;
    const freed = (queue: PopQueue) => {
      this.#polling.wake(queue.offsets.pairs);
      if (isLiteQueue(queue.offsets.topic)) this.#lites.freed(queue);
    };
    this.#live = new LiveCheckpoints({
      context,
      states,
      visible: (live) => this.#reviver.revive(live.ck, live.reviveQueueId, () => this.#live.end(live)),
      ended: (live) => this.#reviveLog.ended(live),
    });
    const live = this.#live;
    const needsTopic = () => parts.pops.ask({ what: 'orderJournal' });
    this.#ordered = new OrderedPops({ context, states, freed, queues: parts.queues, needsTopic });
    this.#popper = new Popper({ context, states, live, ordered: this.#ordered, freed });
    this.#polling = new Polling({ context, take: (parked) => this.#take(parked) });
    const polling = this.#polling;
    this.#lites = new LitePops({
      ...{ context, states, polling, popper: this.#popper, ordered: this.#ordered, queues: parts.queues },
      listen: (queue, id) => this.#hear(queue, id),
    });
    this.#pairs = new PopPairs({ context, states, polling, begin: (parked) => this.#begin(parked) });
    this.#reviver = new Reviver({
      context,
      queues: parts.queues,
      needsTopic: (retryTopic, topic, group) =>
        parts.pops.ask({ what: 'retryTopic', retryTopic, topic, group }),
    });
    this.#reviveLog = new ReviveLog(
      {
        ...{ context, live, reviver: this.#reviver },
        mark: () => ({ ...timers.mark(), position: Number.POSITIVE_INFINITY }),
        hasPassed: (mark) => this.#hasPassed(mark, timers),
        learn: (ck) => learnFrom(ck, states, context),
        learnsAll: pops.scanned < 0,
      },
      this.#starts(pops),
    );
    const reviveLog = this.#reviveLog;
    this.#acks = new Acks({ context, live, reviveLog });
    const [acks, ordered, popper] = [this.#acks, this.#ordered, this.#popper];
    this.#ackTaker = new AckTaker({ acks, ordered, states });
    this.#changes = new ChangeInvisible({ context, states, live, acks, ordered, reviveLog });
    const { scanned, journaled, deletions } = pops;
    this.#recovery = new PopRecovery({ context, states, ordered: this.#ordered, scanned, journaled });
    this.#keeper = context.acts
      ? new ActingPopProgress(states, deletions)
      : new PopProgressKeeper({ context, states, ordered, reviveLog, popper, deletions });
    this.#durable = new DurableProgress(() => this.#keeper.news(), parts.positions);
    const types = [GONE, POP, POP_ACK, POP_ACKS, POP_CHANGE, POP_NOTIFICATION, POP_PEEK, POP_POLLING];
    types.push(POP_UNTAKEN, POP_LITE, LITE_SUBSCRIBE);
    parts.questions.handle(types, this);
  }

  /** Of all revive queues that there are. */
  #starts({ reviveTopic, revive }: PopStart): number[] {
    const length = Math.max(revive.length, this.#parts.queues.byNumber(reviveTopic).length);
    return Array.from({ length }, (_, queueId) => this.#startOf(queueId, revive[queueId] ?? -1));
  }

  /** The first offset of the revive queue that may not be done. */
  #startOf(queueId: number, done: number): number {
    const { store, place } = this.#context;
    const min = store.minOffset(place.reviveTopic, queueId);
    const max = store.maxOffset(place.reviveTopic, queueId);
    return done + 1 > max ? min : Math.max(done + 1, min);
  }

  /** What the timer has put by then is in the queues when the dispatcher has come as far as the log went then. */
  #hasPassed(mark: TimerMark, timers: { hasPassed(mark: TimerMark): boolean }): boolean {
    const { positions } = this.#parts;
    const waits = mark as TimerMark & { position: number };
    if (waits.position === Number.POSITIVE_INFINITY) {
      if (!timers.hasPassed(mark)) return false;
      waits.position = positions.get(APPENDED);
    }
    return positions.get(DISPATCHED) >= waits.position;
  }

  start(): void {
    this.#recovery.start();
    this.#reviveLog.start();
    for (const [topic, group, queueId, json] of this.#parts.shape.pops.orders) {
      const order = OrderInfo.fromJson(json);
      const offsets = order === undefined ? undefined : this.#states.of(topic, group);
      if (order !== undefined && typeof offsets === 'object')
        this.#ordered.restore(offsets.queue(queueId), order);
    }
  }

  poke(_topic: string, queueId: number): void {
    this.#reviveLog.poke(queueId);
  }

  pokeAll(): void {
    this.#reviveLog.pokeAll();
    for (const pair of this.#pairs.all) {
      this.#listen(pair);
      this.#polling.wake([pair]);
    }
    this.#lites.wakeAll();
  }

  /** Whether a message of the timer has anything to say, if it is to go to the revive topic. */
  isNeeded({ topic, properties, body }: InternalMessage): boolean {
    if (topic !== this.#context.place.reviveTopic) return true;
    if (properties.get(PROPERTY_TAGS) === CK_TAG) {
      const ck = parseCheckpoint(body);
      return ck === undefined || this.#live.needsCheckpoint(ck);
    }
    const ack = parseAck(body);
    return ack === undefined || this.#live.needsAck(ack);
  }

  arrived(id: number): void {
    const topic = this.#topicOf.get(id);
    if (topic === undefined) return;
    let isAwaited = isLiteQueue(topic) && this.#lites.arrived(topic);
    for (const { pairs } of this.#states.ofTopic(topic)) if (this.#polling.wake(pairs)) isAwaited = true;
    // Before anybody looks: what comes while they do is not missed.
    if (isAwaited) this.#parts.interest(id);
  }

  /** A queue is there now. */
  added(topic: string, queueId: number, id: number): void {
    if (queueId === 0) this.#reviver.hasTopic(topic);
    if (topic === ORDER_JOURNAL_TOPIC) this.#ordered.journal.hasTopic();
    if (isLiteQueue(topic)) this.#lites.added(topic, id);
    for (const offsets of this.#states.ofTopic(topic)) {
      this.#hear(topic, id);
      this.#polling.wake(offsets.pairs);
    }
  }

  /** Arrivals in the queue are heard from now on. */
  #hear(topic: string, id: number): void {
    this.#topicOf.set(id, topic);
    this.#parts.interest(id);
  }

  /** A topic is deleted. */
  forgotten(topic: string, ids: readonly number[]): void {
    this.#states.forgetTopic(topic);
    this.#pairs.forgetTopic(topic);
    for (const id of ids) this.#topicOf.delete(id);
  }

  /** See ReviveLog.take. */
  hasBecomeDue(message: InternalMessage): void {
    this.#reviveLog.take(message);
  }

  /** What control tells. */
  hear(told: PopTold): void {
    if (told.what === 'liteAsk') this.#lites.tell(told, this.#parts.pops.ask);
    else if (told.what === 'noRetryTopic') {
      this.#reviver.giveUp(told.retryTopic);
    } else if (told.what === 'groupDeleted') {
      this.#keeper.deletions += 1;
      this.#pairs.forgetGroup(told.group);
      this.#lites.groupDeleted(told.group);
      this.#states.forgetGroup(told.group);
    } else if (told.what === 'topicDeleted') {
      this.#keeper.deletions += 1;
      this.#states.doom(told.topic);
      this.#pairs.forgetTopic(told.topic);
    } else if (told.what === 'set') {
      this.#set(told.topic, told.group, told.queueId, told.offset);
      this.#polling.wake(this.#states.find(told.topic, told.group)?.pairs ?? []);
    } else {
      this.#states.told(told.topic, told.group, told.offsets, told.goneOn);
      for (const pair of this.#states.find(told.topic, told.group)?.pairs ?? [])
        if (pair.ready) this.#pairs.goOn(pair);
    }
  }

  #set(topic: string, group: string, queueId: number, offset: number): void {
    this.#states.set(topic, group, queueId, offset);
    const queue = this.#states.find(topic, group)?.queues.get(queueId);
    if (queue !== undefined) this.#ordered.set(queue);
  }

  /** What the process before has left is known. */
  get #isReady(): boolean {
    return this.#recovery.done && this.#reviveLog.hasRead;
  }

  readonly mayTake = (): boolean => {
    const { busy, acts } = this.#context;
    // Where nothing is written down there is nothing to be busy with.
    const isBusy = !acts && busy();
    return this.#isReady && !isBusy && this.#underWay < MAX_UNDER_WAY;
  };

  take(asked: Asked, type: number, bytes: Uint8Array, view: DataView, at: number, to: number): void {
    if (type === POP_ACK) {
      this.#ackTaker.take(asked, bytes, view, at);
      return;
    }
    if (type === GONE) {
      this.#polling.gone(asked);
      this.#pairs.gone(asked);
      return;
    }
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + at + QUESTION_HEAD, to - at - QUESTION_HEAD);
    const question: unknown = JSON.parse(text.toString());
    if (type === POP) this.#want(asked, { kind: 'pop', question: question as PopQuestion });
    else if (type === POP_NOTIFICATION)
      this.#want(asked, { kind: 'look', question: question as LookQuestion });
    else if (type === POP_PEEK) this.#want(asked, { kind: 'peek', question: question as LookQuestion });
    else if (type === POP_ACKS) this.#ackTaker.takeTogether(asked, question as AcksQuestion);
    else if (type === POP_CHANGE) this.#changes.take(asked, question as ChangeQuestion);
    else if (type === POP_LITE) this.#lites.pop(asked, question as LiteQuestion);
    else if (type === LITE_SUBSCRIBE) this.#lites.subscribe(asked, question as LiteSubscriptions);
    else if (type === POP_POLLING) this.#polled(asked, question as PollingQuestion);
    else if (type === POP_UNTAKEN) this.#giveBack(question as Popped);
  }

  #giveBack({ topic, group = '', popTime, reviveQid, parts }: Popped): void {
    for (const { retry, queueId, startOffset, topic: lite } of parts) {
      const of = lite ?? (retry === 1 && !isRetryTopic(topic) ? popRetryTopicOf(topic, group) : topic);
      const queue = this.#states.find(of, group)?.queues.get(queueId);
      if (queue === undefined) continue;
      if (reviveQid === ORDER_REVIVE_QUEUE) this.#ordered.giveBack(queue, popTime);
      else this.#live.giveBack({ topic: of, group, queueId, startOffset, popTime });
    }
  }

  #want(asked: Asked, wanting: Wanting): void {
    const filter = this.#filterOf(wanting.question.filter);
    const { topic, group } = wanting.question;
    const pair = this.#pairs.of(topic, group);
    if (typeof filter === 'string') asked.answer(ResponseCode.SUBSCRIPTION_PARSE_FAILED, filter);
    else if (typeof pair === 'string') asked.answer(ResponseCode.SYSTEM_BUSY, pair);
    else {
      const parked: PairParked = { asked, wanting, filter, among: pair, cancel: () => {} };
      if (pair.ready) this.#begin(parked);
      else if (this.#stopping) answerNothing(parked, ResponseCode.POLLING_TIMEOUT, this.#context.clock.now());
      else this.#pairs.wait(parked);
    }
  }

  #begin(parked: PairParked): void {
    const outcome = this.#take(parked);
    if (outcome === 'taken') return;
    const now = this.#context.clock.now();
    const mayWait = parked.wanting.question.pollTime > 0 && !this.#stopping;
    if (!mayWait) {
      answerNothing(parked, ResponseCode.POLLING_TIMEOUT, now);
      return;
    }
    if (this.#polling.park(parked) !== undefined) answerNothing(parked, ResponseCode.POLLING_FULL, now);
    else if (outcome === 'more') this.#polling.wake([parked.among]);
    else this.#listen(parked.among);
  }

  #take(parked: Parked): Outcome {
    if (isLite(parked)) return this.#lites.serve(parked);
    const { wanting, asked } = parked;
    if (wanting.kind === 'pop') return this.#pop(parked, wanting.question);
    if (wanting.kind === 'peek') {
      this.#popper.peek(parked, wanting.question.maxCount);
      return 'taken';
    }
    if (!this.#popper.hasMessages(parked)) return 'nothing';
    asked.answerJson(FIELDS, {
      code: ResponseCode.SUCCESS,
      fields: { hasMsg: 'true', pollingFull: 'false' },
    });
    return 'taken';
  }

  /** Of an ordered group, what is out stands elsewhere. */
  #pop(parked: PairParked, question: PopQuestion): Outcome {
    if (!question.order && !this.#live.mayPop(this.#context.acts)) return 'nothing';
    return this.#popper.take(parked, question);
  }

  /** Arrivals are heard from now on; what came before that is looked for once more. */
  #listen(pair: PopPair): void {
    for (const offsets of [pair.main, pair.retry]) {
      for (const [queueId, id] of this.#parts.queues.byNumber(offsets.topic).entries()) {
        if (id === undefined) continue;
        this.#hear(offsets.topic, id);
        const queue = offsets.queue(queueId);
        const isBlocked = queue.busy || queue.order !== undefined;
        const { topic } = offsets;
        if (!isBlocked && this.#context.store.maxOffset(topic, queueId) > queue.offset)
          this.#polling.wake([pair]);
      }
    }
  }

  #filterOf(filter: PopFilter | undefined): ReturnType<ParsedFilters['of']> {
    return filter === undefined ? undefined : this.#filters.of(filter.type, filter.expression);
  }

  #polled(asked: Asked, { topic, group, queueId }: PollingQuestion): void {
    const count = this.#pairs.find(topic, group)?.count(queueId) ?? 0;
    asked.answerJson(FIELDS, { code: ResponseCode.SUCCESS, fields: { pollingNum: String(count) } });
  }

  work(): number {
    // Pops that wait are taken while there is room for their checkpoints, like those that come.
    return (this.mayTake() ? this.#polling.serve() : 0) + this.#acks.put() + this.#ordered.journal.put();
  }

  get pending(): boolean {
    return (this.#polling.pending && this.mayTake()) || this.#acks.pending || this.#ordered.journal.pending;
  }

  stop(): void {
    this.#stopping = true;
    this.#recovery.stop();
    this.#reviver.stop();
    this.#reviveLog.stop();
    this.#polling.stop();
    this.#pairs.stop();
    this.#lites.stop();
    this.#ordered.journal.stop();
  }

  get idle(): boolean {
    // Where the broker goes on, who waits to hear where a group stands is answered before the end.
    const isAsking = this.#context.acts && this.#states.waits;
    const isPending = this.#acks.pending || !this.#ordered.journal.idle || isAsking;
    return this.#underWay === 0 && this.#reviver.underWay === 0 && !isPending;
  }

  get #underWay(): number {
    const { underWay: journaled } = this.#ordered.journal;
    return this.#popper.underWay + this.#acks.underWay + this.#changes.underWay + journaled;
  }

  /** How much is kept in memory of what has begun and not ended; all 0 when nothing is invisible and nobody waits. */
  get held() {
    return {
      ...{ live: this.#live.size, foreign: this.#reviveLog.size, reviving: this.#reviver.size },
      ...{ parked: this.#polling.size, early: this.#pairs.early, lites: this.#lites.size },
    };
  }

  progress() {
    const pops = this.#isReady ? this.#durable.take() : undefined;
    return pops === undefined ? {} : { pops };
  }

  lastProgress() {
    return this.#isReady ? { pops: this.#keeper.state() } : {};
  }
}
