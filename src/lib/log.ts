/** The levels in use: something to do, or a fault of ours; what may need attention; life. */
export type LogLevel = 'error' | 'warn' | 'info';

/** Where the control path reports; pino's calling convention, so its loggers fit. */
export interface ControlLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** For who needs no log. */
export const noLog: ControlLog = { info: () => {}, warn: () => {}, error: () => {} };
