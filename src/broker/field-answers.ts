/**
 * Answers made from objects, but written by templates: one for each code, remark and list of fields that was answered
 * before. What has no template, or may not stand in one, the general encoder writes.
 */
import type { Connection } from '../net/connection.ts';
import { type RemotingCommand, SERIALIZE_BINARY } from '../protocol/command.ts';
import { encodeCommand, LENGTH_BYTES } from '../protocol/command-codec.ts';
import { ReplyTemplate, VARIES } from './reply-template.ts';

/** There are a handful; remarks may quote what clients send. */
const TEMPLATES_MAX = 64;
const LONGEST_REMARK = 64;

export class FieldAnswers {
  readonly #templates = new Map<string, ReplyTemplate>();

  /**
   * Adds the answer, which has no body, to the connection's output, with room for one of `bodyLength` bytes. Returns
   * where in the output that begins.
   */
  write(connection: Connection, answer: RemotingCommand, bodyLength = 0): number {
    return this.#byTemplate(connection, answer, bodyLength) ?? general(connection, answer, bodyLength);
  }

  #byTemplate(connection: Connection, answer: RemotingCommand, bodyLength: number): number | undefined {
    const template = this.#templateOf(answer);
    if (template === undefined) return undefined;
    const { opaque, serializeType, fields } = answer;
    let length = bodyLength;
    for (const name in fields) length += (fields[name] as string).length;
    const reply = template.begin(connection, opaque, serializeType === SERIALIZE_BINARY, length);
    for (const name in fields) {
      if (reply.text(fields[name] as string)) continue;
      reply.drop();
      return undefined;
    }
    return reply.endHeader(bodyLength);
  }

  #templateOf({ code, remark, fields }: RemotingCommand): ReplyTemplate | undefined {
    if (remark !== undefined && remark.length > LONGEST_REMARK) return undefined;
    // With its length: a remark may hold whatever stands between names.
    let name = `${code} ${remark?.length} ${remark}`;
    for (const field in fields) name += `\n${field}`;
    const known = this.#templates.get(name);
    if (known !== undefined) return known;
    if (this.#templates.size >= TEMPLATES_MAX) return undefined;
    const varying = Object.fromEntries(Object.keys(fields).map((field) => [field, VARIES]));
    const template = new ReplyTemplate(code, remark, varying);
    this.#templates.set(name, template);
    return template;
  }
}

function general(connection: Connection, answer: RemotingCommand, bodyLength: number): number {
  const head = encodeCommand(answer);
  const at = connection.reserve(head.length + bodyLength);
  const out = connection.output;
  out.set(head, at);
  out.writeInt32BE(head.length + bodyLength - LENGTH_BYTES, at);
  return at + head.length;
}
