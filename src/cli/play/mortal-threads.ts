/**
 * Of the broker that `ringmq play` starts: the process that started it may end one of its threads, and bound the size
 * of its files. Nobody else has a channel to it.
 */
import type { EngineThreads } from '../../threads/engine-threads.ts';

/** The thread of this name is to end where it is, as if it had died. */
export interface EndThread {
  endThread: string;
}

/**
 * Ends threads when it is told to. A write behind RLIMIT_FSIZE is to be an error, as one on a full disk is: by default
 * the signal that comes with it ends the process.
 */
export function letThreadsDie({ networks, workers }: EngineThreads): void {
  process.on('SIGXFSZ', () => {});
  process.on('message', ({ endThread }: EndThread) => {
    const thread = [...networks, ...workers].find(({ name }) => name === endThread);
    void thread?.worker.terminate();
  });
}
