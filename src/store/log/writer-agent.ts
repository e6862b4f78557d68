/**
 * The writer: drains the send rings in turn into the CommitLog, publishes the new end once per round, and answers each
 * producer on its reply ring. It never waits for a producer: room for the answer was reserved before the request.
 */
import { assert } from '../../lib/assert.ts';
import { systemClock } from '../../lib/clock.ts';
import type { Agent } from '../../ring/agent.ts';
import {
  APPEND,
  APPEND_BYTES,
  APPEND_COUNT,
  APPEND_HEADER,
  APPEND_QUEUE,
  APPEND_RAW,
  APPEND_SEQUENCE,
  APPEND_TWICE,
  APPENDED_REPLY,
  RAW_HEADER,
  RAW_POSITION,
  RAW_STORE_TIMESTAMP,
  REPLY_BYTES,
  REPLY_END,
  REPLY_PHYSICAL_OFFSET,
  REPLY_QUEUE_OFFSET,
  REPLY_SEQUENCE,
  REPLY_STATUS,
  REPLY_STORE_TIMESTAMP,
  TWICE_DIGITS,
  TWICE_HEADER,
  TWICE_QUEUE,
} from '../../ring/append-records.ts';
import { ChannelReceiver } from '../../ring/channel.ts';
import { COUNTER_BLOCKS, Counters, counterPlace } from '../../ring/counters.ts';
import { APPENDED, APPENDED_TIME, HALT_WRITE_FAILED, LOG_START, Positions } from '../../ring/positions.ts';
import { FULL, RingProducer } from '../../ring/spsc-ring.ts';
import { StepClock } from '../../ring/step-clock.ts';
import { wakerOf } from '../../ring/wake.ts';
import { nativeDisk } from '../disk/native-disk.ts';
import type { ParticipantShape, WriterShape } from '../engine-shapes.ts';
import { awaitsFlush } from '../options.ts';
import { QueueDirectory } from '../queue/queue-directory.ts';
import { Shortage } from '../shortage.ts';
import type { RecentLog } from './append-stage.ts';
import { APPENDED_OK, CommitLog, NO_SEGMENT } from './commit-log.ts';
import { Segments } from './segments.ts';

const ROUNDS = counterPlace('rounds');
const BYTES_APPENDED = counterPlace('bytesAppended');
const APPENDS_FAILED = counterPlace('appendsFailed');

/** Records taken from one ring before the next ring's turn. */
const TURN = 256;
/** Tries to map the next file ahead of need, while a whole file is written. */
const AHEAD_TRIES = 32;

class Input {
  readonly send: ChannelReceiver;
  readonly replies: RingProducer;
  readonly putsWhenDue: boolean;

  constructor(shape: ParticipantShape) {
    const wake = wakerOf(shape.wake);
    this.send = ChannelReceiver.join(shape.send, wake);
    this.putsWhenDue = shape.putsWhenDue;
    this.replies = RingProducer.join(shape.replies, shape.sameThread ? () => {} : wake);
  }
}

export class WriterAgent implements Agent {
  readonly spins = 400;
  readonly maxSleepMs = 1000;
  readonly #positions: Positions;
  readonly #segments: Segments;
  readonly #log: CommitLog;
  readonly #inputs: Input[];
  readonly #answersWait: boolean;
  readonly #wakeNext: (() => void)[];
  readonly #counters: Counters;
  readonly #round: StepClock;
  readonly #preallocates: boolean;
  readonly #shortage = new Shortage('finding room for the CommitLog');
  #logStart = 0;
  /** Position from which on the next file is to be mapped. */
  #aheadFrom = 0;

  constructor({ broker }: WriterShape) {
    this.#positions = new Positions(broker.positions);
    this.#counters = new Counters(broker.counters, COUNTER_BLOCKS.writer);
    this.#round = new StepClock('append', { limitMs: broker.slowMillis, counters: this.#counters });
    const { commitLogDirectory, mappedFileSizeCommitLog, preallocateBytes } = broker.store;
    this.#segments = new Segments(nativeDisk, commitLogDirectory, mappedFileSizeCommitLog, preallocateBytes);
    this.#inputs = broker.participants.map((participant) => new Input(participant));
    // Where nobody waits for the flusher it looks by itself, twice a second.
    this.#answersWait = awaitsFlush(broker.store);
    const next = this.#answersWait ? broker.wakes.flusher : broker.wakes.dispatcher;
    this.#wakeNext = [wakerOf(next), wakerOf(broker.wakes.replication)];
    this.#log = new CommitLog(
      this.#segments,
      this.#positions,
      QueueDirectory.attach(broker.directory),
      {
        position: this.#positions.get(APPENDED),
        storeTimestamp: this.#positions.get(APPENDED_TIME),
        isCopy: broker.isSlave,
      },
      (start) => this.#rolledTo(start),
    );
    this.#preallocates = broker.store.preallocateNextFile;
    this.#segments.at(this.#log.position, true);
  }

  /** The end of the log, for those who follow it in this thread. */
  get recent(): RecentLog {
    return this.#log.recent;
  }

  doWork(): number {
    if (!this.hasWork()) return 0;
    this.#round.begin();
    this.#log.setTime(systemClock.now());
    const start = this.#log.position;
    let done = 0;
    for (const input of this.#inputs) done += this.#drain(input);
    this.#log.publish();
    this.#counters.add(ROUNDS);
    this.#counters.add(BYTES_APPENDED, this.#log.position - start);
    // It only writes, and knows of every write that failed: a page of an old file that cannot be read is the readers'.
    const { fault } = this.#log;
    if (fault !== 0) this.#positions.halt(HALT_WRITE_FAILED, fault);
    // Where answers wait for the sync, it comes first: the threads that answers wake may take this one's processor.
    if (this.#answersWait) this.#wakeFollowers();
    for (const input of this.#inputs) {
      input.send.release();
      input.replies.publish();
    }
    if (!this.#answersWait) this.#wakeFollowers();
    if (this.#preallocates) this.#reserveAhead();
    this.#dropDeleted();
    this.#round.end(this.#log.position - start);
    return done;
  }

  #wakeFollowers(): void {
    for (const wake of this.#wakeNext) wake();
  }

  hasWork(): boolean {
    for (const { send } of this.#inputs) if (send.pending) return true;
    return false;
  }

  get drained(): boolean {
    return !this.hasWork();
  }

  close(): void {
    this.#segments.close();
  }

  #drain(input: Input): number {
    const { send } = input;
    let done = 0;
    while (done < TURN && send.next()) {
      if (input.putsWhenDue) this.#log.setTime(systemClock.now());
      if (send.type === APPEND) this.#append(input);
      else if (send.type === APPEND_TWICE) this.#appendTwice(input);
      else if (send.type === APPEND_RAW) this.#appendRaw(input);
      else this.#retireQueues(input);
      done++;
    }
    return done;
  }

  #append(input: Input): void {
    const { send } = input;
    const { view, offset } = send;
    const queue = view.getInt32(offset + APPEND_QUEUE, true);
    const bytes = view.getInt32(offset + APPEND_BYTES, true);
    const count = view.getInt32(offset + APPEND_COUNT, true);
    const from = offset + APPEND_HEADER;
    const log = this.#log;
    const status =
      count === 1
        ? log.append(send.bulk, from, bytes, queue)
        : log.appendBatch(send.bulk, from, bytes, count, queue);
    this.#appended(input, status);
  }

  #appendTwice(input: Input): void {
    const { send } = input;
    const { view, offset } = send;
    const queue = view.getInt32(offset + APPEND_QUEUE, true);
    const bytes = view.getInt32(offset + APPEND_BYTES, true);
    const second = view.getInt32(offset + TWICE_QUEUE, true);
    const from = offset + TWICE_HEADER;
    const digits = from + view.getInt32(offset + TWICE_DIGITS, true);
    this.#appended(input, this.#log.appendTwice(send.bulk, from, bytes, queue, second, digits));
  }

  #appendRaw(input: Input): void {
    const { send } = input;
    const { view, offset } = send;
    const bytes = view.getInt32(offset + APPEND_BYTES, true);
    const count = view.getInt32(offset + APPEND_COUNT, true);
    const position = view.getFloat64(offset + RAW_POSITION, true);
    const time = view.getFloat64(offset + RAW_STORE_TIMESTAMP, true);
    const status = this.#log.appendRaw(send.bulk, offset + RAW_HEADER, bytes, count, position, time);
    this.#appended(input, status);
  }

  #appended(input: Input, status: number): void {
    if (status === NO_SEGMENT) this.#shortage.met(this.#segments.lastError);
    else if (this.#shortage.lasts && status === APPENDED_OK) this.#shortage.over();
    this.#answer(input, status);
  }

  #answer({ send, replies }: Input, status: number): void {
    if (status !== APPENDED_OK) this.#counters.add(APPENDS_FAILED);
    const log = this.#log;
    const at = replies.claim(APPENDED_REPLY, REPLY_BYTES);
    assert(at !== FULL, 'no room for the answer to an append: its producer did not reserve it');
    const out = replies.view;
    out.setInt32(at + REPLY_SEQUENCE, send.view.getInt32(send.offset + APPEND_SEQUENCE, true), true);
    out.setInt32(at + REPLY_STATUS, status, true);
    out.setFloat64(at + REPLY_QUEUE_OFFSET, log.queueOffset, true);
    out.setFloat64(at + REPLY_PHYSICAL_OFFSET, log.physicalOffset, true);
    out.setFloat64(at + REPLY_END, log.position, true);
    out.setFloat64(at + REPLY_STORE_TIMESTAMP, log.storeTimestamp, true);
    replies.commit();
  }

  #retireQueues(input: Input): void {
    const { view, offset } = input.send;
    const count = view.getInt32(offset + APPEND_COUNT, true);
    for (let i = 0; i < count; i++) this.#log.retire(view.getInt32(offset + APPEND_HEADER + i * 4, true));
    this.#answer(input, APPENDED_OK);
  }

  #rolledTo(start: number): void {
    // What lies in the older files is the flusher's and the readers'.
    this.#segments.dropBefore(start);
  }

  #reserveAhead(): void {
    this.#log.reserveAhead();
    if (this.#log.position >= this.#aheadFrom) this.#openAhead();
  }

  /**
   * Makes and maps the next file when half of this one is full: the roll then costs nothing, and needs no descriptor;
   * there may be none left.
   */
  #openAhead(): void {
    const { fileSize } = this.#segments;
    const { position } = this.#log;
    const start = this.#segments.startOf(position);
    const half = start + fileSize / 2;
    this.#aheadFrom = position < half ? half : start + fileSize * 1.5;
    if (position < half) return;
    if (this.#segments.at(start + fileSize) === undefined) {
      this.#prepareAfter(start);
      this.#aheadFrom = position + fileSize / AHEAD_TRIES;
    }
    this.#segments.at(position);
  }

  /** Has the file after the one at `start` made in the background, so that the roll to it costs nothing. */
  #prepareAfter(start: number): void {
    const { fileSize, room } = this.#segments;
    // A failure is no news here: the roll makes the file itself, and reports what goes wrong then.
    void nativeDisk.prepare(this.#segments.pathOf(start + fileSize), fileSize, room);
  }

  #dropDeleted(): void {
    const start = this.#positions.get(LOG_START);
    if (start === this.#logStart) return;
    this.#logStart = start;
    this.#segments.dropBefore(start);
  }
}
