/** Starting threads of this build, and hearing of their death. */
import { Worker } from 'node:worker_threads';

/** `.ts` when sources run, `.js` when the build does: a thread starts the same kind of file as its parent. */
const EXTENSION = import.meta.url.slice(import.meta.url.lastIndexOf('.'));

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

/** Starts `./<file>.thread` with `data`; its first message means that it is ready. */
export function spawn(file: string, name: string, data: object, limits: ThreadLimits = {}): Thread {
  const worker = new Worker(new URL(`./${file}.thread${EXTENSION}`, import.meta.url), {
    name,
    workerData: data,
    resourceLimits: limits,
  });
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
    worker.once('message', () => resolve());
    void ended.then((error) => reject(error ?? new Error(`thread ${name} ended before it was ready`)));
  });
  return { name, worker, ready, ended };
}
