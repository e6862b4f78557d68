/** Starting threads of this build, and hearing of their death. */
import { parentPort, Worker } from 'node:worker_threads';
import { isReport } from '../ring/reports.ts';
import { threadFile } from './thread-file.ts';

export interface Thread {
  readonly name: string;
  readonly worker: Worker;
  /** Resolves when the thread says that it is ready. */
  readonly ready: Promise<void>;
  /** Resolves when it has ended: without error = as asked. */
  readonly ended: Promise<Error | undefined>;
}

export interface ThreadLimits {
  /** MiB of V8's young generation. */
  maxYoungGenerationSizeMb?: number;
  maxOldGenerationSizeMb?: number;
}

/**
 * Starts `src/<folder>/<file>.thread`. It loads its code and then waits for its first message, which says what it works
 * on (`begin`); the first message that it posts itself, but for reports, means that it is ready.
 */
export function spawn(folder: string, file: string, name: string, limits: ThreadLimits = {}): Thread {
  const worker = new Worker(threadFile(folder, file), { name, resourceLimits: limits });
  let failure: Error | undefined;
  const ended = new Promise<Error | undefined>((resolve) => {
    worker.once('error', (error) => {
      failure = new Error(`thread ${name} died: ${error.message}`, { cause: error });
    });
    worker.once('exit', (code) => {
      resolve(failure ?? (code === 0 ? undefined : new Error(`thread ${name} exited with code ${code}`)));
    });
  });
  const ready = new Promise<void>((resolve, reject) => {
    worker.on('message', (message: unknown) => {
      if (!isReport(message)) resolve();
    });
    void ended.then((error) => reject(error ?? new Error(`thread ${name} ended before it was ready`)));
  });
  // It may die before anybody waits for it; who waits later still hears of it.
  ready.catch(() => {});
  return { name, worker, ready, ended };
}

/** In a spawned thread: runs `begin` with what the parent posts first. */
export function whenTold<Shape>(begin: (shape: Shape) => void): void {
  parentPort?.once('message', begin);
}
