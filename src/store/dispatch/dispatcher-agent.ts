/**
 * The dispatcher's thread: follows the log (store/dispatch), learns queues from control, tells who waits for messages.
 */
import { systemClock } from '../../lib/clock.ts';
import type { Agent } from '../../ring/agent.ts';
import { ChannelReceiver } from '../../ring/channel.ts';
import { COUNTER_BLOCKS, Counters, counterPlace } from '../../ring/counters.ts';
import { LOG_START, Positions } from '../../ring/positions.ts';
import { report } from '../../ring/reports.ts';
import { StepClock } from '../../ring/step-clock.ts';
import { wakerOf } from '../../ring/wake.ts';
import { Watermark } from '../../ring/watermark.ts';
import { nativeDisk } from '../disk/native-disk.ts';
import type { DispatcherShape } from '../engine-shapes.ts';
import { KeyIndex } from '../index/key-index.ts';
import type { RecentLog } from '../log/append-stage.ts';
import { PageRelease } from '../log/page-release.ts';
import { Segments } from '../log/segments.ts';
import { confirmedBy } from '../options.ts';
import { storePaths } from '../paths.ts';
import type { ConsumeQueue } from '../queue/consume-queue.ts';
import { DeletedQueues } from '../queue/deleted-queues.ts';
import { QueueDirectory } from '../queue/queue-directory.ts';
import { QueueTable } from '../queue/queue-table.ts';
import { Shortage } from '../shortage.ts';
import { ArrivalNews } from './arrivals.ts';
import { beginAt, Dispatcher } from './dispatcher.ts';
import { QUEUE_ADDED, type QueueAdded, TOPIC_FORGOTTEN } from './dispatcher-records.ts';

const ROUNDS = counterPlace('rounds');
const BYTES_DISPATCHED = counterPlace('bytesDispatched');

export class DispatcherAgent implements Agent {
  readonly spins = 50;
  readonly maxSleepMs = 1000;
  readonly #positions: Positions;
  readonly #segments: Segments;
  readonly #table: QueueTable;
  readonly #index: KeyIndex | undefined;
  readonly #dispatcher: Dispatcher;
  readonly #pages: PageRelease;
  readonly #counters: Counters;
  readonly #round: StepClock;
  readonly #commands: ChannelReceiver;
  readonly #arrivals: ArrivalNews;
  readonly #deleted: DeletedQueues;
  readonly #shortage = new Shortage('dispatching messages to their queues');
  /** Ids of queues in which the master's numbers do not follow. */
  readonly #gaps = new Set<number>();
  #logStart = 0;

  /** `recent`: of the writer, where that works in the same thread. */
  constructor({ broker, queues, commands }: DispatcherShape, recent?: RecentLog) {
    const { store } = broker;
    this.#positions = new Positions(broker.positions);
    this.#counters = new Counters(broker.counters, COUNTER_BLOCKS.dispatcher);
    this.#round = new StepClock('dispatch', { limitMs: broker.slowMillis, counters: this.#counters });
    this.#segments = new Segments(nativeDisk, store.commitLogDirectory, store.mappedFileSizeCommitLog);
    this.#pages = new PageRelease(
      this.#segments,
      this.#positions,
      store.cachedLogBytes,
      systemClock.monotonic,
    );
    const directory = QueueDirectory.attach(broker.directory);
    const queueRoot = storePaths.consumeQueue(store.directory);
    this.#deleted = new DeletedQueues(nativeDisk, queueRoot);
    this.#table = new QueueTable(nativeDisk, queueRoot, store.mappedFileSizeConsumeQueue, directory);
    for (const queue of queues) this.#table.add(queue.topic, queue.queueId, queue.id, queue.lastPhysicalEnd);
    const geometry = { slots: store.maxHashSlotNum, entries: store.maxIndexNum };
    this.#index = store.messageIndexEnable
      ? new KeyIndex(nativeDisk, storePaths.index(store.directory), geometry, systemClock)
      : undefined;
    this.#commands = ChannelReceiver.join(commands, wakerOf(broker.wakes.control));
    this.#arrivals = ArrivalNews.join(broker.participants, broker.arrivalsLost);
    this.#dispatcher = new Dispatcher({
      segments: this.#segments,
      recent,
      positions: this.#positions,
      queues: this.#table,
      directory,
      index: this.#index,
      bound: new Watermark(this.#positions, confirmedBy(store)),
      delayMillis: broker.delayMillis,
      onArrival: (queue, listeners) => this.#arrivals.tell(queue, listeners),
      // Control names queues before messages may be sent to them: a record without queue is of a deleted topic.
      onUnknownQueue: () => undefined,
      onShortage: (errno) => this.#shortage.met(errno),
      onGap: (queue, offset, position) => {
        if (beginAt(queue, offset, directory)) return true;
        if (broker.isSlave) return this.#leftOut(queue, offset, position);
        throw new Error(
          `${queue.topic}/${queue.queueId} lacks entries before ${offset} (log position ${position})`,
        );
      },
    });
  }

  doWork(): number {
    // The bound first, then the commands: a queue is named before a message for it can be within the bound.
    if (!this.hasWork()) return 0;
    this.#round.begin();
    const bound = this.#dispatcher.bound();
    const commanded = this.#obey();
    const dispatched = this.#shortage.pausing ? 0 : this.#dispatcher.doWork(bound);
    if (dispatched > 0 && this.#shortage.lasts) this.#shortage.over();
    this.#counters.add(ROUNDS);
    this.#counters.add(BYTES_DISPATCHED, dispatched);
    if (dispatched > 0) this.#arrivals.publish();
    this.#dropDeleted();
    this.#pages.step();
    this.#round.end(dispatched);
    // What it did is counted in messages by the writer already, where they share a thread.
    return commanded + Math.sign(dispatched);
  }

  hasWork(): boolean {
    return this.#commands.pending || (this.#dispatcher.behind && !this.#shortage.pausing);
  }

  get drained(): boolean {
    return !this.hasWork();
  }

  close(): void {
    this.#index?.commit();
    this.#index?.sync();
    this.#index?.close();
    this.#table.close();
    this.#segments.close();
  }

  /**
   * Numbers are the master's: where it has deleted a topic and made it again before this slave heard of either, they
   * begin anew in the middle of a queue. Recovery builds such a queue from all of the log.
   */
  #leftOut({ topic, queueId, id, next }: ConsumeQueue, number: number, position: number): false {
    if (this.#gaps.has(id)) return false;
    this.#gaps.add(id);
    report(
      { topic, queueId, number, expected: next, position },
      'messages of the master do not follow in their queue, and are left out of it until a recovery builds it anew',
    );
    return false;
  }

  #obey(): number {
    let done = 0;
    while (this.#commands.next()) {
      const { type, offset, length, bytes } = this.#commands;
      const text = Buffer.from(bytes.buffer, bytes.byteOffset + offset, length).toString('utf8');
      if (type === QUEUE_ADDED) {
        const { topic, queueId, id, bornAt } = JSON.parse(text) as QueueAdded;
        this.#table.add(topic, queueId, id).bornAt = bornAt;
      } else if (type === TOPIC_FORGOTTEN) {
        this.#table.delete(text);
        this.#deleted.moveAway(text);
      }
      done++;
    }
    this.#commands.release();
    return done;
  }

  #dropDeleted(): void {
    const start = this.#positions.get(LOG_START);
    if (start === this.#logStart) return;
    this.#logStart = start;
    this.#segments.dropBefore(start);
  }
}
