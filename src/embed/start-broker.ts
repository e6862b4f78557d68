/**
 * A RocketMQ inside any Node program: name server and broker in threads of their own. The control path too runs in a
 * worker, so a blocked event loop, a breakpoint or fake timers of the host do not stop the broker.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { threadFile } from '../threads/thread-file.ts';
import type { EmbeddedBroker, EmbeddedBrokerOptions, EmbeddedReport, EmbeddedStart } from './options.ts';

/** Starts a broker; resolves when clients can use it. Several may run in one process. */
export async function startBroker(options: EmbeddedBrokerOptions = {}): Promise<EmbeddedBroker> {
  const temporary = options.store === undefined;
  const store = options.store ?? mkdtempSync(join(tmpdir(), 'ringmq-'));
  const start: EmbeddedStart = { store, temporary, options };
  const worker = new Worker(threadFile('embed', 'control'), {
    name: 'ringmq-control',
    workerData: start,
  });
  try {
    return await whenReady(worker, store, temporary);
  } catch (error) {
    await worker.terminate();
    if (temporary) rmSync(store, { recursive: true, force: true });
    throw error;
  }
}

function whenReady(worker: Worker, store: string, temporary: boolean): Promise<EmbeddedBroker> {
  return new Promise((resolve, reject) => {
    let closing: Promise<void> | undefined;
    let died: (error: Error) => void = () => {};
    const death = new Promise<Error>((resolveDeath) => {
      died = resolveDeath;
    });
    worker.once('error', (error) => {
      reject(error);
      died(new Error(`the embedded broker died: ${error.message}`, { cause: error }));
    });
    worker.once('exit', () => {
      const error = new Error('the embedded broker ended');
      reject(error);
      if (closing === undefined) died(error);
    });
    worker.on('message', (report: EmbeddedReport) => {
      if (report.kind === 'failed') reject(new Error(report.message));
      if (report.kind === 'died') died(new Error(report.message));
      if (report.kind !== 'ready') return;
      const { nameServer, broker } = report;
      const close = () => {
        closing ??= closeWorker(worker, store, temporary);
        return closing;
      };
      resolve({ nameServer, broker, store, died: death, close });
    });
  });
}

async function closeWorker(worker: Worker, store: string, temporary: boolean): Promise<void> {
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  worker.postMessage('close');
  await ended;
  if (temporary) rmSync(store, { recursive: true, force: true });
}
