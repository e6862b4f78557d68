/** What every thread that `spawn` starts begins with. Apart from it, as who only starts threads needs no addon. */
import { parentPort, workerData } from 'node:worker_threads';
import { addon } from '../native/addon.ts';
import { LOADED } from './spawn.ts';

/** Names this thread for the system's tools, as the metrics do, and runs `begin` with what the parent posts first. */
export function whenTold<Shape>(begin: (shape: Shape) => void): void {
  addon.nameThread(workerData as string);
  parentPort?.once('message', begin);
  parentPort?.postMessage(LOADED);
}
