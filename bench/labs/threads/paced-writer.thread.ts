/** The writer of the lab "page-cache": appends as the broker does, at a fixed pace, and times each append and sync. */
import { parentPort, workerData } from 'node:worker_threads';
import { nativeDisk } from '../../../src/store/disk/native-disk.ts';
import { LatencyRecorder } from '../../load/recorder.ts';
import { check } from '../lib/lab.ts';
import type { PacedWriterData, Stint, StintReport } from './paced-writer-data.ts';

const APPEND_BYTES = 32 * 1024;
const PACE_MS = 1;
/** Appends that share a sync. */
const SYNC_EVERY = 8;

const { path, bytes } = workerData as PacedWriterData;
const mapping = nativeDisk.map(path, bytes, bytes);
if (typeof mapping === 'number') throw new Error(`mapping failed with errno ${-mapping}`);
const log = mapping;
const source = nativeDisk.memory(APPEND_BYTES);
source.bytes.fill(7);
const idle = new Int32Array(new SharedArrayBuffer(4));
let at = 0;

function micros(work: () => void): number {
  const from = performance.now();
  work();
  return (performance.now() - from) * 1000;
}

function append(): void {
  if (at + APPEND_BYTES > bytes) at = 0;
  check(log.append(at, source, 0, APPEND_BYTES), 'append');
  at += APPEND_BYTES;
}

function write(millis: number): StintReport {
  const [appends, syncs] = [new LatencyRecorder(), new LatencyRecorder()];
  const end = performance.now() + millis;
  // Until it has synced, however slow the machine is: no figure would be a figure of 0.
  for (let n = 1; performance.now() < end || n <= SYNC_EVERY; n++) {
    appends.record(micros(append));
    if (n % SYNC_EVERY === 0) syncs.record(micros(() => check(log.sync(0, bytes), 'sync')));
    Atomics.wait(idle, 0, 0, PACE_MS);
  }
  return {
    appendP50: appends.percentile(50),
    appendP99: appends.percentile(99),
    syncP50: syncs.percentile(50),
    syncP99: syncs.percentile(99),
  };
}

parentPort?.on('message', ({ millis }: Stint) => parentPort?.postMessage(write(millis)));
