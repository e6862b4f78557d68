/**
 * Takes messages for a pop: from the queues that it names and from the retry topic of its group. A checkpoint is in the
 * log before they are given out; until then nothing else is taken from their queue, so that a checkpoint that could not
 * be written gives them back.
 */

import { totalmem } from 'node:os';
import { isRetryTopic, TIMER_TOPIC } from '../../lib/names.ts';
import { ResponseCode } from '../../protocol/codes.ts';
import { POPPED } from '../../ring/question-records.ts';
import { isStored } from '../../store/put/put-message.ts';
import { figureKey } from '../figures.ts';
import { laterForm } from '../waiting-form.ts';
import { type Checkpoint, checkpointMessage } from './checkpoint.ts';
import type { LiveCheckpoints } from './live-checkpoints.ts';
import { ORDER_REVIVE_QUEUE, type OrderedPops } from './ordered-pops.ts';
import type { PopContext } from './pop-context.ts';
import type { LiteParked, PairParked, Parked } from './pop-pair.ts';
import type { Popped, PoppedPart, PopQuestion } from './pop-questions.ts';
import type { PopOffsets, PopQueue, PopStates } from './pop-states.ts';
import { MAX_POPPED_BYTES, MAX_SCANNED, mostLooked, QueueScan, type Scanned } from './queue-scan.ts';

/** RocketMQ's share of the machine's memory in which recent messages are taken to be cached. */
const IN_MEMORY_BYTES = totalmem() * 0.4;

/** What was taken so far for one pop. */
interface Taking {
  readonly parked: Parked;
  readonly question: PopQuestion;
  readonly popTime: number;
  count: number;
  room: number;
  /** Entries that may still be looked at. */
  looks: number;
  rest: number;
  readonly parts: { queue: PopQueue; scanned: Scanned; start: number }[];
  orderCountInfo: string[];
  /** A queue was passed by, as what was taken from it is on its way to the log. */
  wasBusy: boolean;
  /** More entries are to be looked at, none of which has matched. */
  more: boolean;
  problem: string | undefined;
  readonly lite: boolean;
}

export type Outcome = 'taken' | 'nothing' | 'more';

export interface PopperParts {
  context: PopContext;
  states: PopStates;
  live: LiveCheckpoints;
  ordered: OrderedPops;
  /** The queue can be popped again: who waits looks. */
  freed: (queue: PopQueue) => void;
}

export class Popper {
  readonly #parts: PopperParts;
  readonly #scan: QueueScan;
  #lastReviveQueue = 0;
  /** Pops whose checkpoints are on their way. */
  underWay = 0;
  /** Of these, where the queue of the timer topic ended when each began: their checkpoints come behind that. */
  readonly #ends = new Map<Taking, number>();

  constructor(parts: PopperParts) {
    this.#parts = parts;
    this.#scan = new QueueScan(parts.context.store);
  }

  /** Up to there the timer topic holds no checkpoint whose queue is still unwritten. */
  get writtenTo(): number {
    const [first = Number.POSITIVE_INFINITY] = this.#ends.values();
    return first;
  }

  /** Takes what there is and answers when it is written down; else nothing has changed, and it may wait. */
  take(parked: PairParked, question: PopQuestion): Outcome {
    const taking = this.#begin(parked, question);
    const { among: pair } = parked;
    const { popFromRetryProbability, popFromRetryProbabilityForPriority } = this.#parts.context.settings();
    const chance = question.priority ? popFromRetryProbabilityForPriority : popFromRetryProbability;
    const retryFirst = !question.order && this.#parts.context.random() * 100 < chance;
    if (retryFirst) this.#fromAll(taking, pair.retry, 1);
    if (question.queueId >= 0) this.#from(taking, pair.main.queue(question.queueId));
    else this.#fromAll(taking, pair.main, question.queues);
    if (!retryFirst && !question.order) this.#fromAll(taking, pair.retry, 1);
    if (taking.parts.length > 0) this.#writeDown(taking);
    else if (taking.problem !== undefined)
      this.#answer(taking, ResponseCode.SYSTEM_ERROR, taking.problem, []);
    else return taking.more ? 'more' : 'nothing';
    return 'taken';
  }

  /** Takes what there is in the queues of lite topics; undefined, or the names of those from which it has taken. */
  takeLite(parked: LiteParked, queues: Iterable<PopQueue>): string[] | undefined {
    const { question } = parked.wanting;
    const rest = { queues: 1, fromNewest: true, priority: false };
    const taking = this.#begin(parked, { ...question, ...rest });
    for (const queue of queues) {
      this.#from(taking, queue);
      if (taking.count >= question.maxCount || taking.room <= 0) break;
    }
    if (taking.parts.length > 0) this.#writeDown(taking);
    else if (taking.problem !== undefined)
      this.#answer(taking, ResponseCode.SYSTEM_ERROR, taking.problem, []);
    else return undefined;
    return taking.parts.map(({ queue }) => queue.offsets.topic);
  }

  /** The messages that a pop would get, without taking them. */
  peek(parked: PairParked, maxCount: number): void {
    const { question } = parked.wanting;
    const { store } = this.#parts.context;
    const asPop: PopQuestion = {
      ...question,
      ...{ maxCount, invisibleTime: 0, fromNewest: false, priority: false },
    };
    const taking = this.#begin(parked, asPop);
    const wanted = question.queueId >= 0 ? [question.queueId] : [...Array(question.queues).keys()];
    const parts: PoppedPart[] = [];
    for (const queueId of wanted) {
      const queue = parked.among.main.queue(queueId);
      const start = Math.max(queue.offset, store.minOffset(question.topic, queueId));
      taking.rest += Math.max(0, store.maxOffset(question.topic, queueId) - start);
      const scanned = this.#look(taking, queue, start);
      if (scanned === undefined || scanned.offsets.length === 0) continue;
      this.#count(taking, scanned);
      parts.push(partOf(queue, scanned, start));
    }
    const isEmpty = parts.length === 0;
    this.#answer(
      taking,
      isEmpty ? ResponseCode.PULL_NOT_FOUND : ResponseCode.SUCCESS,
      isEmpty ? 'NO_MESSAGE_IN_QUEUE' : 'FOUND',
      parts,
    );
  }

  /** Whether a pop would find something, as far as tags tell. */
  hasMessages({ wanting, filter, among: pair }: PairParked): boolean {
    const { question } = wanting;
    const { queueId, queues, order, attemptId } = question;
    let looks = mostLooked(filter);
    const has = (queue: PopQueue): boolean => {
      const { topic } = queue.offsets;
      const min = this.#parts.context.store.minOffset(topic, queue.queueId);
      if (order && this.#parts.ordered.isBlocked(queue, attemptId, min)) return false;
      const start = Math.max(queue.offset, min);
      const max = this.#parts.context.store.maxOffset(topic, queue.queueId);
      if (max <= start) return false;
      if (filter === undefined || filter.properties !== undefined) return true;
      // A pop goes on where this one cannot.
      if (looks <= 0) return true;
      looks -= Math.min(max - start, MAX_SCANNED);
      return this.#scanned(queue, start, 1, MAX_POPPED_BYTES, filter) !== undefined;
    };
    const wanted = queueId >= 0 ? [queueId] : Array(queues).keys();
    for (const id of wanted) if (has(pair.main.queue(id))) return true;
    return has(pair.retry.queue(0));
  }

  #begin(parked: Parked, question: PopQuestion): Taking {
    const popTime = this.#parts.context.clock.now();
    return {
      parked,
      question,
      popTime,
      count: 0,
      room: MAX_POPPED_BYTES,
      looks: mostLooked(parked.filter),
      rest: 0,
      parts: [],
      orderCountInfo: [],
      wasBusy: false,
      more: false,
      problem: undefined,
      lite: parked.wanting.kind === 'lite',
    };
  }

  #fromAll(taking: Taking, offsets: PopOffsets, queues: number): void {
    const { priority } = taking.question;
    const { random, settings } = this.#parts.context;
    const start = priority ? 0 : Math.floor(random() * queues);
    for (let i = 0; i < queues; i++) {
      const id = (start + i) % queues;
      const fromHighest = priority && settings().priorityOrderAsc;
      this.#from(taking, offsets.queue(fromHighest ? queues - 1 - id : id));
    }
  }

  #from(taking: Taking, queue: PopQueue): void {
    const { context, ordered } = this.#parts;
    const { question } = taking;
    const { topic } = queue.offsets;
    const max = context.store.maxOffset(topic, queue.queueId);
    if (queue.busy) {
      taking.wasBusy = true;
      taking.rest += Math.max(0, max - queue.offset);
      return;
    }
    const min = context.store.minOffset(topic, queue.queueId);
    if (question.order && ordered.isBlocked(queue, question.attemptId, min)) return;
    const start = this.#startOf(queue, question.fromNewest, max);
    if (start < max && taking.looks <= 0) taking.more = true;
    const scanned =
      start < max && taking.count < question.maxCount ? this.#look(taking, queue, start) : undefined;
    taking.rest += Math.max(0, max - (scanned?.next ?? start));
    if (scanned === undefined) return;
    if (scanned.offsets.length > 0) {
      this.#count(taking, scanned);
      queue.busy = true;
      taking.parts.push({ queue, scanned, start });
    } else if (scanned.next > start) {
      this.#parts.states.move(queue, scanned.next);
      taking.more ||= scanned.more;
    }
  }

  #count(taking: Taking, { offsets, bytes }: Scanned): void {
    taking.count += offsets.length;
    taking.room -= bytes;
  }

  #look(taking: Taking, queue: PopQueue, start: number): Scanned | undefined {
    const { question, parked } = taking;
    if (taking.room <= 0 || taking.looks <= 0) return undefined;
    try {
      const count = question.maxCount - taking.count;
      const { topic } = queue.offsets;
      const scanned = this.#scan.scan(topic, queue.queueId, start, count, taking.room, parked.filter);
      taking.looks -= scanned.next - start;
      return scanned;
    } catch (error) {
      const fields = { topic: queue.offsets.topic, queueId: queue.queueId, offset: start };
      taking.problem = `queue ${queue.queueId} of ${queue.offsets.topic} cannot be read: ${(error as Error).message}`;
      this.#parts.context.log.error(
        { ...fields, reason: (error as Error).message },
        'a queue cannot be popped',
      );
      return undefined;
    }
  }

  /** Undefined when nothing matches among the first. */
  #scanned(queue: PopQueue, start: number, count: number, room: number, filter: Parked['filter']) {
    try {
      const scanned = this.#scan.scan(queue.offsets.topic, queue.queueId, start, count, room, filter);
      return scanned.offsets.length > 0 || scanned.more ? scanned : undefined;
    } catch {
      return undefined;
    }
  }

  /** Where the group goes on in the queue, within what is there. */
  #startOf(queue: PopQueue, fromNewest: boolean, max: number): number {
    const { topic } = queue.offsets;
    const { store } = this.#parts.context;
    const min = store.minOffset(topic, queue.queueId);
    let start = queue.offset;
    if (start < 0) {
      start = fromNewest && !isRetryTopic(topic) ? this.#newest(queue, min, max) : min;
      this.#parts.states.move(queue, start);
    } else if (start > max && this.#parts.context.allDispatched()) {
      // Somebody has set it, or a power cut has taken the messages: those that come now are not to be passed over.
      this.#parts.states.move(queue, max);
    }
    return Math.min(Math.max(start, min), max);
  }

  /** As RocketMQ: a short queue from its beginning, of others the last message. */
  #newest({ offsets, queueId }: PopQueue, min: number, max: number): number {
    const { store } = this.#parts.context;
    const [first] = min <= 0 ? this.#entriesAt(offsets.topic, queueId) : [];
    if (first !== undefined && store.maxPhysicalOffset - first.physicalOffset < IN_MEMORY_BYTES) return 0;
    return Math.max(0, max - 1);
  }

  #entriesAt(topic: string, queueId: number) {
    try {
      return this.#parts.context.store.readQueue(topic, queueId, 0, 1);
    } catch {
      return [];
    }
  }

  #writeDown(taking: Taking): void {
    this.underWay += 1;
    if (taking.question.order) this.#orderly(taking);
    else this.#invisible(taking);
  }

  /** The queue is not popped before all is done or visible again, and its offset moves by acks. */
  #orderly(taking: Taking): void {
    const { question, popTime, parts } = taking;
    const { ordered, states } = this.#parts;
    const failed = new Set<PopQueue>();
    let left = parts.length;
    for (const { queue, scanned, start } of parts) {
      if (queue.offset !== start) states.move(queue, start);
      const counts = ordered.popped(queue, question, popTime, scanned.offsets, (isWritten, remark) => {
        if (!isWritten) failed.add(queue);
        if (!isWritten) taking.problem = remark;
        left -= 1;
        if (left === 0) this.#end(taking, ORDER_REVIVE_QUEUE, failed);
      });
      taking.orderCountInfo.push(...(taking.lite ? liteCounts(queue, scanned) : counts));
    }
  }

  #invisible(taking: Taking): void {
    const { context, states, live } = this.#parts;
    const { popTime, parts } = taking;
    this.#lastReviveQueue = (this.#lastReviveQueue + 1) % context.reviveQueues;
    const reviveQueueId = this.#lastReviveQueue;
    const failed = new Set<PopQueue>();
    let left = parts.length;
    this.#ends.set(taking, context.store.maxOffset(TIMER_TOPIC, 0));
    for (const { queue, scanned, start } of parts) {
      const ck = checkpointOf(taking, queue, scanned, start, context.store.maxPhysicalOffset);
      const message = checkpointMessage(ck, reviveQueueId, context.place, popTime);
      states.move(queue, scanned.next);
      queue.unwritten = true;
      context.put(laterForm(message, context.rules(), popTime), ({ status, remark }) => {
        queue.unwritten = false;
        if (isStored(status)) {
          context.figures.count('checkpointsIn', figureKey(ck.topic, ck.group));
          live.add(queue, ck, reviveQueueId);
        } else {
          // Unless somebody has set it meanwhile.
          if (queue.offset === scanned.next) states.move(queue, start);
          failed.add(queue);
          taking.problem = remark;
        }
        left -= 1;
        if (left === 0) this.#end(taking, reviveQueueId, failed);
      });
    }
  }

  #end(taking: Taking, reviveQueueId: number, failed: ReadonlySet<PopQueue>): void {
    this.underWay -= 1;
    this.#ends.delete(taking);
    const given = taking.parts.filter(({ queue }) => !failed.has(queue));
    const parts = given.map(({ queue, scanned, start }) => partOf(queue, scanned, start, taking.lite));
    if (parts.length > 0) this.#answer(taking, ResponseCode.SUCCESS, 'FOUND', parts, reviveQueueId);
    else this.#answer(taking, ResponseCode.SYSTEM_ERROR, taking.problem ?? '', [], reviveQueueId);
    for (const { queue } of taking.parts) {
      queue.busy = false;
      this.#parts.freed(queue);
    }
  }

  #answer(taking: Taking, code: number, remark: string, parts: PoppedPart[], reviveQid = 0): void {
    const { parked, question, popTime, rest, orderCountInfo } = taking;
    const { topic, group, invisibleTime } = question;
    const popped: Popped = {
      code,
      remark,
      topic,
      group,
      popTime,
      invisibleTime,
      reviveQid,
      restNum: rest,
      parts,
    };
    if (question.order) popped.orderCountInfo = orderCountInfo.join(';');
    if (taking.lite) popped.lite = true;
    parked.asked.answerJson(POPPED, popped);
  }
}

function partOf(
  { offsets: { topic }, queueId }: PopQueue,
  { offsets, records }: Scanned,
  startOffset: number,
  lite = false,
): PoppedPart {
  const part = { retry: isRetryTopic(topic) ? 1 : 0, queueId, startOffset, offsets, records };
  return lite ? { ...part, topic } : part;
}

/** How often each message had been popped before. */
function liteCounts({ order }: PopQueue, { offsets }: Scanned): string[] {
  return offsets.map((offset) => String(order?.counts.get(offset) ?? 0));
}

function checkpointOf(
  { question, popTime }: Taking,
  { offsets, queueId }: PopQueue,
  scanned: Scanned,
  startOffset: number,
  logEnd: number,
): Checkpoint {
  const { topic, group } = offsets;
  const { invisibleTime } = question;
  const diffs = scanned.offsets.map((offset) => offset - startOffset);
  return {
    topic,
    group,
    queueId,
    startOffset,
    popTime,
    invisibleTime,
    diffs,
    done: 0,
    suspend: false,
    rePuts: 0,
    logEnd,
  };
}
