/**
 * Entry of the control thread of an embedded broker. It starts the threads below it before it loads its own code, so
 * that they come up meanwhile.
 */
import { workerData } from 'node:worker_threads';
import { spawnEngineThreads } from '../threads/engine-threads.ts';
import { type EmbeddedStart, threadsOf } from './messages.ts';

const start = workerData as EmbeddedStart;
const threads = spawnEngineThreads(threadsOf(start.options));
void import('./run-control.ts').then(({ runControl }) => runControl(start, threads));
