/**
 * A remoting command as the control path sees it: header decoded to plain values, body as bytes.
 * (The data path never builds one; it reads frames in place, see `request-view.ts`.)
 * Format: RocketMQ RemotingCommand, JSON or ROCKETMQ binary header.
 */

export const SERIALIZE_JSON = 0;
export const SERIALIZE_BINARY = 1;

export const FLAG_RESPONSE = 1;
export const FLAG_ONEWAY = 2;

/** MQVersion ordinal of V5_5_0: what a 5.5.0 broker writes into every response. */
export const PROTOCOL_VERSION = 513;

export interface RemotingCommand {
  /** Request code, or response code when the response flag is set. */
  code: number;
  /** Client language by name as on the wire: JAVA, GO, CPP, … Any string is accepted. */
  language: string;
  version: number;
  /** Request number chosen by the asking side; a response repeats it. Signed int32. */
  opaque: number;
  flag: number;
  remark: string | undefined;
  /** Extension fields; every value is text on the wire. The object has no prototype. */
  fields: Record<string, string>;
  body: Uint8Array | undefined;
  /** Header format of the frame that this came from or shall become. */
  serializeType: number;
}

export function isResponse(command: RemotingCommand): boolean {
  return (command.flag & FLAG_RESPONSE) !== 0;
}

export function isOneway(command: RemotingCommand): boolean {
  return (command.flag & FLAG_ONEWAY) !== 0;
}

/** A response to `request`: same opaque and header format, response flag set, language JAVA as real brokers say. */
export function responseTo(
  request: Pick<RemotingCommand, 'opaque' | 'serializeType'>,
  code: number,
  remark?: string,
  fields: Record<string, string> = {},
  body?: Uint8Array,
): RemotingCommand {
  return {
    code,
    language: 'JAVA',
    version: PROTOCOL_VERSION,
    opaque: request.opaque,
    flag: FLAG_RESPONSE,
    remark,
    fields,
    body,
    serializeType: request.serializeType,
  };
}

/** A request of ours with a JSON header; the connection that sends it gives it its number. */
export function requestCommand(
  code: number,
  fields: Record<string, string> = {},
  body?: Uint8Array,
): RemotingCommand {
  return {
    code,
    language: 'JAVA',
    version: PROTOCOL_VERSION,
    opaque: 0,
    flag: 0,
    remark: undefined,
    fields,
    body,
    serializeType: SERIALIZE_JSON,
  };
}
