/**
 * Puts messages that were popped and not acknowledged in time into the retry topic, where their group pops them again.
 * Behind them goes an ack: a process that dies now does not revive them a second time.
 */

import { isRetryTopic, popRetryTopicOf } from '../../lib/names.ts';
import { decodeRecord } from '../../record/decode.ts';
import { MAX_PROPERTIES } from '../../record/layout.ts';
import { encodeProperties } from '../../record/properties.ts';
import { type InternalMessage, isStored } from '../../store/put/put-message.ts';
import { copyOf } from '../due-message.ts';
import { type DuePut, DuePuts, readAttemptsOf } from '../due-puts.ts';
import { figureKey } from '../figures.ts';
import type { KnownQueues } from '../known-queues.ts';
import { ackMessage, type Checkpoint } from './checkpoint.ts';
import type { PopContext } from './pop-context.ts';

export const FIRST_POP_TIME = '1ST_POP_TIME';
export const ORIGIN_GROUP = 'ORIGIN_GROUP';

const RETRY_QUEUE = 0;
/** Messages on their way to the log. */
const MAX_UNDER_WAY = 256;
const BUSY_SLEEP_MS = 2;
const READ_AGAIN_MS = 1_000;
const NOTE_AGAIN_MS = 1_000;
/** Control is asked again for a retry topic after so long. */
const ASK_AGAIN_MS = 1_000;

interface Job {
  readonly ck: Checkpoint;
  readonly reviveQueueId: number;
  readonly ended: () => void;
  /** Of the next message that is looked at. */
  index: number;
  underWay: number;
  attempts: number;
  readonly revived: number[];
}

interface RevivedPut extends DuePut {
  readonly job: Job;
  readonly offset: number;
}

export interface ReviverParts {
  context: PopContext;
  queues: Pick<KnownQueues, 'find' | 'byNumber'>;
  /** Asks control to make the retry topic of a group. */
  needsTopic: (retryTopic: string, topic: string, group: string) => void;
}

export class Reviver {
  readonly #parts: ReviverParts;
  readonly #puts: DuePuts<RevivedPut>;
  readonly #jobs = new Set<Job>();
  /** Whose queue could not be read: they are tried again later. */
  #unread: Job[] = [];
  /** By the retry topic for which they wait. */
  readonly #waiting = new Map<string, Set<Job>>();
  #running = true;
  /** All that are not over. */
  readonly #begun = new Set<Job>();
  /** Messages that say what was revived, on their way to the log. */
  #notes = 0;
  /** Whose note has failed: it is tried again later. */
  readonly #unnoted = new Set<Job>();
  #scheduled = false;
  /** Puts that have failed are repeated then, ms of the monotonic clock. */
  #repeatsAt = 0;

  constructor(parts: ReviverParts) {
    this.#parts = parts;
    const { context } = parts;
    this.#puts = new DuePuts<RevivedPut>({
      log: context.log,
      store: context.store,
      put: context.put,
      busy: context.busy,
      readAttempts: readAttemptsOf(context.acts),
      what: 'popped message',
      fieldsOf: ({ job, offset }) => ({
        topic: job.ck.topic,
        queueId: job.ck.queueId,
        offset,
        group: job.ck.group,
      }),
      messageOf: (record, { job }) => retryOf(record, job.ck),
      ended: (put, done, stored) => this.#ended(put, done, stored),
    });
  }

  /** Checkpoints whose messages are not all in the retry topic yet. */
  get size(): number {
    let size = this.#jobs.size;
    for (const jobs of this.#waiting.values()) size += jobs.size;
    return size;
  }

  get underWay(): number {
    return this.#puts.underWay + this.#notes;
  }

  /** A process that follows goes on with what is left, and must know what is done. */
  stop(): void {
    this.#running = false;
    for (const job of [...this.#begun, ...this.#unnoted]) this.#note(job);
  }

  /** What of the checkpoint is not done; `ended` when it is in the log. */
  revive(ck: Checkpoint, reviveQueueId: number, ended: () => void): void {
    const over = () => {
      this.#begun.delete(job);
      ended();
    };
    const job: Job = { ck, reviveQueueId, ended: over, index: 0, underWay: 0, attempts: 0, revived: [] };
    this.#begun.add(job);
    this.#jobs.add(job);
    this.#soon(0);
  }

  /** A topic has a queue now. */
  hasTopic(topic: string): void {
    const jobs = this.#waiting.get(topic);
    if (jobs === undefined) return;
    this.#waiting.delete(topic);
    for (const job of jobs) this.#jobs.add(job);
    this.#soon(0);
  }

  /** There is no such group or topic any more: nobody is to get them. */
  giveUp(retryTopic: string): void {
    const jobs = this.#waiting.get(retryTopic);
    this.#waiting.delete(retryTopic);
    for (const job of jobs ?? []) job.ended();
  }

  #soon(ms: number): void {
    if (this.#scheduled || !this.#running) return;
    this.#scheduled = true;
    this.#parts.context.timers.after(ms, () => {
      this.#scheduled = false;
      if (this.#running) this.#run();
    });
  }

  #run(): void {
    if (this.#puts.hasFailed && !this.#repeat()) return;
    for (const job of this.#jobs) {
      if (this.#parts.context.busy() || this.#puts.underWay >= MAX_UNDER_WAY) {
        this.#soon(BUSY_SLEEP_MS);
        return;
      }
      this.#jobs.delete(job);
      if (this.#hasRetryTopic(job)) this.#issue(job);
    }
  }

  /** What has failed, when its pause is over; false while something new would have to wait behind it. */
  #repeat(): boolean {
    const left = this.#repeatsAt - this.#parts.context.clock.monotonic();
    if (left <= 0 && this.#puts.repeat()) return true;
    this.#soon(Math.max(left, BUSY_SLEEP_MS));
    return false;
  }

  #hasRetryTopic(job: Job): boolean {
    const { queues, context } = this.#parts;
    const { topic, group } = job.ck;
    if (queues.byNumber(topic).length === 0) {
      context.log.info(
        { topic, group },
        'popped messages are not revived: their topic was deleted meanwhile',
      );
      job.ended();
      return false;
    }
    const retryTopic = retryTopicOf(job.ck);
    if (context.acts) return true;
    if (queues.find(retryTopic, RETRY_QUEUE) !== undefined) return true;
    const jobs = this.#waiting.get(retryTopic);
    if (jobs !== undefined) jobs.add(job);
    else {
      this.#waiting.set(retryTopic, new Set([job]));
      this.#askFor(retryTopic, topic, group);
    }
    return false;
  }

  #askFor(retryTopic: string, topic: string, group: string): void {
    if (!this.#waiting.has(retryTopic)) return;
    this.#parts.needsTopic(retryTopic, topic, group);
    this.#parts.context.timers.after(ASK_AGAIN_MS, () => this.#askFor(retryTopic, topic, group));
  }

  /** All of its messages that are not done; 32 at most. */
  #issue(job: Job): void {
    const { ck } = job;
    job.underWay += 1;
    for (; job.index < ck.diffs.length; job.index++) {
      if ((ck.done & (1 << job.index)) !== 0) continue;
      const offset = ck.startOffset + (ck.diffs[job.index] as number);
      const position = this.#positionOf(job, offset);
      if (position === undefined) break;
      if (position < 0) continue;
      job.underWay += 1;
      this.#puts.issue({ physicalOffset: position, attempts: 0, job, offset });
    }
    this.#less(job);
  }

  /** -1: it is deleted, or cannot be read for good. Undefined: it is to be tried again. */
  #positionOf(job: Job, offset: number): number | undefined {
    const { store, log, acts } = this.#parts.context;
    const { topic, queueId, group } = job.ck;
    try {
      const [entry] = store.readQueue(topic, queueId, offset, 1);
      const isThere = entry?.queueOffset === offset && entry.physicalOffset < (job.ck.logEnd ?? Infinity);
      return isThere ? entry.physicalOffset : -1;
    } catch (error) {
      job.attempts += 1;
      if (job.attempts < readAttemptsOf(acts)) return undefined;
      job.attempts = 0;
      const reason = (error as Error).message;
      log.error({ topic, queueId, offset, group, reason }, 'popped message dropped');
      return -1;
    }
  }

  #ended({ job, offset }: RevivedPut, done: boolean, stored: boolean): void {
    // At the end it is left to who follows: what is over is passed by for good.
    if (!done && !this.#running) return;
    if (!done) {
      this.#repeatsAt = this.#parts.context.clock.monotonic() + this.#puts.pauseMs;
      this.#soon(this.#puts.pauseMs);
      return;
    }
    if (stored) {
      job.revived.push(offset);
      this.#parts.context.figures.count('revived', figureKey(job.ck.topic, job.ck.group));
    }
    // Others of it may not end any more.
    if (!this.#running) this.#note(job);
    this.#less(job);
  }

  #less(job: Job): void {
    job.underWay -= 1;
    if (job.underWay > 0) return;
    const isWhole = job.index >= job.ck.diffs.length;
    if (!isWhole && this.#running) this.#readAgain(job);
    else if (isWhole) this.#writeDown(job);
  }

  #readAgain(job: Job): void {
    this.#unread.push(job);
    if (this.#unread.length > 1) return;
    this.#parts.context.timers.after(READ_AGAIN_MS, () => {
      for (const unread of this.#unread) this.#jobs.add(unread);
      this.#unread = [];
      this.#soon(0);
    });
  }

  /** Says in the log which were revived. */
  #note(job: Job): void {
    const { ck, reviveQueueId, revived } = job;
    const { context } = this.#parts;
    const offsets = revived.splice(0);
    if (offsets.length === 0) return;
    const now = context.clock.now();
    this.#notes += 1;
    context.put(ackMessage({ ...ck, offsets }, reviveQueueId, context.place, now, now), ({ status }) => {
      this.#notes -= 1;
      if (isStored(status)) {
        context.figures.count('acksIn', figureKey(ck.topic, ck.group));
        return;
      }
      // Until it is there a process that follows would revive them again.
      revived.push(...offsets);
      this.#noteLater(job);
    });
  }

  #noteLater(job: Job): void {
    if (!this.#running || this.#unnoted.has(job)) return;
    this.#unnoted.add(job);
    this.#parts.context.timers.after(NOTE_AGAIN_MS, () => {
      this.#unnoted.delete(job);
      if (this.#running) this.#note(job);
    });
  }

  #writeDown(job: Job): void {
    this.#note(job);
    job.ended();
    if (this.#jobs.size > 0) this.#soon(0);
  }
}

/** What is popped from a retry topic goes back there. */
function retryTopicOf({ topic, group }: Checkpoint): string {
  return isRetryTopic(topic) ? topic : popRetryTopicOf(topic, group);
}

function retryOf(record: Uint8Array, ck: Checkpoint): InternalMessage | string {
  const message = decodeRecord(record);
  if (message === undefined) return 'the popped bytes are no record';
  const stored = message.properties;
  const properties = new Map(stored);
  const copy = { ...copyOf(message, retryTopicOf(ck), RETRY_QUEUE), properties };
  if (message.reconsumeTimes === 0 || !properties.has(FIRST_POP_TIME))
    properties.set(FIRST_POP_TIME, String(ck.popTime));
  properties.set(ORIGIN_GROUP, ck.group);
  // Where they find no room the message goes as it is: it must not be lost for what is said of it.
  if (encodeProperties(properties).length > MAX_PROPERTIES) copy.properties = stored;
  copy.reconsumeTimes = message.reconsumeTimes + (ck.suspend ? 0 : 1);
  return copy;
}
