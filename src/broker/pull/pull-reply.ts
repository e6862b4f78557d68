/** Answers to pulls: a header from byte templates, then the stored records themselves. */
import { writeBytes, writeDecimal } from '../../lib/digits.ts';
import type { Connection } from '../../net/connection.ts';
import { PROTOCOL_VERSION, responseTo, SERIALIZE_BINARY } from '../../protocol/command.ts';
import { encodeCommand } from '../../protocol/command-codec.ts';
import { type PullReader, STATUS_NAMES } from '../../store/read/pull-reader.ts';

/** Everything of a header; its numbers have at most 16 digits. */
const HEADER_ROOM = 512;

const MAX_OFFSET = Buffer.from(',"extFields":{"groupSysFlag":"0","maxOffset":"');
const MIN_OFFSET = Buffer.from('","minOffset":"');
const NEXT_OFFSET = Buffer.from('","nextBeginOffset":"');
const BROKER_ID = Buffer.from('","offsetDelta":"0","suggestWhichBrokerId":"');
const OPAQUE = Buffer.from('","topicSysFlag":"0"},"flag":1,"language":"JAVA","opaque":');
const CODE = Buffer.from('{"code":');
const ENDS = STATUS_NAMES.map((remark) =>
  Buffer.from(`,"remark":"${remark}","serializeTypeCurrentRPC":"JSON","version":${PROTOCOL_VERSION}}`),
);

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
  if (answer.serializeType === SERIALIZE_BINARY) return writeGeneral(connection, answer, reader);
  const start = connection.reserve(HEADER_ROOM + bodyLength);
  const out = connection.output;
  let at = writeBytes(out, start + 8, CODE);
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
  at = writeBytes(out, at, ENDS[answer.status] as Uint8Array);
  if (reader !== undefined && !reader.copyTo(out, at)) {
    connection.trim(start);
    return false;
  }
  out.writeInt32BE(at - start - 4 + bodyLength, start);
  out.writeInt32BE(at - start - 8, start + 4);
  connection.trim(at + bodyLength);
  return true;
}

function writeGeneral(connection: Connection, answer: PullAnswer, reader: PullReader | undefined): boolean {
  const body = reader === undefined ? undefined : Buffer.alloc(reader.totalBytes);
  if (body !== undefined && reader?.copyTo(body, 0) === false) return false;
  const fields = {
    groupSysFlag: '0',
    maxOffset: String(answer.maxOffset),
    minOffset: String(answer.minOffset),
    nextBeginOffset: String(answer.nextBeginOffset),
    offsetDelta: '0',
    suggestWhichBrokerId: String(answer.suggestedBrokerId),
    topicSysFlag: '0',
  };
  connection.append(
    encodeCommand(responseTo(answer, answer.code, STATUS_NAMES[answer.status], fields, body)),
  );
  return true;
}
