/**
 * Pulls of a network thread: check as RocketMQ does, read the queue, answer with the records or park the pull until
 * something arrives.
 */
import { limitRemark, MAX_ALL_PARKED_PULLS, MAX_PARKED_PULLS } from '../../lib/limits.ts';
import { liteQueueOf } from '../../lib/lite-names.ts';
import { isBlank } from '../../lib/names.ts';
import type { Connection } from '../../net/connection.ts';
import { AT_ONCE, callOf, LONG_POLLING } from '../../protocol/call-kinds.ts';
import { ResponseCode } from '../../protocol/codes.ts';
import { FLAG_ONEWAY, responseTo } from '../../protocol/command.ts';
import { encodeCommand } from '../../protocol/command-codec.ts';
import { ABSENT } from '../../protocol/field-table.ts';
import { CUT_ALL, CUT_BLOCKED } from '../../protocol/frame-cutter.ts';
import type { RequestView } from '../../protocol/request-view.ts';
import { type Counters, counterPlace } from '../../ring/counters.ts';
import type { StepClock } from '../../ring/step-clock.ts';
import { errnoName, isShortage } from '../../store/disk/errors.ts';
import type { QueueDirectory } from '../../store/queue/queue-directory.ts';
import {
  COLD,
  FOUND,
  MESSAGE_WAS_REMOVING,
  NO_MATCHED_LOGIC_QUEUE,
  NO_MATCHED_MESSAGE,
  NO_MESSAGE_IN_QUEUE,
  OFFSET_FOUND_NULL,
  OFFSET_OVERFLOW_ONE,
  OFFSET_TOO_SMALL,
  type PullReader,
  UNREADABLE,
} from '../../store/read/pull-reader.ts';
import { countRefusal } from '../refusals.ts';
import type { Calls } from '../stats/calls.ts';
import { type GroupView, lookUp, type NetworkView, type TopicView } from '../view/network-view.ts';
import { isSentBack, nextBroker, SENT_BACK_AFTER_MS } from './next-broker.ts';
import { pullRefusal } from './pull-checks.ts';
import { PULL_COMMIT_OFFSET, PULL_SUSPEND, PullFields } from './pull-fields.ts';
import { isRefusal, type PullFilters, type Refusal } from './pull-filters.ts';
import type { ParkedPull, PullHold } from './pull-hold.ts';
import { writePullAnswer } from './pull-reply.ts';
import { type WokenPull, WokenPulls } from './woken-pulls.ts';

const PULLS_ANSWERED = counterPlace('pullsAnswered');
const PULLS_PARKED = counterPlace('pullsParked');
const PULLS_COLD = counterPlace('pullsCold');
const READ_MAX = counterPlace('readMaxMicros');

import { type SkippedMessages, UnreadableOffsets } from './unreadable.ts';

/** Messages looked at in one go when the way past what cannot be read is searched. */
const SEARCHED = 64;

export interface PullParts {
  view: NetworkView;
  reader: PullReader;
  directory: QueueDirectory;
  hold: PullHold;
  filters: PullFilters;
  /** Bit of this network thread in the queues' interest words. */
  thread: number;
  now: () => number;
  counters: Counters;
  calls: Calls;
  /** Of reading for a pull. */
  reading: StepClock;
  /** Tells control how far a consumer is; false when the ring is full. */
  progress: (group: GroupView, queue: number, commitOffset: number, pullOffset: number) => boolean;
  /** Tells control that a consumer has heard of its reset. */
  resetTaken: (group: string, topic: string, queueId: number) => void;
  /** Tells control that a group's pull has brought so many bytes from the disk. */
  coldRead: (group: string, bytes: number) => void;
  /** Counts messages, and bytes of them, that a consumer gets. */
  given: (group: string, topic: string, messages: number, bytes: number) => void;
  /** Parks the frame until control has made the group. */
  awaitGroup: (
    connection: Connection,
    request: RequestView,
    name: string,
    offset: number,
    length: number,
  ) => number;
  connectionOf: (slot: number, generation: number) => Connection | undefined;
  touched: (connection: Connection) => void;
  /** Runs what concerns one connection: a failure is the connection's end and nobody else's. */
  guarded: (connection: Connection, run: () => void) => void;
  /** Ms of a clock that goes on within a turn. */
  clock: () => number;
  /** Messages that cannot be read were left out. */
  skipped: (skipped: SkippedMessages) => void;
  /** Ends a turn that no socket and no bell has begun. */
  endOfTurn: () => void;
}

export class PullHandler {
  readonly #parts: PullParts;
  readonly #fields = new PullFields();
  readonly #woken: WokenPulls;

  readonly #unreadable: UnreadableOffsets;

  constructor(parts: PullParts) {
    this.#parts = parts;
    const { connectionOf, clock, endOfTurn } = parts;
    this.#woken = new WokenPulls({
      next: () => parts.hold.next(),
      connectionOf,
      clock,
      endOfTurn,
      serve: (connection, woken) => parts.guarded(connection, () => this.#again(connection, woken)),
    });
    this.#unreadable = new UnreadableOffsets(parts.now);
  }

  /** Handles the pull in `request`, whose frame is bytes[offset, +length). CUT_ALL or CUT_BLOCKED. */
  handle(connection: Connection, request: RequestView, offset: number, length: number): number {
    const fields = this.#fields;
    fields.locate(request);
    if (fields.problem !== undefined) {
      return this.#refuse(connection, request, {
        code: ResponseCode.SYSTEM_ERROR,
        remark: `the custom field <${fields.problem}> is null`,
      });
    }
    const table = request.fields;
    const group = lookUp(this.#parts.view.groups, table, fields.group);
    if (group === undefined && (this.#parts.view.settings.brokerPermission & 4) !== 0) {
      return this.#parts.awaitGroup(connection, request, table.text(fields.group), offset, length);
    }
    const topic = lookUp(this.#parts.view.topics, table, fields.topic);
    const refusal = pullRefusal(
      this.#parts.view.settings,
      this.#fields,
      group,
      topic,
      table.text.bind(table),
    );
    if (refusal !== undefined) return this.#refuse(connection, request, refusal);
    return this.#answer(connection, request, group as GroupView, topic as TopicView);
  }

  /** What is read: the topic itself, or a lite topic below it, which has one queue; none where it is empty. */
  #readOf({ fields: table }: RequestView, topic: TopicView): TopicView {
    const { liteTopic } = this.#fields;
    if (liteTopic === ABSENT || isBlank(table.text(liteTopic))) return topic;
    const name = liteQueueOf(topic.name, table.text(liteTopic));
    return this.#parts.view.topics.getByName(name) ?? { ...topic, name, queues: [] };
  }

  /** Something arrived in a queue on which pulls of this thread wait; `serve` answers them. */
  arrived(queue: number): void {
    this.#parts.hold.wake(queue);
  }

  /** News was lost: `serve` looks at every parked pull. */
  arrivedSomewhere(): void {
    this.#parts.hold.wakeAll();
  }

  /** Answers pulls that have news, for a slice of time; the rest in later turns. To be called once a turn. */
  serve(): void {
    this.#woken.serve();
  }

  /** Answers the pulls whose time is over. */
  expire(): void {
    this.#parts.hold.expire(this.#parts.now());
    this.#woken.serve();
  }

  /** The connection has taken its answers: its pulls that waited for that go on. */
  drained(connection: Connection): void {
    this.#woken.drained(connection);
  }

  /** The connection has gone, and its pulls with it. */
  closed(connection: Connection): void {
    this.#parts.hold.drop(connection.slot, connection.generation);
    this.#woken.drop(connection.slot);
  }

  #answer(connection: Connection, request: RequestView, group: GroupView, topic: TopicView): number {
    const fields = this.#fields;
    const filter = this.#parts.filters.of(request, fields, group, topic);
    if (isRefusal(filter)) return this.#refuse(connection, request, filter);
    const read = this.#readOf(request, topic);
    const queue = read.queues[fields.queueId];
    const commit = (fields.sysFlag & PULL_COMMIT_OFFSET) !== 0 ? fields.commitOffset : -1;
    const pull: ParkedPull = {
      slot: connection.slot,
      generation: connection.generation,
      opaque: request.opaque,
      serializeType: request.serializeType,
      group: group.config.name,
      topic: read.name,
      queueId: fields.queueId,
      queue,
      offset: fields.queueOffset,
      scanFrom: fields.queueOffset,
      maxCount: Math.max(1, fields.maxCount),
      filter: filter.filter,
      homes: group.config,
      call: callOf(request.code),
      came: this.#parts.now(),
      waited: false,
      deadline: this.#parts.now() + this.#patience(),
    };
    const reset = this.#takeReset(group, read.name, fields.queueId);
    if (reset !== undefined) return this.#answerReset(connection, pull, reset);
    this.#read(pull, pull.offset, false);
    const { nextBeginOffset } = this.#parts.reader;
    if (queue !== undefined && !this.#parts.progress(group, queue.id, commit, nextBeginOffset))
      return CUT_BLOCKED;
    this.#finish(connection, pull, false);
    return CUT_ALL;
  }

  #nextBroker({ homes }: ParkedPull): number {
    return nextBroker(this.#parts.view.settings.elsewhere, homes, this.#parts.reader.isFarBehind);
  }

  /** Ms that a pull may wait. */
  #patience(): number {
    const { sysFlag, suspendMs } = this.#fields;
    if ((sysFlag & PULL_SUSPEND) === 0) return 0;
    return this.#parts.view.settings.elsewhere.masterIsThere
      ? Math.min(suspendMs, SENT_BACK_AFTER_MS)
      : suspendMs;
  }

  #read({ queue, maxCount, filter }: ParkedPull, from: number, fetched: boolean): void {
    const { reader, counters, reading } = this.#parts;
    reading.begin();
    reader.read(queue, from, maxCount, filter, fetched);
    counters.raiseTo(READ_MAX, reading.end() * 1_000);
  }

  /** An operator's reset is handed out once and then forgotten. */
  #takeReset(group: GroupView, topic: string, queueId: number): number | undefined {
    if (group.resets.size === 0) return undefined;
    const key = `${topic}@${queueId}`;
    const offset = group.resets.get(key);
    if (group.resets.delete(key)) this.#parts.resetTaken(group.config.name, topic, queueId);
    return offset;
  }

  #answerReset(connection: Connection, pull: ParkedPull, offset: number): number {
    const { directory } = this.#parts;
    const id = pull.queue?.id ?? 0;
    this.#called(pull, ResponseCode.PULL_OFFSET_MOVED);
    writePullAnswer(connection, {
      opaque: pull.opaque,
      serializeType: pull.serializeType,
      code: ResponseCode.PULL_OFFSET_MOVED,
      status: OFFSET_TOO_SMALL,
      nextBeginOffset: offset,
      minOffset: directory.minimum(id),
      maxOffset: directory.maximum(id),
      suggestedBrokerId: this.#nextBroker(pull),
    });
    return CUT_ALL;
  }

  /** Reads again for a pull that was taken out of the hold. */
  #again(connection: Connection, { pull, fetched }: WokenPull): void {
    const queue = this.#parts.view.topics.getByName(pull.topic)?.queues[pull.queueId];
    pull.queue = queue;
    const { reader, coldRead } = this.#parts;
    this.#read(pull, pull.scanFrom, fetched);
    if (fetched && this.#parts.view.settings.coldReads.watched) coldRead(pull.group, reader.totalBytes);
    this.#finish(connection, pull, true);
    connection.flushMuch();
    this.#parts.touched(connection);
  }

  /** Answers by the reader's outcome, or parks the pull when there is time left to wait. */
  #finish(connection: Connection, pull: ParkedPull, woken: boolean): void {
    const { reader } = this.#parts;
    if (reader.status === COLD) {
      const { coldFrom, coldLength } = reader;
      this.#parts.counters.add(PULLS_COLD);
      const { readAhead } = this.#parts.view.settings;
      const fetch = () => reader.warm(coldFrom, coldLength, readAhead);
      const refusal = this.#coldRefusal(pull.group) ?? this.#woken.fetch(pull, fetch);
      if (refusal !== undefined) this.#answerBusy(connection, pull, refusal);
      return;
    }
    if (reader.status === UNREADABLE) {
      this.#refuseUnreadable(connection, pull, 'its ConsumeQueue file');
      return;
    }
    const { elsewhere } = this.#parts.view.settings;
    const sentBack = reader.status !== FOUND && isSentBack(elsewhere, reader.isFarBehind);
    const moved = sentBack && codeOf(reader.status, pull.offset, false) === ResponseCode.PULL_OFFSET_MOVED;
    if (pull.deadline > this.#parts.now() && (moved || this.#mayWait(pull, woken))) {
      const refusal = this.#noRoomToPark(connection);
      if (refusal === undefined && moved) this.#hold(pull);
      else if (refusal === undefined) this.#park(connection, pull);
      else this.#answerBusy(connection, pull, refusal);
      return;
    }
    this.#parts.counters.add(PULLS_ANSWERED);
    if (sentBack) {
      // What this slave does not have its master may have: the consumer keeps its place.
      const next = moved ? pull.scanFrom : reader.nextBeginOffset;
      this.#answerGoOn(connection, pull, reader.status, next);
      return;
    }
    const skipped = pull.scanFrom > pull.offset;
    const found = reader.status === FOUND;
    const { count, totalBytes } = reader;
    const code = codeOf(reader.status, pull.offset, skipped);
    const written = writePullAnswer(
      connection,
      {
        opaque: pull.opaque,
        serializeType: pull.serializeType,
        code,
        status: reader.status,
        nextBeginOffset: reader.nextBeginOffset,
        minOffset: reader.minOffset,
        maxOffset: reader.maxOffset,
        suggestedBrokerId: this.#nextBroker(pull),
      },
      found ? reader : undefined,
    );
    // The file went between reading the queue and the log: the consumer asks again and is told the new minimum.
    if (!written && reader.errno !== 0) this.#answerUnreadable(connection, pull);
    else if (!written) this.#answerGoOn(connection, pull, MESSAGE_WAS_REMOVING, pull.scanFrom);
    else {
      this.#called(pull, code);
      if (found) this.#parts.given(pull.group, pull.topic, count, totalBytes);
    }
  }

  #called({ call, came, waited }: ParkedPull, code: number): void {
    const { calls, clock } = this.#parts;
    calls.done(call, code, waited ? LONG_POLLING : AT_ONCE, clock() - came);
  }

  /** Why nothing is fetched for the group now: it, or all of them, have had enough for the moment. */
  #coldRefusal(group: string): string | undefined {
    const { watched, all, groups } = this.#parts.view.settings.coldReads;
    if (!watched || !(all || groups.includes(group))) return undefined;
    return 'This consumer group is reading cold data. It has been flow control';
  }

  #answerBusy(connection: Connection, pull: ParkedPull, remark: string): void {
    countRefusal(this.#parts.counters, ResponseCode.SYSTEM_BUSY);
    this.#called(pull, ResponseCode.SYSTEM_BUSY);
    connection.append(encodeCommand(responseTo(pull, ResponseCode.SYSTEM_BUSY, remark)));
  }

  /** What comes before the message that cannot be read is delivered; then that one's turn comes. */
  #answerUnreadable(connection: Connection, pull: ParkedPull): void {
    const { reader, skipped } = this.#parts;
    const { queue } = pull;
    if (queue === undefined) return;
    if (reader.readable > 0) {
      reader.read(queue, pull.scanFrom, reader.readable, pull.filter, true);
      this.#finish(connection, pull, true);
      return;
    }
    const from = reader.unreadableOffset;
    const { errno } = reader;
    if (isShortage(errno) || this.#unreadable.refusedFor(queue.id, from) > 0) {
      this.#refuseUnreadable(connection, pull, 'the CommitLog');
      return;
    }
    const to = reader.firstReadable(queue, from + 1, SEARCHED);
    this.#unreadable.skipped(queue.id, to);
    skipped({ topic: pull.topic, queueId: pull.queueId, from, to, group: pull.group, errno });
    this.#answerGoOn(connection, pull, UNREADABLE, to);
  }

  #refuseUnreadable(connection: Connection, pull: ParkedPull, where: string): void {
    const { errno, unreadableOffset } = this.#parts.reader;
    const remark =
      `the message at offset ${unreadableOffset} of queue ${pull.queueId} of topic ${pull.topic} cannot be read: ` +
      `${errnoName(errno)} in ${where}`;
    this.#called(pull, ResponseCode.SYSTEM_ERROR);
    connection.append(encodeCommand(responseTo(pull, ResponseCode.SYSTEM_ERROR, remark)));
  }

  /** Nothing to deliver, and the consumer shall ask again at once, from `next` on. */
  #answerGoOn(connection: Connection, pull: ParkedPull, status: number, next: number): void {
    const { reader } = this.#parts;
    this.#called(pull, ResponseCode.PULL_RETRY_IMMEDIATELY);
    writePullAnswer(connection, {
      opaque: pull.opaque,
      serializeType: pull.serializeType,
      code: ResponseCode.PULL_RETRY_IMMEDIATELY,
      status,
      nextBeginOffset: next,
      minOffset: reader.minOffset,
      maxOffset: reader.maxOffset,
      suggestedBrokerId: this.#nextBroker(pull),
    });
  }

  /**
   * Nothing to deliver, and nothing wrong with the offset. A woken pull also waits on when nothing new matched; a
   * fresh one is answered, so that the client's offset moves on.
   */
  #mayWait(pull: ParkedPull, woken: boolean): boolean {
    const { reader } = this.#parts;
    switch (reader.status) {
      case OFFSET_OVERFLOW_ONE:
      case OFFSET_FOUND_NULL:
        return true;
      case NO_MATCHED_LOGIC_QUEUE:
      case NO_MESSAGE_IN_QUEUE:
        return pull.offset === 0;
      case NO_MATCHED_MESSAGE:
        return woken && reader.nextBeginOffset === reader.maxOffset;
      default:
        return false;
    }
  }

  /** First say that this thread wants to hear, then look once more: an arrival in between is not missed. */
  #park(connection: Connection, pull: ParkedPull): void {
    const { reader, directory, thread } = this.#parts;
    if (reader.status === NO_MATCHED_MESSAGE) pull.scanFrom = reader.nextBeginOffset;
    const { queue } = pull;
    if (queue === undefined) {
      this.#hold(pull);
      return;
    }
    directory.addInterest(queue.id, thread);
    if (directory.maximum(queue.id) > pull.scanFrom) {
      reader.read(queue, pull.scanFrom, pull.maxCount, pull.filter);
      const nothingNew = reader.status === NO_MATCHED_MESSAGE && reader.nextBeginOffset === reader.maxOffset;
      if (nothingNew) {
        pull.scanFrom = reader.nextBeginOffset;
      } else if (reader.status !== OFFSET_FOUND_NULL) {
        this.#finish(connection, pull, true);
        return;
      }
      // Entries that cannot be read would send the pull here again and again: it waits for news or its deadline.
    }
    this.#hold(pull);
  }

  #hold(pull: ParkedPull): void {
    this.#parts.counters.add(PULLS_PARKED);
    pull.waited = true;
    this.#parts.hold.park(pull);
  }

  /** Why one more pull of the connection may not wait; undefined when it may. */
  #noRoomToPark(connection: Connection): string | undefined {
    const { hold } = this.#parts;
    if (hold.sizeOf(connection.slot) + this.#woken.stalledOf(connection.slot) >= MAX_PARKED_PULLS) {
      return limitRemark('waiting pulls of one connection', MAX_PARKED_PULLS, 'MAX_PARKED_PULLS');
    }
    if (hold.size + this.#woken.size >= MAX_ALL_PARKED_PULLS) {
      return limitRemark('waiting pulls', MAX_ALL_PARKED_PULLS, 'MAX_ALL_PARKED_PULLS');
    }
    return undefined;
  }

  #refuse(connection: Connection, request: RequestView, refusal: Refusal): number {
    countRefusal(this.#parts.counters, refusal.code);
    this.#parts.calls.refused(request, refusal.code);
    if ((request.flag & FLAG_ONEWAY) !== 0) return CUT_ALL;
    const fields: Record<string, string> = {
      suggestWhichBrokerId: '0',
      nextBeginOffset: '0',
      minOffset: '0',
      maxOffset: '0',
    };
    if (refusal.forbiddenType !== undefined) fields['forbiddenType'] = String(refusal.forbiddenType);
    connection.append(encodeCommand(responseTo(request, refusal.code, refusal.remark, fields)));
    return CUT_ALL;
  }
}

/** Response code of a read; `skipped` = the scan got further although nothing matched. */
function codeOf(status: number, offset: number, skipped: boolean): number {
  switch (status) {
    case FOUND:
      return ResponseCode.SUCCESS;
    case NO_MATCHED_MESSAGE:
    case MESSAGE_WAS_REMOVING:
      return ResponseCode.PULL_RETRY_IMMEDIATELY;
    case OFFSET_FOUND_NULL:
    case OFFSET_OVERFLOW_ONE:
      return skipped ? ResponseCode.PULL_RETRY_IMMEDIATELY : ResponseCode.PULL_NOT_FOUND;
    case NO_MATCHED_LOGIC_QUEUE:
    case NO_MESSAGE_IN_QUEUE:
      return offset === 0 ? ResponseCode.PULL_NOT_FOUND : ResponseCode.PULL_OFFSET_MOVED;
    default:
      return ResponseCode.PULL_OFFSET_MOVED;
  }
}
