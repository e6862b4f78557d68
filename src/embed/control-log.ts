/** The broker's log in its control thread: lines go to the host, which knows where to put them. */
import { inspect } from 'node:util';
import type { ControlLog } from '../lib/log.ts';
import type { ControlReport, LogLevel } from './messages.ts';

export function hostLog(report: (message: ControlReport) => void): ControlLog {
  const write = (level: LogLevel) => (fields: object, message: string) => {
    try {
      report({ kind: 'log', level, message, fields: textsOf(fields) });
    } catch {
      // Something in it cannot be posted.
      report({ kind: 'log', level, message, fields: { fields: inspect(fields) } });
    }
  };
  return { info: write('info'), warn: write('warn'), error: write('error') };
}

/** Errors as their stacks: one that is posted is no `Error` of the host's realm and lacks its fields. */
function textsOf(fields: object): object {
  const entries = Object.entries(fields).map(([name, value]) => [
    name,
    value instanceof Error ? inspect(value) : value,
  ]);
  return Object.fromEntries(entries);
}
