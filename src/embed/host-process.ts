/** The process that a broker lives in: what has to happen when it ends. */
import { runInThisContext } from 'node:vm';

/**
 * The real one. jest gives the modules that it loads a copy of `process`, on which nothing is ever emitted, and one of
 * stderr's place in its own output.
 */
export const hostProcess = runInThisContext('process') as NodeJS.Process;

/** Node's polyfill is missing in a context of jest's; the helpers of compilers look for the other name then. */
export const ASYNC_DISPOSE: typeof Symbol.asyncDispose =
  Symbol.asyncDispose ?? (Symbol.for('Symbol.asyncDispose') as typeof Symbol.asyncDispose);

export interface EndsWithProcess {
  /** Called for all first: what can go on in another thread begins here. */
  begin(): void;
  /** Then this, one after the other. The event loop does not turn any more. */
  finish(): void;
}

const living = new Set<EndsWithProcess>();

/** Until the result is called, `task` runs when the process (or this worker thread) exits, however it comes to that. */
export function atExit(task: EndsWithProcess): () => void {
  if (living.size === 0) hostProcess.on('exit', endAll);
  living.add(task);
  return () => {
    living.delete(task);
    if (living.size === 0) hostProcess.off('exit', endAll);
  };
}

function endAll(): void {
  for (const task of living) task.begin();
  for (const task of living) task.finish();
}
