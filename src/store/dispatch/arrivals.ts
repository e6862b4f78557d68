/**
 * News of messages for network threads and control: a ring for each, and a word that says that some were lost because
 * the ring was full; who finds it set looks at everything that waits. Control's ring is never full: it has room for all
 * delay levels at once, and each is told of once until control asks again.
 */
import type { RingShape } from '../../ring/layout.ts';
import { FULL, RingProducer } from '../../ring/spsc-ring.ts';
import { ARRIVAL, ARRIVAL_BYTES } from './dispatcher-records.ts';

export class ArrivalNews {
  readonly #rings: readonly RingProducer[];
  readonly #wakes: readonly (() => void)[];
  readonly #lost: Int32Array;

  /** A ring, a word and a wake-up for each listener. */
  constructor(rings: readonly RingProducer[], lost: SharedArrayBuffer, wakes: readonly (() => void)[]) {
    this.#rings = rings;
    this.#wakes = wakes;
    this.#lost = new Int32Array(lost);
  }

  static join(shapes: readonly RingShape[], lost: SharedArrayBuffer, wakes: readonly (() => void)[]) {
    const rings = shapes.map((shape, i) => RingProducer.join(shape, wakes[i] ?? (() => {})));
    return new ArrivalNews(rings, lost, wakes);
  }

  /** A queue got messages; bit n of `listeners` stands for ring n. */
  tell(queue: number, listeners: number): void {
    for (let i = 0; i < this.#rings.length; i++) {
      if ((listeners & (1 << i)) === 0) continue;
      const ring = this.#rings[i] as RingProducer;
      const at = ring.claim(ARRIVAL, ARRIVAL_BYTES);
      if (at === FULL) {
        this.#lose(i, ring);
        continue;
      }
      ring.view.setInt32(at, queue, true);
      ring.commit();
    }
  }

  /** Shows the listeners what they were told. */
  publish(): void {
    for (const ring of this.#rings) ring.publish();
  }

  /**
   * The listener may have emptied the ring and looked at the word since it was found full, and has nothing left that
   * would wake it: it is woken for the word itself.
   */
  #lose(listener: number, ring: RingProducer): void {
    Atomics.store(this.#lost, listener, 1);
    ring.publish();
    this.#wakes[listener]?.();
  }
}
