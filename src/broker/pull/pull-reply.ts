/** Answers to pulls: a header from a template, then the stored records themselves. */
import type { Connection } from '../../net/connection.ts';
import { gatheredBody, sendBody } from '../../net/mapped-body.ts';
import { SERIALIZE_BINARY } from '../../protocol/command.ts';
import { type PullReader, STATUS_NAMES } from '../../store/read/pull-reader.ts';
import { ReplyTemplate, VARIES } from '../reply-template.ts';

const FIELDS = {
  groupSysFlag: '0',
  maxOffset: VARIES,
  minOffset: VARIES,
  nextBeginOffset: VARIES,
  offsetDelta: '0',
  suggestWhichBrokerId: VARIES,
  topicSysFlag: '0',
};

/** By response code and status; a handful of each goes together. */
const templates = new Map<number, ReplyTemplate>();

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
 * Writes the answer to the connection's output, or sends it, with the reader's messages as body when `reader` is given.
 * False, with nothing written, when a file of the log has gone meanwhile.
 */
export function writePullAnswer(connection: Connection, answer: PullAnswer, reader?: PullReader): boolean {
  const bodyLength = reader?.totalBytes ?? 0;
  const isBinary = answer.serializeType === SERIALIZE_BINARY;
  const gathered = reader && gatheredBody(connection, reader);
  const reserved = gathered === undefined ? bodyLength : 0;
  const reply = templateOf(answer).begin(connection, answer.opaque, isBinary, reserved);
  reply.number(answer.maxOffset);
  reply.number(answer.minOffset);
  reply.number(answer.nextBeginOffset);
  reply.number(answer.suggestedBrokerId);
  const at = reply.endHeader(bodyLength, reserved);
  if (reader !== undefined && gathered !== undefined)
    return sendBody(connection, reply.start, reader, gathered);
  if (reader === undefined || reader.copyTo(reply.out, at)) return true;
  reply.drop();
  return false;
}

function templateOf({ code, status }: PullAnswer): ReplyTemplate {
  const key = code * STATUS_NAMES.length + status;
  let template = templates.get(key);
  if (template === undefined) {
    template = new ReplyTemplate(code, STATUS_NAMES[status], FIELDS);
    templates.set(key, template);
  }
  return template;
}
