/**
 * A request that could not be carried out, for the log. What a client did wrong it is told, and nothing is wrong here;
 * what the disk or the system refuses is the operator's; what only a fault of ours explains comes with its stack.
 */
import type { ControlLog } from '../lib/log.ts';
import type { Asker } from '../metadata/config-table.ts';
import { ProtocolError } from '../protocol/errors.ts';
import { RequestError } from '../protocol/request-fields.ts';
import { Unreadable } from '../store/disk/errors.ts';

export function isClientsMistake(error: unknown): error is RequestError | ProtocolError {
  return error instanceof RequestError || error instanceof ProtocolError;
}

export function logFailure(log: ControlLog, error: unknown, by: Asker): void {
  if (isClientsMistake(error)) return;
  const reason = error instanceof Error ? error.message : String(error);
  if (isOfTheSystem(error)) {
    log.error({ ...by, reason }, 'a request failed: the disk or the system refused something');
  } else if (isPlain(error)) {
    log.warn({ ...by, reason }, 'a request was not carried out');
  } else {
    log.error({ ...by, err: error }, 'a request failed in an unexpected way');
  }
}

function isOfTheSystem(error: unknown): boolean {
  return error instanceof Unreadable || typeof (error as NodeJS.ErrnoException)?.errno === 'number';
}

/** Thrown on purpose, with a sentence: a broker that stops, a wait that has lasted too long. */
function isPlain(error: unknown): boolean {
  return error instanceof Error && error.constructor === Error;
}
