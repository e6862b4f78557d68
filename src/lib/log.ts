/** The levels in use: something to do, or a fault of ours; what may need attention; life. */
export type LogLevel = 'error' | 'warn' | 'info';

/** Where the control path reports; pino's calling convention, so its loggers fit. */
export interface ControlLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** Where the lines of the audit go, which no level leaves out; default: where all others go. */
  readonly audit?: ControlLog;
}

/**
 * Why something failed, as fields of a line: in words where the system or the disk refused something, which the
 * operator has to see to; with the stack where only a fault of ours explains it.
 */
export function whyFailed(error: unknown): { reason: string } | { err: unknown } {
  const isOfTheSystem = typeof (error as NodeJS.ErrnoException | undefined)?.errno === 'number';
  return isOfTheSystem ? { reason: (error as Error).message } : { err: error };
}

/** For who needs no log. */
export const noLog: ControlLog = { info: () => {}, warn: () => {}, error: () => {} };
