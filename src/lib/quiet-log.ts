/**
 * Log lines that clients can provoke: the first of a kind are written at once, the others of the next ten seconds are
 * counted and summed up in one line. So neither the number nor the length of what clients send can fill a disk.
 */
import { quote } from './quote.ts';
import type { Timers } from './timers.ts';

/** Where lines go; pino's calling convention. */
export interface LogLines {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

type Level = keyof LogLines;

/** A kind of line that was written less than a window ago. */
interface Kind {
  level: Level;
  message: string;
  /** Fields of the first line that was held back. */
  fields: object;
  /** Lines written and held back in this window. */
  written: number;
  count: number;
}

const WINDOW_MS = 10_000;
/** Lines of everyday life (info) that an operator can read one by one: topics, groups and clients that come and go. */
export const LIFE_LINES = 20;
/** Lines of the audit (remoting/audit.ts): scripts make many topics, and each is to be told of. */
export const AUDIT_LINES = 200;
/** Kinds come from the code, not from clients; should a caller get that wrong, the rest share one. */
const MAX_KINDS = 256;
const OTHERS = 'other lines';
/** Longest text in a field, in characters. */
const MAX_TEXT = 512;
const MAX_FIELDS = 16;

/**
 * Takes the place of the log it wraps. The kind of a line is its message, so a message that quotes something needs a
 * `kind` of its own. A summary is the first line held back, with `repeated`: how many lines it stands for.
 */
export class QuietLog implements LogLines {
  readonly #log: LogLines;
  readonly #timers: Timers;
  readonly #infoLines: number;
  readonly #kinds = new Map<string, Kind>();

  /** `infoLines`: of level info so many of a kind are written at once; of the others, one. */
  constructor(log: LogLines, timers: Timers, infoLines = 1) {
    this.#log = log;
    this.#timers = timers;
    this.#infoLines = infoLines;
  }

  info(fields: object, message: string, kind = message): void {
    this.#write('info', fields, message, kind);
  }

  warn(fields: object, message: string, kind = message): void {
    this.#write('warn', fields, message, kind);
  }

  error(fields: object, message: string, kind = message): void {
    this.#write('error', fields, message, kind);
  }

  /** Writes what is held back. To be called when the process ends. */
  flush(): void {
    for (const kind of this.#kinds.values()) this.#sumUp(kind);
  }

  #write(level: Level, fields: object, message: string, name: string): void {
    const key = this.#kinds.size < MAX_KINDS || this.#kinds.has(name) ? name : OTHERS;
    const known = this.#kinds.get(key);
    const atOnce = level === 'info' && key === name ? this.#infoLines : 1;
    if (known !== undefined && known.written < atOnce) {
      known.written += 1;
      this.#log[level](bounded(fields), quote(message, MAX_TEXT));
      return;
    }
    if (known !== undefined) {
      known.count += 1;
      // The texts are cut now: what is held back must not keep a frame alive.
      if (known.count === 1)
        Object.assign(known, { level, message: quote(message, MAX_TEXT), fields: bounded(fields) });
      return;
    }
    this.#kinds.set(key, { level, message, fields: {}, written: 1, count: 0 });
    this.#log[level](bounded(fields), quote(message, MAX_TEXT));
    this.#endWindowLater(key);
  }

  #endWindowLater(key: string): void {
    this.#timers.after(WINDOW_MS, () => {
      const kind = this.#kinds.get(key);
      if (kind === undefined) return;
      if (kind.count === 0) this.#kinds.delete(key);
      else {
        this.#sumUp(kind);
        this.#endWindowLater(key);
      }
    });
  }

  #sumUp(kind: Kind): void {
    if (kind.count === 0) return;
    this.#log[kind.level]({ ...kind.fields, repeated: kind.count }, kind.message);
    kind.written = 1;
    kind.count = 0;
    kind.fields = {};
  }
}

/** The fields with their texts cut; errors as pino shows them, other objects as JSON text. */
function bounded(fields: object): object {
  return Object.fromEntries(
    Object.entries(fields)
      .slice(0, MAX_FIELDS)
      .map(([name, value]) => [name, boundedValue(value)]),
  );
}

function boundedValue(value: unknown): unknown {
  if (typeof value === 'string') return quote(value, MAX_TEXT);
  if (value instanceof Error) {
    const stack = quote(value.stack ?? '', 4 * MAX_TEXT);
    return { type: value.name, message: quote(value.message, MAX_TEXT), stack };
  }
  if (typeof value !== 'object' || value === null) return value;
  return quote(
    JSON.stringify(value, (_, member) => (typeof member === 'bigint' ? String(member) : member)),
    MAX_TEXT,
  );
}
