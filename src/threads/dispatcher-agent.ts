/**
 * The dispatcher's thread: follows the log (store/dispatch), learns queues from control, tells who waits for messages.
 */
import { join } from 'node:path';
import { systemClock } from '../lib/clock.ts';
import { APPENDED, FLUSHED, LOG_START, Positions } from '../ring/positions.ts';
import { FULL, RingConsumer, RingProducer } from '../ring/spsc-ring.ts';
import { wakerOf } from '../ring/wake.ts';
import { nativeDisk } from '../store/disk/native-disk.ts';
import { beginAt, Dispatcher } from '../store/dispatch/dispatcher.ts';
import { KeyIndex } from '../store/index/key-index.ts';
import { PageRelease } from '../store/log/page-release.ts';
import { Segments } from '../store/log/segments.ts';
import { storePaths } from '../store/paths.ts';
import { QueueDirectory } from '../store/queue/queue-directory.ts';
import { QueueTable } from '../store/queue/queue-table.ts';
import type { Agent } from './agent.ts';
import {
  ARRIVAL,
  ARRIVAL_BYTES,
  QUEUE_ADDED,
  type QueueAdded,
  TOPIC_FORGOTTEN,
} from './dispatcher-records.ts';
import type { DispatcherShape } from './shapes.ts';

export class DispatcherAgent implements Agent {
  readonly spins = 50;
  readonly maxSleepMs = 1000;
  readonly #positions: Positions;
  readonly #segments: Segments;
  readonly #table: QueueTable;
  readonly #index: KeyIndex | undefined;
  readonly #dispatcher: Dispatcher;
  readonly #pages: PageRelease;
  readonly #commands: RingConsumer;
  readonly #arrivals: RingProducer[];
  readonly #lost: Int32Array;
  readonly #queueRoot: string;
  #logStart = 0;

  constructor({ broker, queues, commands, arrivals, arrivalsLost }: DispatcherShape) {
    const { store } = broker;
    this.#positions = new Positions(broker.positions);
    this.#segments = new Segments(nativeDisk, store.commitLogDirectory, store.mappedFileSizeCommitLog);
    this.#pages = new PageRelease(
      this.#segments,
      this.#positions,
      store.cachedLogBytes,
      systemClock.monotonic,
    );
    const directory = QueueDirectory.attach(broker.directory);
    this.#queueRoot = storePaths.consumeQueue(store.directory);
    this.#table = new QueueTable(nativeDisk, this.#queueRoot, store.mappedFileSizeConsumeQueue, directory);
    for (const queue of queues) this.#table.add(queue.topic, queue.queueId, queue.id, queue.lastPhysicalEnd);
    const geometry = { slots: store.maxHashSlotNum, entries: store.maxIndexNum };
    this.#index = store.messageIndexEnable
      ? new KeyIndex(nativeDisk, storePaths.index(store.directory), geometry, systemClock)
      : undefined;
    this.#commands = RingConsumer.join(commands, wakerOf(broker.wakes.control));
    const wakes = [...broker.wakes.network, broker.wakes.control].map((wake) => wakerOf(wake));
    this.#arrivals = arrivals.map((ring, i) => RingProducer.join(ring, wakes[i] ?? (() => {})));
    this.#lost = new Int32Array(arrivalsLost);
    this.#dispatcher = new Dispatcher({
      segments: this.#segments,
      positions: this.#positions,
      queues: this.#table,
      directory,
      index: this.#index,
      bound: store.flushDiskType === 'SYNC_FLUSH' ? FLUSHED : APPENDED,
      delayMillis: broker.delayMillis,
      onArrival: (queue, threads) => this.#tell(queue, threads),
      // Control names queues before messages may be sent to them: a record without queue is of a deleted topic.
      onUnknownQueue: () => undefined,
      onGap: (queue, offset, position) => {
        if (beginAt(queue, offset, directory)) return true;
        throw new Error(
          `${queue.topic}/${queue.queueId} lacks entries before ${offset} (log position ${position})`,
        );
      },
    });
  }

  doWork(): number {
    // The bound first, then the commands: a queue is named before a message for it can be within the bound.
    if (!this.hasWork()) return 0;
    const bound = this.#dispatcher.bound();
    const commanded = this.#obey();
    const dispatched = this.#dispatcher.doWork(bound);
    if (dispatched > 0) for (const ring of this.#arrivals) ring.publish();
    this.#dropDeleted();
    this.#pages.step();
    // What it did is counted in messages by the writer already, where they share a thread.
    return commanded + Math.sign(dispatched);
  }

  hasWork(): boolean {
    return this.#commands.pending || this.#dispatcher.behind;
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

  #obey(): number {
    let done = 0;
    const { bytes } = this.#commands;
    while (this.#commands.next()) {
      const { type, offset, length } = this.#commands;
      const text = Buffer.from(bytes.buffer, bytes.byteOffset + offset, length).toString('utf8');
      if (type === QUEUE_ADDED) {
        const { topic, queueId, id, bornAt } = JSON.parse(text) as QueueAdded;
        this.#table.add(topic, queueId, id).bornAt = bornAt;
      } else if (type === TOPIC_FORGOTTEN) {
        this.#table.delete(text);
        nativeDisk.remove(join(this.#queueRoot, text));
      }
      done++;
    }
    this.#commands.release();
    return done;
  }

  #tell(queue: number, threads: number): void {
    for (let i = 0; i < this.#arrivals.length; i++) {
      if ((threads & (1 << i)) === 0) continue;
      const ring = this.#arrivals[i] as RingProducer;
      const at = ring.claim(ARRIVAL, ARRIVAL_BYTES);
      if (at === FULL) {
        Atomics.store(this.#lost, i, 1);
        ring.publish();
      } else {
        ring.view.setInt32(at, queue, true);
      }
    }
  }

  #dropDeleted(): void {
    const start = this.#positions.get(LOG_START);
    if (start === this.#logStart) return;
    this.#logStart = start;
    this.#segments.dropBefore(start);
  }
}
