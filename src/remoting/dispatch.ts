/** From a table of small handlers to the one handler that a server takes. */
import { ResponseCode } from '../protocol/codes.ts';
import { responseTo } from '../protocol/command.ts';
import type { ControlHandler } from './connection.ts';

export type HandlerTable = ReadonlyMap<number, ControlHandler>;

/** Codes that the table lacks are answered with REQUEST_CODE_NOT_SUPPORTED. */
export function dispatchByCode(table: HandlerTable): ControlHandler {
  return (request, connection) => {
    const handler = table.get(request.code) ?? refuseUnknownCode;
    return handler(request, connection);
  };
}

/** Worded as RocketMQ words it, leading space included. */
export const refuseUnknownCode: ControlHandler = (request) =>
  responseTo(request, ResponseCode.REQUEST_CODE_NOT_SUPPORTED, ` request type ${request.code} not supported`);
