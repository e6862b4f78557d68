/** Counts the records that come by messages, for comparison with a ring. */
import { parentPort, workerData } from 'node:worker_threads';

const counted = new Int32Array(workerData as SharedArrayBuffer);

parentPort?.on('message', (records: Uint8Array[]) => {
  Atomics.add(counted, 0, records.length);
  Atomics.notify(counted, 0);
});
