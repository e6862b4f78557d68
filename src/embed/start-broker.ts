/**
 * A RocketMQ inside any Node program: name server and broker in threads of their own. The control path too runs in a
 * worker, so a blocked event loop, a breakpoint or fake timers of the host do not stop the broker. Nothing here uses
 * timers, and nothing depends on which realm a value comes from: jest runs this in a context of its own.
 */
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { threadFile } from '../threads/thread-file.ts';
import { checkBrokerOptions } from './broker-options.ts';
import { errorOf } from './error-report.ts';
import { startReport } from './explain.ts';
import { hostBroker } from './hosted-broker.ts';
import type { EmbeddedStart } from './messages.ts';
import type { EmbeddedBroker, EmbeddedBrokerOptions } from './options.ts';
import { makeTemporaryStore, type TemporaryStore } from './temporary-store.ts';

/**
 * Starts a name server and a broker; resolves when clients can use them. Several may run in one process. Rejects with a
 * `RingMQError` and leaves nothing behind then.
 *
 *     const broker = await startBroker({ topics: ['orders'] });
 *     const producer = new Producer({ nameSrv: broker.nameServer, … });
 *     …
 *     await broker.close();
 */
export async function startBroker(options: EmbeddedBrokerOptions = {}): Promise<EmbeddedBroker> {
  const { log, ...checked } = checkBrokerOptions(options);
  const temporary = checked.store === undefined ? temporaryStore() : undefined;
  const start: EmbeddedStart = {
    store: temporary?.directory ?? (checked.store as string),
    temporary: temporary !== undefined,
    options: checked,
    state: new SharedArrayBuffer(4),
  };
  return await hostBroker({ worker: control(start, temporary), start, temporary, log });
}

function temporaryStore(): TemporaryStore {
  try {
    return makeTemporaryStore();
  } catch (error) {
    throw errorOf(startReport('startBroker', error));
  }
}

/** Node refuses a thread at once where its permissions do, or with what cannot be posted. */
function control(start: EmbeddedStart, temporary: TemporaryStore | undefined): Worker {
  try {
    return spawnControl(start);
  } catch (error) {
    temporary?.remove();
    throw errorOf(startReport('startBroker', error));
  }
}

function spawnControl(start: EmbeddedStart): Worker {
  // A path, as `URL` may be another class than Node's where this runs.
  const file = fileURLToPath(threadFile('embed', 'control').href);
  return new Worker(file, {
    name: 'ringmq-control',
    workerData: start,
    // What the host is run with (loaders, hooks, `--input-type`) is for its own code, not for the broker's threads.
    execArgv: [],
    // Listening descriptors come from the addon; Node would warn that it has not opened what is closed.
    trackUnmanagedFds: false,
  });
}
