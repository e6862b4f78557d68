/**
 * Pops of lite topics: a client gets whatever there is in those to which it has subscribed, each in its order. What a
 * client is to look at is told to it as it happens (a message has come, or something that was out is not any more), so
 * a pop costs nothing for lite topics in which nothing has happened.
 */
import { limitRemark } from '../../lib/limits.ts';
import { isLiteQueueOf, LITE_QUEUE_ID } from '../../lib/lite-names.ts';
import { ResponseCode } from '../../protocol/codes.ts';
import { LITE_NOTICE } from '../../ring/question-records.ts';
import type { KnownQueues } from '../known-queues.ts';
import type { OrderedPops } from '../pop/ordered-pops.ts';
import type { Polling } from '../pop/polling.ts';
import { answerNothing } from '../pop/polling.ts';
import type { PopContext } from '../pop/pop-context.ts';
import type { LiteAsked, PopAsk } from '../pop/pop-link.ts';
import type { LiteParked } from '../pop/pop-pair.ts';
import type { PopOffsets, PopQueue, PopStates } from '../pop/pop-states.ts';
import type { Outcome, Popper } from '../pop/popper.ts';
import type { Asked } from '../question-server.ts';
import type { LiteClient } from './lite-client.ts';
import { LiteClients } from './lite-clients.ts';
import type { LiteAsk, LiteFigures } from './lite-figures.ts';
import {
  type LiteNotice,
  type LiteOffset,
  type LiteQuestion,
  type LiteSubscription,
  type LiteSubscriptions,
  POLICY_MAX,
  POLICY_MIN,
} from './lite-questions.ts';

/** Lite topics that one pop looks at. */
const LOOKED_TOGETHER = 256;

export interface LitePopsParts {
  context: PopContext;
  states: PopStates;
  popper: Pick<Popper, 'takeLite'>;
  polling: Polling;
  ordered: OrderedPops;
  queues: KnownQueues;
  /** Arrivals in the queue are heard from now on. */
  listen: (queue: string, id: number) => void;
}

export class LitePops {
  readonly #parts: LitePopsParts;
  readonly #clients: LiteClients;
  #stopping = false;

  constructor(parts: LitePopsParts) {
    this.#parts = parts;
    const { clock, timers, settings } = parts.context;
    this.#clients = new LiteClients({ clock, timers, most: () => settings().maxLiteSubscriptionCount });
  }

  /** Subscriptions and clients that are known. */
  get size(): number {
    return this.#clients.size;
  }

  // ---- for operators ----

  /** Answers control. */
  tell({ id, ask }: LiteAsked, answer: (ask: PopAsk) => void): void {
    if (ask.wakes !== undefined) this.#lookAgain(this.#wakesOf(ask.wakes));
    answer({ what: 'liteFigures', id, figures: this.#figures(ask) });
  }

  #figures({ client: asked, queue, most }: LiteAsk): LiteFigures {
    const client = asked && this.#clients.peek(asked.clientId, asked.group);
    const watchers = queue === undefined ? [] : first(this.#clients.watchers(queue), most);
    return {
      subscriptions: this.#clients.subscriptions,
      clients: this.#clients.size - this.#clients.subscriptions,
      ...(client && {
        client: {
          count: client.queues.size,
          queues: first(client.queues, most),
          silentMs: this.#parts.context.clock.monotonic() - client.usedAt,
        },
      }),
      subscribers: watchers.map(({ clientId, group, parent }) => ({
        clientId: parent === undefined ? clientId : '*',
        group,
      })),
    };
  }

  *#wakesOf({ group, clientId }: NonNullable<LiteAsk['wakes']>): Iterator<() => void> {
    for (const client of this.#clients.all) {
      if (client.group !== group || (clientId !== undefined && client.clientId !== clientId)) continue;
      for (const queue of this.#queuesOf(client))
        yield () => {
          if (client.wants(queue) && this.#listen(queue)) this.#mark(client, queue);
        };
    }
  }

  /** Some at a time. */
  #lookAgain(wakes: Iterator<() => void>): void {
    for (let i = 0; i < LOOKED_TOGETHER; i++) {
      const { value: wake, done } = wakes.next();
      if (done || this.#stopping) return;
      wake();
    }
    this.#parts.context.timers.after(1, () => this.#lookAgain(wakes));
  }

  // ---- what happens in lite topics ----

  /** Messages have come; true when that is to be heard again. */
  arrived(queue: string): boolean {
    for (const client of this.#clients.watchers(queue)) this.#mark(client, queue);
    return this.#clients.isWatched(queue);
  }

  /** The queue is there now. */
  added(queue: string, id: number): void {
    if (!this.#clients.isWatched(queue)) return;
    this.#parts.listen(queue, id);
    this.arrived(queue);
  }

  /** What the group had out of the queue is not any more, or it stands elsewhere. */
  freed({ offsets: { topic, group } }: PopQueue): void {
    for (const client of this.#clients.watchers(topic)) if (client.group === group) this.#mark(client, topic);
  }

  /** Any news may have been missed. */
  wakeAll(): void {
    for (const client of this.#clients.all)
      for (const queue of this.#queuesOf(client)) if (this.#listen(queue)) this.#mark(client, queue);
  }

  *#queuesOf({ queues, parent }: LiteClient): Iterable<string> {
    yield* queues;
    if (parent === undefined) return;
    for (const queue of this.#parts.queues.names()) if (isLiteQueueOf(queue, parent)) yield queue;
  }

  groupDeleted(group: string): void {
    for (const client of this.#clients.forgetGroup(group))
      for (const waiting of [...client.waiting.values()])
        for (const parked of [...waiting]) this.#parts.polling.end(parked);
  }

  #idOf(queue: string): number | undefined {
    return this.#parts.queues.find(queue, LITE_QUEUE_ID);
  }

  #mark(client: LiteClient, queue: string): void {
    client.ready.add(queue);
    this.#parts.polling.wake([client]);
  }

  // ---- pops ----

  pop(asked: Asked, question: LiteQuestion): void {
    const client = this.#clients.of(question.clientId, question.group);
    if (client === undefined) {
      asked.answer(ResponseCode.LITE_SUBSCRIPTION_QUOTA_EXCEEDED, this.#fullRemark);
      return;
    }
    const parked: LiteParked = {
      asked,
      among: client,
      filter: undefined,
      cancel: () => {},
      wanting: { kind: 'lite', question },
    };
    if (question.maxCount > 0 && this.serve(parked) === 'taken') return;
    const { clock, settings } = this.#parts.context;
    const now = clock.now();
    if (client.asking > 0 && !this.#stopping && client.early.length < settings().popPollingSize)
      client.early.push(() => this.pop(asked, question));
    else if (question.maxCount <= 0 || question.pollTime <= 0 || this.#stopping)
      answerNothing(parked, ResponseCode.POLLING_TIMEOUT, now);
    else if (this.#parts.polling.park(parked) !== undefined)
      answerNothing(parked, ResponseCode.POLLING_FULL, now);
    else if (client.ready.size > 0) this.#parts.polling.wake([client]);
  }

  /** Answers it if something is there. */
  serve(parked: LiteParked): Outcome {
    const { among: client, wanting } = parked;
    const { attemptId } = wanting.question;
    const repeats = attemptId !== undefined && attemptId === client.attemptId;
    const names = repeats ? this.#again(client) : this.#next(client);
    const taken = this.#parts.popper.takeLite(parked, this.#known(client, names));
    if (taken === undefined) return client.ready.size > 0 ? 'more' : 'nothing';
    client.attemptId = attemptId;
    client.taken = taken;
    return 'taken';
  }

  *#again(client: LiteClient): Iterable<string> {
    yield* client.taken;
    yield* this.#next(client);
  }

  /** What is ready, each once and not too many. What is not asked for stays ready, for the next pop. */
  *#next({ ready }: LiteClient): Iterable<string> {
    for (let left = Math.min(ready.size, LOOKED_TOGETHER); left > 0; left--) {
      const [name] = ready;
      if (name === undefined) return;
      ready.delete(name);
      yield name;
    }
  }

  /** Those of the queues of which is known where the group stands; the others are ready when that is known. */
  *#known(client: LiteClient, names: Iterable<string>): Iterable<PopQueue> {
    for (const name of names) {
      if (!client.wants(name)) continue;
      const offsets = this.#parts.states.of(name, client.group);
      // There is no room for its state now.
      if (typeof offsets === 'string') client.ready.add(name);
      else if (offsets.known) yield offsets.queue(LITE_QUEUE_ID);
      else this.#await(client, name, offsets);
    }
  }

  #await(client: LiteClient, queue: string, offsets: PopOffsets): void {
    client.asking += 1;
    offsets.whenKnown(() => {
      client.asking -= 1;
      if (client.wants(queue)) this.#mark(client, queue);
      if (client.asking === 0) this.#goOn(client);
    });
  }

  #goOn(client: LiteClient): void {
    const { early } = client;
    client.early = [];
    for (const pop of early) pop();
  }

  /** Nobody waits any more. */
  stop(): void {
    this.#stopping = true;
    for (const client of this.#clients.all) this.#goOn(client);
  }

  // ---- subscriptions ----

  subscribe(asked: Asked, { entries }: LiteSubscriptions): void {
    for (const entry of entries) {
      if (this.#apply(asked, entry)) continue;
      asked.answer(ResponseCode.LITE_SUBSCRIPTION_QUOTA_EXCEEDED, this.#fullRemark);
      return;
    }
    asked.answer(ResponseCode.SUCCESS, '');
  }

  get #fullRemark(): string {
    const { maxLiteSubscriptionCount } = this.#parts.context.settings();
    return limitRemark('subscriptions to lite topics', maxLiteSubscriptionCount, 'maxLiteSubscriptionCount');
  }

  /** False when there is no room for all of it. */
  #apply(asked: Asked, entry: LiteSubscription): boolean {
    const { clientId, group, topic, action, queues, rules } = entry;
    if (action === 'COMPLETE_REMOVE') {
      const known = this.#clients.find(clientId, group);
      if (known !== undefined) this.#clients.forget(known);
      return true;
    }
    const client = this.#clients.of(clientId, group);
    if (client === undefined) return false;
    client.told = asked;
    if (action === 'PARTIAL_REMOVE') {
      for (const queue of queues)
        if (this.#clients.remove(client, queue) && rules.resetOnUnsubscribe) this.#reset(queue, group, MIN);
      return true;
    }
    if (rules.wildcard && action === 'COMPLETE_ADD') {
      this.#addAll(client, topic);
      return true;
    }
    if (action === 'COMPLETE_ADD') {
      const wanted = new Set(queues);
      for (const queue of [...client.queues]) if (!wanted.has(queue)) this.#clients.remove(client, queue);
    }
    return queues.every((queue) => this.#add(client, queue, entry));
  }

  #addAll(client: LiteClient, parent: string): void {
    if (!this.#clients.addAll(client, parent)) return;
    for (const queue of this.#queuesOf(client)) if (this.#listen(queue)) this.#mark(client, queue);
  }

  #listen(queue: string): boolean {
    const id = this.#idOf(queue);
    if (id !== undefined) this.#parts.listen(queue, id);
    return id !== undefined;
  }

  #add(client: LiteClient, queue: string, { action, offset, rules }: LiteSubscription): boolean {
    const isNew = !client.queues.has(queue);
    if (!this.#clients.add(client, queue)) return false;
    if (action === 'PARTIAL_ADD') {
      if (rules.exclusive) this.#exclude(client, queue, rules.resetOnTakeOver);
      if (offset !== undefined) this.#reset(queue, client.group, offset);
    }
    if (isNew && this.#listen(queue)) this.#mark(client, queue);
    return true;
  }

  /** Nobody else of the group has it any more. */
  #exclude(client: LiteClient, queue: string, resets: boolean): void {
    for (const other of [...this.#clients.watchers(queue)]) {
      if (other === client || other.group !== client.group) continue;
      this.#clients.remove(other, queue);
      const notice: LiteNotice = { clientId: other.clientId, group: other.group, queue };
      other.told?.tell(LITE_NOTICE, notice);
      if (resets) this.#reset(queue, client.group, MIN);
    }
  }

  /** The group goes on there, where the lite topic has a queue; else it begins at its first message. */
  #reset(queue: string, group: string, offset: LiteOffset): void {
    const { states, context, ordered } = this.#parts;
    if (this.#idOf(queue) === undefined) return;
    const offsets = states.of(queue, group);
    if (typeof offsets === 'string') return;
    // The end as it is now: what comes before it is known where the group stands is not to be passed over.
    const end = context.store.maxOffset(queue, LITE_QUEUE_ID);
    offsets.whenKnown(() => {
      const known = offsets.queue(LITE_QUEUE_ID);
      const target = targetOf(offset, known.offset, end);
      // As RocketMQ: an offset that cannot be changes nothing but that what is out comes again.
      const isFreed = offset.type === 'OFFSET' && target < 0;
      if ((target < 0 && !isFreed) || target === known.offset || offsets.gone) return;
      if (isFreed) known.order = undefined;
      else states.set(queue, group, LITE_QUEUE_ID, target);
      ordered.set(known);
    });
  }
}

function first<T>(items: Iterable<T>, most: number): T[] {
  const found: T[] = [];
  for (const item of items) {
    if (found.length >= most) break;
    found.push(item);
  }
  return found;
}

const MIN: LiteOffset = { type: 'POLICY', value: POLICY_MIN };

/** -1: where it is. */
function targetOf({ type, value }: LiteOffset, current: number, max: number): number {
  if (type === 'OFFSET') return value;
  if (type === 'TAIL_N') return current < 0 ? -1 : Math.max(0, current - value);
  if (type === 'TIMESTAMP') return -1;
  return value === POLICY_MIN ? 0 : value === POLICY_MAX ? max : -1;
}
