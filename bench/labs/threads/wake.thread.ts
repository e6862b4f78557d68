/** The second thread of the lab "wake": answers each call in the way in which it was called. */
import { parentPort, workerData } from 'node:worker_threads';
import { addon } from '../../../src/native/addon.ts';
import { Doorbell, Parker, wakerOf } from '../../../src/ring/wake.ts';
import { ANSWERS, awaitChange, CALLS, changed, type Mechanism, NO_MORE, type WakeData } from './wake-data.ts';

const { mechanism, counts, wakeSecond, wakeFirst } = workerData as WakeData;
const words = new Int32Array(counts);

/** Keeps an event loop alive that nothing else does. */
const alive = setInterval(() => {}, 60_000);
const end = (): void => clearInterval(alive);

function parked(): void {
  const parker = new Parker(wakeSecond);
  const wake = wakerOf(wakeFirst);
  let seen = 0;
  for (;;) {
    parker.park(1000, () => Atomics.load(words, CALLS) !== seen);
    const calls = Atomics.load(words, CALLS);
    if (calls === NO_MORE) break;
    if (calls === seen) continue;
    seen = calls;
    Atomics.store(words, ANSWERS, seen);
    wake();
  }
  end();
}

function waiting(): void {
  for (let seen = awaitChange(words, CALLS, 0); seen !== NO_MORE; seen = awaitChange(words, CALLS, seen)) {
    Atomics.store(words, ANSWERS, seen);
    Atomics.notify(words, ANSWERS);
  }
  end();
}

function looking(): void {
  for (let seen = 0; ; ) {
    const calls = Atomics.load(words, CALLS);
    if (calls === NO_MORE) break;
    if (calls === seen) {
      addon.yieldProcessor();
      continue;
    }
    seen = calls;
    Atomics.store(words, ANSWERS, seen);
  }
  end();
}

function rung(): void {
  const wake = wakerOf(wakeFirst);
  const bell = new Doorbell(wakeSecond, () => {
    const calls = Atomics.load(words, CALLS);
    if (calls === NO_MORE) {
      bell.close();
      end();
      return;
    }
    Atomics.store(words, ANSWERS, calls);
    wake();
  });
}

async function notified(): Promise<void> {
  for (
    let seen = await changed(words, CALLS, 0);
    seen !== NO_MORE;
    seen = await changed(words, CALLS, seen)
  ) {
    Atomics.store(words, ANSWERS, seen);
    Atomics.notify(words, ANSWERS);
  }
  end();
}

function told(): void {
  parentPort?.on('message', (call: number) => {
    if (call === NO_MORE) {
      parentPort?.close();
      end();
      return;
    }
    parentPort?.postMessage(call);
  });
}

const RUN: Record<Mechanism, () => unknown> = {
  park: parked,
  wait: waiting,
  look: looking,
  doorbell: rung,
  waitAsync: notified,
  message: told,
};

parentPort?.postMessage('ready');
RUN[mechanism]();
