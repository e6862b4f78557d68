/** The receiving side of the lab "ring": steps over records and gives them back; sleeps when there are none. */
import { workerData } from 'node:worker_threads';
import { addon } from '../../../src/native/addon.ts';
import { RingConsumer } from '../../../src/ring/spsc-ring.ts';
import { Parker } from '../../../src/ring/wake.ts';
import { RING_STOP, type RingReaderData } from './ring-reader-data.ts';

/** Stepped over before they are given back: as many as an agent takes in a round. */
const TURN = 256;
/** Looks before it sleeps. */
const LOOKS = 200;

/** False when there is no more to come. */
function takeSome(ring: RingConsumer): boolean {
  for (let n = 0; n < TURN && ring.next(); n++) if (ring.type === RING_STOP) return false;
  ring.release();
  return true;
}

function foundSome(ring: RingConsumer): boolean {
  for (let n = 0; n < LOOKS; n++) {
    if (ring.pending) return true;
    addon.yieldProcessor();
  }
  return false;
}

const { ring: shape, wake } = workerData as RingReaderData;
const ring = RingConsumer.join(shape, () => {});
const parker = new Parker(wake);
while (takeSome(ring)) if (!foundSome(ring)) parker.park(1000, () => ring.pending);
