/** The two forms of a log line: JSON for programs, and text for people at a terminal. */
import { createRequire } from 'node:module';
import type { Logger } from 'pino';
import type { LogLevel } from '../lib/log.ts';
import { UserError } from '../lib/user-error.ts';
import { visibleJson, visibleLine } from '../lib/visible.ts';

export interface Line {
  level: LogLevel;
  /** Ms since the epoch. */
  time: number;
  fields: object;
  message: string;
}

export interface LogForm {
  form: 'json' | 'text';
  colours: boolean;
}

/** Writes the lines that it is given; `write` takes text that ends in a line feed. */
export type LineWriter = (line: Line) => void;

const FORMS = ['json', 'text'];
const TIME = 'SYS:yyyy-mm-dd HH:MM:ss.l';

/** As RINGMQ_LOG_FORMAT says, else text for a terminal. NO_COLOR is the convention of no-color.org. */
export function logForm(env: NodeJS.ProcessEnv, isTerminal: boolean): LogForm {
  const given = env['RINGMQ_LOG_FORMAT'] ?? '';
  const wanted = given.toLowerCase();
  if (wanted !== '' && !FORMS.includes(wanted)) {
    throw new UserError(`RINGMQ_LOG_FORMAT=${given}: allowed are ${FORMS.join(' and ')}.`);
  }
  const form = (wanted === '' ? isTerminal : wanted === 'text') ? 'text' : 'json';
  const isPlain = (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb';
  return { form, colours: isTerminal && !isPlain };
}

/** Loads pino, and pino-pretty for text: 15 ms each, which no start waits for. Throws when that fails. */
export function openForm({ form, colours }: LogForm, write: (text: string) => void): LineWriter {
  const require = createRequire(import.meta.url);
  const pino = require('pino') as typeof import('pino').pino;
  const toText = form === 'json' ? (line: string) => line : prettifier(require, colours);
  let now = 0;
  const logger: Logger = pino(
    {
      // Thresholds are the caller's.
      level: 'info',
      base: { pid: process.pid },
      formatters: { level: (level) => ({ level }) },
      timestamp: () => `,"time":"${new Date(now).toISOString()}"`,
    },
    { write: (line: string) => write(toText(line)) },
  );
  return ({ level, time, fields, message }) => {
    now = time;
    // Sentences quote what clients sent.
    logger[level](fields, form === 'text' ? visibleLine(message) : message);
  };
}

function prettifier(require: NodeJS.Require, colorize: boolean): (line: string) => string {
  const { prettyFactory } = require('pino-pretty') as typeof import('pino-pretty');
  const pretty = prettyFactory({ colorize, singleLine: true, translateTime: TIME });
  // Fields are JSON, which leaves these as they are; some terminals obey them.
  return (line) => visibleJson(pretty(line));
}

/** The line as pino would write it, for when it cannot be loaded. */
export function plainLine({ level, time, fields, message }: Line): string {
  const text = (_: string, value: unknown) =>
    value instanceof Error ? { type: value.name, message: value.message, stack: value.stack } : value;
  const line = { level, time: new Date(time).toISOString(), pid: process.pid, ...fields, msg: message };
  return `${JSON.stringify(line, text)}\n`;
}
