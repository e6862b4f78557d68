/** What the request handlers work on. */

import type { Clock } from '../lib/clock.ts';
import type { ControlLog } from '../lib/log.ts';
import { ResponseCode } from '../protocol/codes.ts';
import { type RemotingCommand, responseTo } from '../protocol/command.ts';
import { checkAnswerSize } from '../protocol/request-fields.ts';
import { type WriteOptions, writeRocketJson } from '../protocol/rocketmq-json.ts';
import type { ClientConnection, Reply } from '../remoting/connection.ts';
import type { NameServerConfig } from './config.ts';
import type { KvConfig } from './kv-config.ts';
import type { Routes } from './routes.ts';

export interface NameServerState {
  readonly routes: Routes;
  readonly kvConfig: KvConfig;
  readonly config: NameServerConfig;
  readonly clock: Clock;
  /** Monotonic time of the start, ms. */
  readonly startedAt: number;
  /** Bounded in what clients can have written to it. */
  readonly log: ControlLog;
  /** Settings have changed. */
  configured(): void;
}

export type NameServerHandler = (
  state: NameServerState,
  request: RemotingCommand,
  connection: ClientConnection,
) => Reply | Promise<Reply>;

/** Whether routes are given: the brokers have had time to register. */
export function isReady({ config, clock, startedAt }: NameServerState): boolean {
  return !config.needWaitForService || clock.monotonic() - startedAt >= config.waitSecondsForService * 1000;
}

export function success(request: RemotingCommand, fields: Record<string, string> = {}): RemotingCommand {
  return responseTo(request, ResponseCode.SUCCESS, undefined, fields);
}

/** Throws a RequestError when no frame holds the answer. */
export function successWithJson(
  request: RemotingCommand,
  value: unknown,
  options?: WriteOptions,
): RemotingCommand {
  const body = Buffer.from(writeRocketJson(value, options));
  checkAnswerSize(body.length);
  return responseTo(request, ResponseCode.SUCCESS, undefined, {}, body);
}
