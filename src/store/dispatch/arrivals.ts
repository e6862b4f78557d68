/**
 * News of messages for the participants: a ring for each, and a word that says that some were lost because the ring
 * was full; who finds it set looks at everything that waits. Who is interested in few queues never finds its ring
 * full: each is told of once until it asks again.
 */
import { FULL, RingProducer } from '../../ring/spsc-ring.ts';
import { wakerOf } from '../../ring/wake.ts';
import type { ParticipantShape } from '../engine-shapes.ts';
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

  static join(participants: readonly ParticipantShape[], lost: SharedArrayBuffer): ArrivalNews {
    const wakes = participants.map(({ wake }) => wakerOf(wake));
    const rings = participants.map(({ arrivals }, i) => RingProducer.join(arrivals, wakes[i] as () => void));
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
