/** One end of a ring in a worker of its own: sends or receives a number of records and says how it went. */
import { parentPort, workerData } from 'node:worker_threads';
import type { RingShape } from '../../src/ring/layout.ts';
import { FULL, RingConsumer, RingProducer } from '../../src/ring/spsc-ring.ts';
import { Doorbell, Parker, type WakeShape, wakerOf } from '../../src/ring/wake.ts';
import { Random } from '../support/random.ts';

export interface RingThreadData {
  role: 'producer' | 'consumer';
  ring: RingShape;
  own: WakeShape;
  other: WakeShape;
  seed: number;
  records: number;
}

const HEADER = 8;
/** Longer than any test runs: a wake-up that gets lost shows as a thread that never ends. */
const FOREVER = 3_600_000;

const { role, ring, own, other, seed, records } = workerData as RingThreadData;
const sizes = new Random(seed);
/** Publishing and releasing happen at random moments, or the two sides would fall into step. */
const moments = new Random(seed + (role === 'producer' ? 1 : 2));

function nextLength(): number {
  return HEADER + (sizes.chance(0.05) ? sizes.int(0, ring.capacity / 2 - 32) : sizes.int(0, 100));
}

function checksum(bytes: Uint8Array, from: number, to: number, start: number): number {
  let sum = start;
  for (let i = from; i < to; i++) sum = (Math.imul(sum, 31) + (bytes[i] as number)) | 0;
  return sum;
}

/** Goes on until there is nothing to be done now; true = all is done. */
type Turn = () => boolean;

function producing(): { turn: Turn; ready: () => boolean } {
  const producer = RingProducer.join(ring, wakerOf(other));
  let sent = 0;
  let length = nextLength();
  const turn = () => {
    while (sent < records) {
      const at = producer.claimOrAwait(1, length);
      if (at === FULL) return false;
      const { bytes, view } = producer;
      for (let i = at + HEADER; i < at + length; i++) bytes[i] = (sent + i - at) & 0xff;
      view.setInt32(at, sent, true);
      view.setInt32(at + 4, checksum(bytes, at + HEADER, at + length, sent), true);
      producer.commit();
      sent++;
      length = nextLength();
      if (moments.chance(0.3)) producer.publish();
    }
    producer.publish();
    return true;
  };
  return { turn, ready: () => producer.awaitRoom(length) };
}

function consuming(): { turn: Turn; ready: () => boolean } {
  const consumer = RingConsumer.join(ring, wakerOf(other));
  let received = 0;
  const turn = () => {
    while (received < records && consumer.next()) {
      const { bytes, view, offset, length } = consumer;
      const expected = nextLength();
      const sum = checksum(bytes, offset + HEADER, offset + length, received);
      if (
        length !== expected ||
        view.getInt32(offset, true) !== received ||
        view.getInt32(offset + 4, true) !== sum
      ) {
        throw new Error(`record ${received} of ${length} bytes (${expected} expected) is damaged`);
      }
      received++;
      if (moments.chance(0.3)) consumer.release();
    }
    consumer.release();
    return received === records;
  };
  return { turn, ready: () => consumer.pending };
}

const { turn, ready } = role === 'producer' ? producing() : consuming();

if (own.kind === 'park') {
  const parker = new Parker(own);
  while (!turn()) parker.park(FOREVER, ready);
  parentPort?.postMessage('done');
} else {
  // The doorbell does not keep a thread alive; this does.
  const alive = setInterval(() => {}, FOREVER);
  const rung = () => {
    if (!turn()) return;
    clearInterval(alive);
    doorbell.close();
    parentPort?.postMessage('done');
  };
  const doorbell = new Doorbell(own, rung);
  rung();
}
