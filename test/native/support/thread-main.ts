import { parentPort } from 'node:worker_threads';
import { operations } from './operations.ts';

export interface Request {
  readonly operation: keyof typeof operations;
  readonly args: readonly unknown[];
}

parentPort?.on('message', ({ operation, args }: Request) => {
  const perform = operations[operation] as (...args: readonly unknown[]) => unknown;
  parentPort?.postMessage(perform(...args));
});
