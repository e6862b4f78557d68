/**
 * Whole frames to commands and back, for the control path.
 *
 * ```
 * | 4: length of all that follows | 1: serialize type | 3: header length | header | body |
 *                                 ^ a frame as decodeCommand() takes it starts here
 * ```
 */
import { limitRemark, MAX_FRAME_BYTES, MAX_REMARK_BYTES } from '../lib/limits.ts';
import { cutToUtf8 } from '../lib/utf8.ts';
import { type CommandHeader, decodeBinaryHeader, encodeBinaryHeader } from './binary-header.ts';
import { ResponseCode } from './codes.ts';
import { type RemotingCommand, responseTo, SERIALIZE_BINARY, SERIALIZE_JSON } from './command.ts';
import { ProtocolError } from './errors.ts';
import { decodeJsonHeader, encodeJsonHeader } from './json-header.ts';

export const LENGTH_BYTES = 4;
/** Serialize type and header length. */
export const HEADER_WORD_BYTES = 4;
/** What the three bytes of its length can say. */
const LONGEST_HEADER = 0xff_ff_ff;

/**
 * The whole frame, length field included, in the header format that `command.serializeType` names. A remark of more
 * than MAX_REMARK_BYTES is cut: remarks quote what clients send.
 * Throws a ProtocolError for what no frame can hold, above all for more than MAX_FRAME_BYTES.
 */
export function encodeCommand(command: RemotingCommand): Buffer {
  const header = encodeHeader(command);
  const bodyLength = command.body?.length ?? 0;
  const headerEnd = LENGTH_BYTES + HEADER_WORD_BYTES + header.length;
  const frameLength = headerEnd + bodyLength;
  if (frameLength > MAX_FRAME_BYTES || header.length > LONGEST_HEADER) {
    throw new ProtocolError('LENGTH', limitRemark('bytes of a frame', MAX_FRAME_BYTES, 'MAX_FRAME_BYTES'));
  }
  const frame = Buffer.allocUnsafe(frameLength);
  frame.writeInt32BE(frameLength - LENGTH_BYTES, 0);
  frame.writeUInt8(command.serializeType, LENGTH_BYTES);
  frame.writeUIntBE(header.length, LENGTH_BYTES + 1, 3);
  frame.set(header, LENGTH_BYTES + HEADER_WORD_BYTES);
  if (command.body !== undefined) frame.set(command.body, headerEnd);
  return frame;
}

/**
 * As encodeCommand(), for answers, and never throws: one that fits no frame becomes SYSTEM_ERROR with a remark that
 * says so. What an answer holds depends on what clients have put into the tables it is made from.
 */
export function encodeAnswer(answer: RemotingCommand): Buffer {
  try {
    return encodeCommand(answer);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return encodeCommand(responseTo(answer, ResponseCode.SYSTEM_ERROR, `no answer: ${reason}`));
  }
}

function encodeHeader(command: RemotingCommand): Buffer {
  const { remark } = command;
  const cut = remark === undefined ? undefined : cutToUtf8(remark, MAX_REMARK_BYTES);
  const bounded = cut === remark ? command : { ...command, remark: cut };
  return command.serializeType === SERIALIZE_BINARY ? encodeBinaryHeader(bounded) : encodeJsonHeader(bounded);
}

/**
 * Reads a frame WITHOUT its 4-byte length. The body is a view of `frame`, or undefined when it has no bytes.
 * Throws a ProtocolError for anything that is not a command.
 */
export function decodeCommand(frame: Uint8Array): RemotingCommand {
  const bytes = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength);
  if (bytes.length < HEADER_WORD_BYTES) {
    throw new ProtocolError('LENGTH', `frame of ${bytes.length} bytes has no header length`);
  }
  const serializeType = bytes.readUInt8(0);
  const headerEnd = HEADER_WORD_BYTES + bytes.readUIntBE(1, 3);
  if (headerEnd > bytes.length) {
    throw new ProtocolError('LENGTH', `header ends at ${headerEnd} in a frame of ${bytes.length} bytes`);
  }
  const header = bytes.subarray(HEADER_WORD_BYTES, headerEnd);
  const body = headerEnd < bytes.length ? frame.subarray(headerEnd) : undefined;
  if (serializeType === SERIALIZE_JSON) return commandOf(decodeJsonHeader(header), body, serializeType);
  if (serializeType === SERIALIZE_BINARY) return commandOf(decodeBinaryHeader(header), body, serializeType);
  throw new ProtocolError('SERIALIZE_TYPE', `unknown serialize type ${serializeType}`);
}

/** Field by field: V8 takes a microsecond for each that a literal adds to what it spreads. */
function commandOf(
  { code, language, version, opaque, flag, remark, fields }: CommandHeader,
  body: Uint8Array | undefined,
  serializeType: number,
): RemotingCommand {
  return { code, language, version, opaque, flag, remark, fields, body, serializeType };
}
