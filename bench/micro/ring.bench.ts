/** The ring: both sides in one thread, and two real threads. */
import { Worker } from 'node:worker_threads';
import { addon } from '../../src/native/addon.ts';
import { createRing, FULL, plainRing, RingConsumer, RingProducer } from '../../src/ring/spsc-ring.ts';
import { createWake, Parker, wakerOf } from '../../src/ring/wake.ts';
import type { EchoData } from './ring-echo.thread.ts';
import type { Subject, Suite } from './suite.ts';

const CAPACITY = 1 << 20;
const PAYLOAD = 64;
/** Records shown to the other side at once. */
const TURN = 32;

function inOneThread(payload: number, turn: number): Subject {
  const { producer, consumer } = plainRing(CAPACITY);
  const turns = 1024 / turn;
  const run = () => {
    let sum = 0;
    for (let i = 0; i < turns; i++) {
      for (let n = 0; n < turn; n++) {
        producer.view.setInt32(producer.claim(1, payload), n, true);
        producer.commit();
      }
      producer.publish();
      while (consumer.next()) sum += consumer.view.getInt32(consumer.offset, true);
      consumer.release();
    }
    return sum;
  };
  return {
    name: `one thread, ${payload} bytes, published by ${turn}`,
    batch: turns * turn,
    run,
  };
}

interface Echo {
  to: RingProducer;
  from: RingConsumer;
  parker: Parker;
  stop: () => Promise<void>;
}

function startEcho(): Echo {
  const there = createRing(CAPACITY);
  const back = createRing(CAPACITY);
  const wakeEcho = createWake('park');
  const wakeUs = createWake('park');
  const workerData: EchoData = { there, back, wakeEcho, wakeUs };
  const worker = new Worker(new URL('./ring-echo.thread.js', import.meta.url), { workerData });
  const to = RingProducer.join(there, wakerOf(wakeEcho));
  return {
    to,
    from: RingConsumer.join(back, wakerOf(wakeEcho)),
    parker: new Parker(wakeUs),
    stop: async () => {
      to.claim(0x7fffffff, 0);
      to.commit();
      to.publish();
      await new Promise((resolve) => worker.once('exit', resolve));
      for (const { region } of [there, back]) {
        addon.detach(region);
        addon.closeRegion(region);
      }
    },
  };
}

/** Sends `count` records, `turn` at a time, and waits until all have come back. */
function sendAndAwait({ to, from, parker }: Echo, count: number, turn: number): number {
  let sent = 0;
  let received = 0;
  let sum = 0;
  while (received < count) {
    for (let n = 0; n < turn && sent < count; n++) {
      const at = to.claim(1, PAYLOAD);
      if (at === FULL) break;
      to.view.setInt32(at, n, true);
      to.commit();
      sent++;
    }
    to.publish();
    if (!from.pending && sent === count) parker.park(1000, () => from.pending);
    for (; from.next(); received++) sum += from.view.getInt32(from.offset, true);
    from.release();
  }
  return sum;
}

function betweenThreads(name: string, echo: Echo, count: number, turn: number): Subject {
  return { name, batch: count, run: () => sendAndAwait(echo, count, turn) };
}

export function open(): Suite {
  const echo = startEcho();
  return {
    subjects: [
      inOneThread(PAYLOAD, 1),
      inOneThread(PAYLOAD, TURN),
      inOneThread(1280, TURN),
      betweenThreads(`two threads there and back, ${PAYLOAD} bytes, published by ${TURN}`, echo, 8192, TURN),
      betweenThreads('two threads, one record there and back, both sides sleep', echo, 1, 1),
    ],
    close: echo.stop,
  };
}
