/**
 * What a thread below control has to tell the operator: it has no log of its own, so it posts to control, which writes
 * the line. For news that comes seldom; a thread that parks can post as well, though it hears nothing.
 */
import { parentPort, type Worker } from 'node:worker_threads';
import type { ControlLog, LogLevel } from '../lib/log.ts';

interface Report {
  kind: 'report';
  level: LogLevel;
  fields: object;
  text: string;
  /** As many lines as there is time for: none is held back. */
  isSeldom: boolean;
}

export function isReport(message: unknown): message is Report {
  return typeof message === 'object' && message !== null && (message as Report).kind === 'report';
}

/** Posts a message to control. In the main thread, which has no parent, nobody hears it. */
export function tellControl<Message extends { kind: string }>(message: Message): void {
  parentPort?.postMessage(message);
}

/** Posts a line of the log, a warning if nothing else is said. */
export function report(fields: object, text: string, level: LogLevel = 'warn', isSeldom = false): void {
  const message: Report = { kind: 'report', level, fields, text, isSeldom };
  tellControl(message);
}

/** The log of a thread that has none. */
export const reportingLog: ControlLog = {
  info: (fields, text) => report(fields, text, 'info'),
  warn: (fields, text) => report(fields, text, 'warn'),
  error: (fields, text) => report(fields, text, 'error'),
};

/** The same, for lines that are bounded by the time of what they tell: control writes each. */
export const slowLog: Pick<ControlLog, 'warn'> = {
  warn: (fields, text) => report(fields, text, 'warn', true),
};

/** Writes what the thread reports: to `plain` what is bounded by itself, else to `log`. */
export function logReports(worker: Worker, name: string, log: ControlLog, plain: ControlLog = log): void {
  worker.on('message', (message: unknown) => {
    if (!isReport(message)) return;
    const to = message.isSeldom ? plain : log;
    to[message.level]({ thread: name, ...message.fields }, message.text);
  });
}
