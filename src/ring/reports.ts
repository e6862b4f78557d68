/**
 * What a thread below control has to tell the operator: it has no log of its own, so it posts a line to control, which
 * writes it. For news that comes seldom; a thread in `Atomics.wait` can post as well, though it hears nothing.
 */
import { parentPort, type Worker } from 'node:worker_threads';
import type { ControlLog } from '../lib/log.ts';

interface Report {
  kind: 'report';
  fields: object;
  text: string;
}

export function isReport(message: unknown): message is Report {
  return typeof message === 'object' && message !== null && (message as Report).kind === 'report';
}

/** Posts a warning to control. In the main thread, which has no parent, nobody hears it. */
export function report(fields: object, text: string): void {
  const message: Report = { kind: 'report', fields, text };
  parentPort?.postMessage(message);
}

/** Writes what the thread reports to the log. */
export function logReports(worker: Worker, name: string, log: ControlLog): void {
  worker.on('message', (message: unknown) => {
    if (isReport(message)) log.warn({ thread: name, ...message.fields }, message.text);
  });
}
