/** When a broker delivers what becomes due, and what its delivery begins with. */
import type { DeliveryLink } from '../../delivery/delivery-link.ts';
import type { DeliveryShape } from '../../delivery/delivery-shape.ts';
import { systemClock } from '../../lib/clock.ts';
import { TRANS_CHECK_MAX_TIME_TOPIC } from '../../lib/names.ts';
import { skewOf } from '../../metadata/append-times.ts';
import type { RingConsumer } from '../../ring/spsc-ring.ts';
import type { ResolvedConfig } from '../config.ts';
import type { Engine } from '../engine.ts';
import type { Topology } from '../topology.ts';
import { joinArrivals, storeHostOf } from './assembly.ts';
import { DueQueues } from './due-queues.ts';
import type { OpenedStore } from './opened-store.ts';

type Begins = ReturnType<DeliveryLink['beginWith']>;

export interface DeliveringParts {
  config: ResolvedConfig;
  opened: OpenedStore;
  topology: Topology;
  tables: {
    topics: { createInternal(topic: string, queues: number): unknown };
    clients: { producers: { names(): string[] } };
  };
  link: DeliveryLink;
  /** Undefined while the broker starts. */
  engine: () => Engine | undefined;
}

export class Delivering {
  readonly #parts: DeliveringParts;
  /** Of the first message that waits for its time. */
  readonly #arrivals: RingConsumer;
  /** As it was when the tables had been loaded. */
  #due: DueQueues | undefined;
  /** Of the clock when the broker was made. */
  readonly #skewAtStart = skewOf(systemClock);

  constructor(parts: DeliveringParts) {
    this.#parts = parts;
    this.#arrivals = joinArrivals(parts.topology);
  }

  /** What is in the queues now was there before any client came. */
  tablesAreLoaded(): void {
    this.#due = this.#dueQueues();
  }

  #dueQueues(): DueQueues {
    const { config, opened } = this.#parts;
    return new DueQueues(config.settings.brokerClusterName, opened);
  }

  /** Known when the tables are loaded. */
  readonly shape = (): DeliveryShape => {
    const { tables, link } = this.#parts;
    // Delivery makes no topics, and a transaction may have to be given up.
    tables.topics.createInternal(TRANS_CHECK_MAX_TIME_TOPIC, 1);
    return this.#shapeOf(link.beginWith(), this.#due?.ends ?? [], this.#skewAtStart);
  };

  /** Of a slave that begins to act for its master. */
  readonly actingShape = (begins: Begins): DeliveryShape =>
    this.#shapeOf(begins, this.#dueQueues().ends, skewOf(systemClock));

  #shapeOf(begins: Begins, queueEnds: DeliveryShape['queueEnds'], skew: number): DeliveryShape {
    const { config, opened, topology, tables } = this.#parts;
    return {
      ...topology.delivery,
      topics: [...opened.ids.topics()],
      storeHost: storeHostOf(config),
      delayLevels: config.settings.messageDelayLevel,
      producers: tables.clients.producers.names(),
      ...{ queueEnds, skew },
      ...begins,
    };
  }

  /** With the first message that waits for its time: now, or when the dispatcher tells of one. */
  beginWhenNeeded(engine: Engine): void {
    const { topology, link } = this.#parts;
    if (engine.delivers || topology.broker.isSlave) return;
    this.#due?.listen(topology.control);
    if (this.#due?.wait((topic, queueId, end) => link.waits(topic, queueId, end))) engine.deliver(this.shape);
  }

  /** Somebody needs it now. A slave delivers only while it acts for its master (acting-delivery.ts). */
  readonly begin = (): void => {
    if (!this.#parts.topology.broker.isSlave) this.#parts.engine()?.deliver(this.shape);
  };

  /** The dispatcher may have told of a message that waits. */
  hearArrivals(): void {
    if (!this.#arrivals.pending) return;
    while (this.#arrivals.next());
    this.#arrivals.release();
    this.begin();
  }

  /** A thread that has died tells nothing any more. */
  stop(): Promise<unknown> {
    const { engine: running, link, topology, opened } = this.#parts;
    const engine = running();
    if (engine?.delivers) return Promise.race([link.stop(), ...engine.deliveryEnded]);
    // A slave has its master's progress.
    if (!topology.broker.isSlave) link.neverBegan(opened.levels.max, this.#skewAtStart, systemClock);
    return Promise.resolve();
  }
}
