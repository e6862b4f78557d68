/**
 * The log of a running process: one line per event on stderr, written at once. The libraries that give it its form are
 * loaded when the start is over, or when something must be told before: until then lines of everyday life are held.
 */
import { isatty } from 'node:tty';
import { systemClock } from '../lib/clock.ts';
import type { ControlLog, LogLevel } from '../lib/log.ts';
import { UserError } from '../lib/user-error.ts';
import { LogFile } from './log-file.ts';
import { type Line, type LineWriter, logForm, openForm, plainLine } from './log-form.ts';
import { rotationOf } from './log-rotation.ts';
import { StderrLines } from './stderr-lines.ts';

const STDERR = 2;
const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];
const SILENT = LEVELS.indexOf('silent');
/** A start that takes longer has something to wait for, and whoever waits wants to read what. */
const HOLD_MS = 2_000;

export interface ServerLog extends ControlLog {
  /** Writes what is held, and from now on every line at once. */
  open(): void;
  /** From now on; `''` = as RINGMQ_LOG_LEVEL says. */
  setLevel(level: LogLevel | ''): void;
  /** Whether lines of the audit are written; at the start they are. */
  setAudit(isOn: boolean): void;
}

export interface LoggerParts {
  env: NodeJS.ProcessEnv;
  isTerminal: boolean;
  now: () => number;
  /** False when the line was lost. */
  write: (text: string) => boolean;
  openForm: typeof openForm;
  /** Runs a task when the process ends. */
  atExit: (task: () => void) => void;
}

/** Throws a UserError for a level or form that there is not. */
export function createLogger(parts: LoggerParts = ofProcess()): ServerLog {
  const log = new HeldLog(parts);
  parts.atExit(() => log.open());
  return log;
}

function ofProcess(): LoggerParts {
  const file = process.env['RINGMQ_LOG_FILE'] || undefined;
  const lines = file === undefined ? new StderrLines() : logFile(file);
  return {
    env: process.env,
    isTerminal: file === undefined && isatty(STDERR),
    now: systemClock.now,
    write: (text) => lines.write(text),
    openForm,
    // That comes also after an error that nobody has caught.
    atExit: (task) => void process.once('exit', task),
  };
}

function logFile(path: string): LogFile {
  const file = new LogFile(path, systemClock.monotonic, rotationOf(process.env));
  process.on('SIGUSR2', () => file.reopen());
  return file;
}

class HeldLog implements ServerLog {
  readonly #parts: LoggerParts;
  readonly #form: ReturnType<typeof logForm>;
  readonly #ofEnvironment: number;
  #threshold: number;
  #audits = true;
  #held: (Line & { isAudit: boolean })[] | undefined = [];
  #writer: LineWriter | undefined;
  /** Lines that stderr has not taken since the last one that it took. */
  #lost = 0;
  readonly audit: ControlLog = {
    info: (fields, message) => this.#take('info', fields, message, true),
    warn: (fields, message) => this.#take('warn', fields, message, true),
    error: (fields, message) => this.#take('error', fields, message, true),
  };

  constructor(parts: LoggerParts) {
    this.#parts = parts;
    const level = parts.env['RINGMQ_LOG_LEVEL'] || 'info';
    this.#ofEnvironment = LEVELS.indexOf(level.toLowerCase());
    this.#threshold = this.#ofEnvironment;
    if (this.#threshold < 0) {
      throw new UserError(`RINGMQ_LOG_LEVEL=${level}: allowed are ${LEVELS.join(', ')}.`);
    }
    this.#form = logForm(parts.env, parts.isTerminal);
  }

  info(fields: object, message: string): void {
    this.#take('info', fields, message);
  }

  warn(fields: object, message: string): void {
    this.#take('warn', fields, message);
  }

  error(fields: object, message: string): void {
    this.#take('error', fields, message);
  }

  open(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const line of held) if (this.#isWanted(line.level, line.isAudit)) this.#write(line);
  }

  #take(level: LogLevel, fields: object, message: string, isAudit = false): void {
    if (!this.#isWanted(level, isAudit)) return;
    const line = { level, time: this.#parts.now(), fields, message, isAudit };
    if (this.#held !== undefined && level === 'info' && this.#mayWait(line)) {
      this.#held.push(line);
      return;
    }
    this.open();
    this.#write(line);
  }

  setLevel(level: LogLevel | ''): void {
    this.#threshold = level === '' ? this.#ofEnvironment : LEVELS.indexOf(level);
  }

  setAudit(isOn: boolean): void {
    this.#audits = isOn;
  }

  /** Whoever wants fewer lines wants to know no less who has changed what. */
  #isWanted(level: LogLevel, isAudit: boolean): boolean {
    if (isAudit) return this.#audits && this.#threshold < SILENT;
    return LEVELS.indexOf(level) >= this.#threshold;
  }

  #mayWait({ time }: Line): boolean {
    const first = this.#held?.[0];
    return first === undefined || Math.abs(time - first.time) < HOLD_MS;
  }

  #write(line: Line): void {
    try {
      this.#writer ??= this.#parts.openForm(this.#form, (text) => this.#put(text, line.time));
    } catch {
      // The first line may be about the want of descriptors, for which nothing can be loaded either.
      this.#put(plainLine(line), line.time);
      return;
    }
    this.#writer(line);
  }

  #put(text: string, time: number): void {
    if (this.#lost > 0 && !this.#parts.write(this.#lostLine(time))) {
      this.#lost += 1;
      return;
    }
    this.#lost = this.#parts.write(text) ? 0 : 1;
  }

  #lostLine(time: number): string {
    const fields = { lines: this.#lost };
    return plainLine({
      level: 'warn',
      time,
      fields,
      message: 'lines of this log were lost: they could not be written',
    });
  }
}
