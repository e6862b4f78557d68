/**
 * Beats time for the open loop: Node's own timers know whole milliseconds only. A beat is a message to the main
 * thread; a beat that the main thread has not yet taken makes further ones unnecessary, so a slow moment is not
 * followed by a burst of beats.
 */
import { parentPort, workerData } from 'node:worker_threads';

export interface TickerData {
  /** Slot 0 counts beats taken by the main thread; slot 1 is what this thread sleeps on and nobody ever wakes. */
  control: Int32Array;
  intervalMillis: number;
}

const { control, intervalMillis } = workerData as TickerData;
let sent = 0;
for (;;) {
  Atomics.wait(control, 1, 0, intervalMillis);
  if (Atomics.load(control, 0) !== sent) continue;
  sent++;
  parentPort?.postMessage(0);
}
