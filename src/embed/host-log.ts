/** The log of an embedded broker in the host: to the program's own functions, or to stderr. */
import { inspect } from 'node:util';
import { hostProcess } from './host-process.ts';
import type { LogLevel } from './messages.ts';
import type { EmbeddedLog } from './options.ts';

export interface LogLine {
  level: LogLevel;
  message: string;
  fields: object;
}

export function writeLog(log: EmbeddedLog | undefined, { level, message, fields }: LogLine): void {
  if (log === 'silent') return;
  if (log !== undefined) {
    log[level]?.(message, fields);
    return;
  }
  if (level === 'info') return;
  const more = Object.keys(fields).length === 0 ? '' : ` ${inspect(fields)}`;
  hostProcess.stderr.write(`ringmq: ${message}${more}\n`);
}
