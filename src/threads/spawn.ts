/** Starting threads of this build, and hearing of their death. */
import { Worker } from 'node:worker_threads';
import { isReport } from '../ring/reports.ts';
import { threadFile } from './thread-file.ts';

/** What a thread says when it has loaded its code (when-told.ts). */
export const LOADED = 'loaded';

export interface Thread {
  readonly name: string;
  readonly worker: Worker;
  /** Resolves when its code is loaded and it waits for what to work on: until then it may fail for want of files. */
  readonly loaded: Promise<void>;
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
 * on (`begin`). Its first message says that it has loaded it; the next one, but for reports, that it is ready.
 */
export function spawn(folder: string, file: string, name: string, limits: ThreadLimits = {}): Thread {
  const worker = new Worker(threadFile(folder, file), { name, workerData: name, resourceLimits: limits });
  let failure: Error | undefined;
  const ended = new Promise<Error | undefined>((resolve) => {
    worker.once('error', (error) => {
      failure = new Error(`thread ${name} died: ${error.message}`, { cause: error });
    });
    worker.once('exit', (code) => {
      resolve(failure ?? (code === 0 ? undefined : new Error(`thread ${name} exited with code ${code}`)));
    });
  });
  const said = (wanted: (message: unknown) => boolean) => {
    const promise = new Promise<void>((resolve, reject) => {
      worker.on('message', (message: unknown) => {
        if (wanted(message)) resolve();
      });
      void ended.then((error) => reject(error ?? new Error(`thread ${name} ended before it was ready`)));
    });
    // It may die before anybody waits for it; who waits later still hears of it.
    promise.catch(() => {});
    return promise;
  };
  const loaded = said((message) => message === LOADED);
  const ready = said((message) => message !== LOADED && !isReport(message));
  return { name, worker, loaded, ready, ended };
}
