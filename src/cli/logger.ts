/**
 * The log of a running process: one JSON line per event on stderr, level by RINGMQ_LOG_LEVEL. pino is loaded with the
 * first line that is really written, so quiet commands do not wait for it.
 */
import { writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Logger } from 'pino';
import { systemClock } from '../lib/clock.ts';
import type { ControlLog } from '../lib/log.ts';
import { UserError } from '../lib/user-error.ts';

const STDERR = 2;
const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

const PINO_LEVELS = { info: 30, warn: 40, error: 50 };

export function createLogger(
  level = process.env['RINGMQ_LOG_LEVEL'] ?? 'info',
  open: (level: string) => Logger = openPino,
): ControlLog {
  const threshold = LEVELS.indexOf(level);
  if (threshold < 0) throw new UserError(`RINGMQ_LOG_LEVEL=${level}: allowed are ${LEVELS.join(', ')}.`);
  let logger: Logger | undefined;
  const write = (at: 'info' | 'warn' | 'error', fields: object, message: string): void => {
    if (LEVELS.indexOf(at) < threshold) return;
    try {
      logger ??= open(level);
    } catch {
      // The first line may be about the want of descriptors, for which pino cannot be loaded either.
      writeSync(STDERR, plainLine(at, fields, message));
      return;
    }
    logger[at](fields, message);
  };
  return {
    info: (fields, message) => write('info', fields, message),
    warn: (fields, message) => write('warn', fields, message),
    error: (fields, message) => write('error', fields, message),
  };
}

/** The line as pino would write it. */
function plainLine(at: keyof typeof PINO_LEVELS, fields: object, message: string): string {
  const text = (_: string, value: unknown) =>
    value instanceof Error ? { message: value.message, stack: value.stack } : value;
  const line = { level: PINO_LEVELS[at], time: systemClock.now(), pid: process.pid, ...fields, msg: message };
  return `${JSON.stringify(line, text)}\n`;
}

/** Written synchronously: the last lines before an exit are the ones that matter. */
function openPino(level: string): Logger {
  const pino = createRequire(import.meta.url)('pino') as typeof import('pino').pino;
  return pino({ level, base: { pid: process.pid } }, pino.destination({ fd: STDERR, sync: true }));
}
