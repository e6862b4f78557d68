/** Requests that the broker sends to its clients. */
import { FLAG_ONEWAY, PROTOCOL_VERSION, type RemotingCommand, SERIALIZE_JSON } from '../protocol/command.ts';

let lastOpaque = 0;

/** JSON headers always: C++ clients understand nothing else (protocol trap T22). The fields are copied. */
export function newRequest(
  code: number,
  fields: Readonly<Record<string, string>>,
  body?: Uint8Array,
  flag = 0,
): RemotingCommand {
  lastOpaque = (lastOpaque + 1) | 0;
  return {
    code,
    language: 'JAVA',
    version: PROTOCOL_VERSION,
    opaque: lastOpaque,
    flag,
    remark: undefined,
    fields: Object.assign(Object.create(null) as Record<string, string>, fields),
    body,
    serializeType: SERIALIZE_JSON,
  };
}

export function newOnewayRequest(
  code: number,
  fields: Readonly<Record<string, string>>,
  body?: Uint8Array,
): RemotingCommand {
  return newRequest(code, fields, body, FLAG_ONEWAY);
}
