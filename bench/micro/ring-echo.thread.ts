/** The other side of the ring benchmark: sends every record back; sleeps when there is none, as the writer does. */
import { workerData } from 'node:worker_threads';
import type { RingShape } from '../../src/ring/layout.ts';
import { RingConsumer, RingProducer } from '../../src/ring/spsc-ring.ts';
import { Parker, type WakeShape, wakerOf } from '../../src/ring/wake.ts';

export interface EchoData {
  there: RingShape;
  back: RingShape;
  wakeEcho: WakeShape;
  wakeUs: WakeShape;
}

const STOP = 0x7fffffff;
const TURN = 256;

const { there, back, wakeEcho, wakeUs } = workerData as EchoData;
const wakeOther = wakerOf(wakeUs);
const from = RingConsumer.join(there, wakeOther);
const to = RingProducer.join(back, wakeOther);
const parker = new Parker(wakeEcho);

/** False when there is no more to come. */
function echoSome(): boolean {
  for (let n = 0; n < TURN && from.next(); n++) {
    if (from.type === STOP) return false;
    // Both rings have one size, and what is under way fits into one: there is always room.
    const at = to.claim(1, from.length);
    to.view.setInt32(at, from.view.getInt32(from.offset, true), true);
    to.commit();
  }
  from.release();
  to.publish();
  return true;
}

while (echoSome()) if (!from.pending) parker.park(1000, () => from.pending);
