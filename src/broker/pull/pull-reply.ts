/** Answers to pulls: a header from byte templates, then the stored records themselves. */
import { writeBytes, writeDecimal } from '../../lib/digits.ts';
import type { Connection } from '../../net/connection.ts';
import {
  CODE_OFFSET,
  encodeBinaryHeader,
  OPAQUE_OFFSET,
  REMARK_OFFSET,
} from '../../protocol/binary-header.ts';
import { PROTOCOL_VERSION, responseTo, SERIALIZE_BINARY } from '../../protocol/command.ts';
import { HEADER_WORD_BYTES, LENGTH_BYTES } from '../../protocol/command-codec.ts';
import { type PullReader, STATUS_NAMES } from '../../store/read/pull-reader.ts';

/** Everything of a header; its numbers have at most 16 digits. */
const HEADER_ROOM = 512;
const HEADER_AT = LENGTH_BYTES + HEADER_WORD_BYTES;

// A JSON header in pieces, between which the numbers go.
const CODE = Buffer.from('{"code":');
const MAX_OFFSET = Buffer.from(',"extFields":{"groupSysFlag":"0","maxOffset":"');
const MIN_OFFSET = Buffer.from('","minOffset":"');
const NEXT_OFFSET = Buffer.from('","nextBeginOffset":"');
const BROKER_ID = Buffer.from('","offsetDelta":"0","suggestWhichBrokerId":"');
const OPAQUE = Buffer.from('","topicSysFlag":"0"},"flag":1,"language":"JAVA","opaque":');
const ENDS = STATUS_NAMES.map((remark) =>
  Buffer.from(`,"remark":"${remark}","serializeTypeCurrentRPC":"JSON","version":${PROTOCOL_VERSION}}`),
);

/** A binary header in pieces; each but the last ends with the four bytes for the length of the number that follows. */
interface BinaryPieces {
  /** Where in the first piece the length of all fields goes. */
  fieldsLength: number;
  maxOffset: Uint8Array;
  minOffset: Uint8Array;
  nextOffset: Uint8Array;
  brokerId: Uint8Array;
  end: Uint8Array;
}

const BINARY = STATUS_NAMES.map(binaryPieces);

function binaryPieces(remark: string): BinaryPieces {
  const fields = {
    groupSysFlag: '0',
    maxOffset: '',
    minOffset: '',
    nextBeginOffset: '',
    offsetDelta: '0',
    suggestWhichBrokerId: '',
    topicSysFlag: '0',
  };
  const answer = responseTo({ opaque: 0, serializeType: SERIALIZE_BINARY }, 0, remark, fields);
  const header = encodeBinaryHeader(answer);
  let from = 0;
  const upTo = (name: keyof typeof fields) => {
    const piece = header.subarray(from, header.indexOf(name) + name.length + 4);
    from += piece.length;
    return piece;
  };
  return {
    fieldsLength: REMARK_OFFSET + 4 + remark.length,
    maxOffset: upTo('maxOffset'),
    minOffset: upTo('minOffset'),
    nextOffset: upTo('nextBeginOffset'),
    brokerId: upTo('suggestWhichBrokerId'),
    end: header.subarray(from),
  };
}

export interface PullAnswer {
  opaque: number;
  serializeType: number;
  code: number;
  /** Status of the read; its name is the remark. */
  status: number;
  nextBeginOffset: number;
  minOffset: number;
  maxOffset: number;
  suggestedBrokerId: number;
}

/**
 * Writes the answer to the connection's output, with the reader's messages as body when `reader` is given. False, with
 * nothing written, when a file of the log has gone meanwhile.
 */
export function writePullAnswer(connection: Connection, answer: PullAnswer, reader?: PullReader): boolean {
  const bodyLength = reader?.totalBytes ?? 0;
  const start = connection.reserve(HEADER_ROOM + bodyLength);
  const out = connection.output;
  const headerAt = start + HEADER_AT;
  const binary = answer.serializeType === SERIALIZE_BINARY;
  const at = binary ? writeBinaryHeader(out, headerAt, answer) : writeJsonHeader(out, headerAt, answer);
  if (reader !== undefined && !reader.copyTo(out, at)) {
    connection.trim(start);
    return false;
  }
  out.writeInt32BE(at - start - LENGTH_BYTES + bodyLength, start);
  out.writeInt32BE((answer.serializeType << 24) | (at - headerAt), start + LENGTH_BYTES);
  connection.trim(at + bodyLength);
  return true;
}

/** Returns the offset behind the header, which begins at `from`. */
function writeJsonHeader(out: Buffer, from: number, answer: PullAnswer): number {
  let at = writeBytes(out, from, CODE);
  at = writeDecimal(out, at, answer.code);
  at = writeBytes(out, at, MAX_OFFSET);
  at = writeDecimal(out, at, answer.maxOffset);
  at = writeBytes(out, at, MIN_OFFSET);
  at = writeDecimal(out, at, answer.minOffset);
  at = writeBytes(out, at, NEXT_OFFSET);
  at = writeDecimal(out, at, answer.nextBeginOffset);
  at = writeBytes(out, at, BROKER_ID);
  at = writeDecimal(out, at, answer.suggestedBrokerId);
  at = writeBytes(out, at, OPAQUE);
  at = writeDecimal(out, at, answer.opaque);
  return writeBytes(out, at, ENDS[answer.status] as Uint8Array);
}

/** Same. */
function writeBinaryHeader(out: Buffer, from: number, answer: PullAnswer): number {
  const pieces = BINARY[answer.status] as BinaryPieces;
  let at = writeNumber(out, from, pieces.maxOffset, answer.maxOffset);
  at = writeNumber(out, at, pieces.minOffset, answer.minOffset);
  at = writeNumber(out, at, pieces.nextOffset, answer.nextBeginOffset);
  at = writeNumber(out, at, pieces.brokerId, answer.suggestedBrokerId);
  at = writeBytes(out, at, pieces.end);
  const fieldsAt = from + pieces.fieldsLength;
  out.writeInt16BE(answer.code, from + CODE_OFFSET);
  out.writeInt32BE(answer.opaque, from + OPAQUE_OFFSET);
  out.writeInt32BE(at - fieldsAt - 4, fieldsAt);
  return at;
}

/** A piece and the number behind it, whose length becomes the end of the piece. */
function writeNumber(out: Buffer, from: number, piece: Uint8Array, value: number): number {
  const at = writeBytes(out, from, piece);
  const end = writeDecimal(out, at, value);
  out.writeInt32BE(end - at, at - 4);
  return end;
}
