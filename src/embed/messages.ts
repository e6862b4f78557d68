/** What the host and the control thread of an embedded broker say to each other. */
import type { EngineLayout } from '../threads/engine-layout.ts';
import type { ErrorReport } from './error-report.ts';
import type { CheckedBrokerOptions } from './options.ts';

/** The control thread is started with it. */
export interface EmbeddedStart {
  store: string;
  temporary: boolean;
  /** Without what cannot be posted. */
  options: Omit<CheckedBrokerOptions, 'log'>;
  /** One word that says where the broker is: `STARTING`, `SERVING` or `ENDED`. */
  state: SharedArrayBuffer;
}

export const STARTING = 0;
export const SERVING = 1;
export const ENDED = 2;

export type HostRequest =
  | { kind: 'close' }
  | { kind: 'createTopic'; id: number; name: string; queues: number };

export type LogLevel = 'info' | 'warn' | 'error';

export type ControlReport =
  | { kind: 'ready'; nameServer: string; broker: string }
  | { kind: 'failed'; error: ErrorReport }
  | { kind: 'died'; error: ErrorReport }
  | { kind: 'topic'; id: number; error?: ErrorReport }
  | { kind: 'log'; level: LogLevel; message: string; fields: object };

/** Which threads an embedded broker has below control: as few as possible. */
export function threadsOf(options: { networkThreads?: number }): {
  networkThreads: number;
  engineLayout: EngineLayout;
} {
  const networkThreads = options.networkThreads ?? 1;
  return { networkThreads, engineLayout: networkThreads === 1 ? 'inline' : 'paired' };
}
