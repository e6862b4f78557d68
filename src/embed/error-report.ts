/**
 * Errors on their way from the broker's threads to the host. Posted as they are they would arrive without their own
 * fields, and, where the host's code runs in a context of its own (jest), as errors that are no `Error` there.
 */
import { RingMQError, type RingMQErrorCode } from './error.ts';

export interface ErrorReport {
  code: RingMQErrorCode;
  message: string;
  cause?: CauseReport;
}

interface CauseReport {
  name: string;
  message: string;
  stack: string | undefined;
  /** `code`, `errno`, `syscall`, `address`, `port`, `path`, … of a system error. */
  fields: Record<string, string | number>;
  cause?: CauseReport;
}

export function reportOf(code: RingMQErrorCode, message: string, cause: unknown): ErrorReport {
  return isErrorLike(cause) ? { code, message, cause: causeReport(cause) } : { code, message };
}

/** In the host: the error to throw. */
export function errorOf({ code, message, cause }: ErrorReport): RingMQError {
  return new RingMQError(code, message, cause === undefined ? {} : { cause: causeOf(cause) });
}

/** The host's own error for one that another thread has thrown. */
export function diedOf(thrown: unknown): RingMQError {
  const error = isErrorLike(thrown) ? thrown : new Error(String(thrown));
  return errorOf({
    code: 'RINGMQ_DIED',
    message: `the embedded broker died: ${error.message}`,
    cause: causeReport(error),
  });
}

function isErrorLike(thrown: unknown): thrown is Error {
  return typeof thrown === 'object' && thrown !== null && 'message' in thrown;
}

function causeReport(error: Error): CauseReport {
  const { name, message, stack, cause } = error;
  const own = Object.entries(error).filter(
    (field): field is [string, string | number] =>
      typeof field[1] === 'string' || typeof field[1] === 'number',
  );
  const report = { name, message, stack, fields: Object.fromEntries(own) };
  return isErrorLike(cause) ? { ...report, cause: causeReport(cause) } : report;
}

function causeOf({ name, message, stack, fields, cause }: CauseReport): Error {
  const error = new Error(message, cause === undefined ? {} : { cause: causeOf(cause) });
  Object.assign(error, fields);
  Object.defineProperty(error, 'name', { value: name, configurable: true, writable: true });
  if (stack !== undefined) error.stack = stack;
  return error;
}
