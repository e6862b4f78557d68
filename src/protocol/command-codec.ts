/**
 * Whole frames to commands and back, for the control path.
 *
 * ```
 * | 4: length of all that follows | 1: serialize type | 3: header length | header | body |
 *                                 ^ a frame as decodeCommand() takes it starts here
 * ```
 */
import { MAX_FRAME_BYTES } from '../lib/limits.ts';
import { decodeBinaryHeader, encodeBinaryHeader } from './binary-header.ts';
import { type RemotingCommand, SERIALIZE_BINARY, SERIALIZE_JSON } from './command.ts';
import { ProtocolError } from './errors.ts';
import { decodeJsonHeader, encodeJsonHeader } from './json-header.ts';

export const LENGTH_BYTES = 4;
const HEADER_WORD_BYTES = 4;
const MAX_HEADER_BYTES = 0xff_ff_ff;

/**
 * The whole frame, length field included, in the header format that `command.serializeType` names.
 * Throws a ProtocolError for what no frame can hold, above all for more than MAX_FRAME_BYTES.
 */
export function encodeCommand(command: RemotingCommand): Buffer {
  const header =
    command.serializeType === SERIALIZE_BINARY ? encodeBinaryHeader(command) : encodeJsonHeader(command);
  const bodyLength = command.body?.length ?? 0;
  const headerEnd = LENGTH_BYTES + HEADER_WORD_BYTES + header.length;
  const frameLength = headerEnd + bodyLength;
  if (frameLength > MAX_FRAME_BYTES || header.length > MAX_HEADER_BYTES) {
    throw new ProtocolError('LENGTH', `frame of ${frameLength} bytes exceeds ${MAX_FRAME_BYTES}`);
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
  if (serializeType === SERIALIZE_JSON) return { ...decodeJsonHeader(header), body, serializeType };
  if (serializeType === SERIALIZE_BINARY) return { ...decodeBinaryHeader(header), body, serializeType };
  throw new ProtocolError('SERIALIZE_TYPE', `unknown serialize type ${serializeType}`);
}
