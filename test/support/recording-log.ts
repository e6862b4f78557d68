// A log that remembers its lines.

import type { ControlLog, LogLevel } from '../../src/lib/log.ts';

export interface LoggedLine {
  level: LogLevel;
  message: string;
  fields: Record<string, unknown>;
}

export function recordingLog(): { log: ControlLog; lines: LoggedLine[] } {
  const lines: LoggedLine[] = [];
  return { log: logInto(lines), lines };
}

/** A log whose lines go to the end of `lines`. */
export function logInto(lines: LoggedLine[]): ControlLog {
  const at = (level: LogLevel) => (fields: object, message: string) =>
    void lines.push({ level, message, fields: fields as Record<string, unknown> });
  return { info: at('info'), warn: at('warn'), error: at('error') };
}
