/** What the reader of the lab "ring" is given. */
import type { RingShape } from '../../../src/ring/layout.ts';
import type { WakeShape } from '../../../src/ring/wake.ts';

export interface RingReaderData {
  ring: RingShape;
  wake: WakeShape;
}

/** Type of the record that ends it. */
export const RING_STOP = 0x7fffffff;
