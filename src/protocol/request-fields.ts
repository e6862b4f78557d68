/**
 * Reading a request's extension fields and answering it. Everything on the wire is text; a number is what its reader
 * says it means, and anything else is refused. A field that is empty counts as missing.
 */
import { limitRemark, MAX_CLIENT_ID, MAX_FIELD_TEXT, MAX_FRAME_BYTES, MAX_NAME } from '../lib/limits.ts';
import { quote } from '../lib/quote.ts';
import { ResponseCode } from './codes.ts';
import { type RemotingCommand, responseTo } from './command.ts';
import { type QueueNumbers, queuesOf } from './queue-numbers.ts';
import { writeRocketJson } from './rocketmq-json.ts';

/** A request that is answered with this code and remark; handlers throw it from wherever they notice. */
export class RequestError extends Error {
  override name = 'RequestError';
  readonly code: number;

  constructor(code: number, remark: string) {
    super(remark);
    this.code = code;
  }
}

/** Fields that name something. */
const NAMES: ReadonlySet<string> = new Set([
  'topic',
  'consumerGroup',
  'producerGroup',
  'group',
  'groupName',
  'defaultTopic',
  'srcGroup',
  'destGroup',
  'compareGroup',
  'originTopic',
  'brokerName',
  'brokerAddr',
  'haServerAddr',
  'clusterName',
  'cluster',
  'namespace',
  '__ZONE_NAME',
]);
const CLIENT_IDS: ReadonlySet<string> = new Set(['clientId', 'clientAddr']);
/** A message's properties are checked with the message. */
const PROPERTIES: ReadonlySet<string> = new Set(['properties', 'i']);

/** Throws a RequestError (INVALID_PARAMETER) for a request with a text that is longer than its field may be. */
export function checkTexts(request: RemotingCommand): void {
  for (const [name, text] of Object.entries(request.fields)) {
    if (NAMES.has(name)) checkLength(name, text, MAX_NAME, 'MAX_NAME');
    else if (CLIENT_IDS.has(name)) checkLength(name, text, MAX_CLIENT_ID, 'MAX_CLIENT_ID');
    else if (!PROPERTIES.has(name)) checkLength(name, text, MAX_FIELD_TEXT, 'MAX_FIELD_TEXT');
  }
}

function checkLength(field: string, text: string, longest: number, limit: string): void {
  if (text.length <= longest) return;
  throw new RequestError(
    ResponseCode.INVALID_PARAMETER,
    limitRemark(`characters in the field ${quote(field)}`, longest, limit),
  );
}

/** For a table that takes no more entries. */
export function tableFull(what: string, limit: number, name: string): RequestError {
  return new RequestError(ResponseCode.SYSTEM_ERROR, limitRemark(what, limit, name));
}

export function textField(request: RemotingCommand, name: string): string | undefined {
  return request.fields[name];
}

/** Throws a RequestError (SYSTEM_ERROR) when the field is missing. */
export function requiredText(request: RemotingCommand, name: string): string {
  return request.fields[name] ?? missing(name);
}

const MAX_INT32 = 0x7f_ff_ff_ff;
const MIN_INT32 = -0x80_00_00_00;
/** An int64 is read as the nearest double, which this bounds. */
const INT64 = 2 ** 63;

/** Undefined when the field is missing. Throws a RequestError (`code`) when it is no int32. */
export function int32Field(
  request: RemotingCommand,
  name: string,
  code: number = ResponseCode.SYSTEM_ERROR,
): number | undefined {
  return wholeNumber(request, name, [MIN_INT32, MAX_INT32, 'int32'], code);
}

/** Throws a RequestError (SYSTEM_ERROR) when the field is missing or no int32. */
export function requiredInt32(request: RemotingCommand, name: string): number {
  return int32Field(request, name) ?? missing(name);
}

/** As int32Field, for times and others that may be any long; past 2^53 the nearest double. */
export function int64Field(
  request: RemotingCommand,
  name: string,
  code: number = ResponseCode.SYSTEM_ERROR,
): number | undefined {
  return wholeNumber(request, name, [-INT64, INT64, 'int64'], code);
}

export function requiredInt64(request: RemotingCommand, name: string): number {
  return int64Field(request, name) ?? missing(name);
}

/** A position in a queue or in the log. Throws a RequestError (INVALID_PARAMETER) for what cannot be one. */
export function offsetField(request: RemotingCommand, name: string): number | undefined {
  const offset = int64Field(request, name, ResponseCode.INVALID_PARAMETER);
  if (offset === undefined || (offset >= 0 && offset <= Number.MAX_SAFE_INTEGER)) return offset;
  throw new RequestError(
    ResponseCode.INVALID_PARAMETER,
    `the custom field <${name}> is no offset: ${request.fields[name]}`,
  );
}

/** Throws a RequestError (INVALID_PARAMETER) when the topic has no such queue. */
export function checkQueueId(queueId: number, topic: QueueNumbers & { topicName: string }): void {
  const queues = queuesOf(topic);
  if (queueId >= 0 && queueId < queues) return;
  throw new RequestError(
    ResponseCode.INVALID_PARAMETER,
    `queueId[${queueId}] is illegal, topic:[${topic.topicName}] has ${queues} queues`,
  );
}

function wholeNumber(
  request: RemotingCommand,
  name: string,
  [least, most, kind]: readonly [number, number, string],
  code: number,
): number | undefined {
  const text = request.fields[name];
  if (text === undefined || text === '') return undefined;
  const number = /^[+-]?\d{1,64}$/.test(text) ? Number(text) : Number.NaN;
  if (number >= least && number <= most) return number;
  throw new RequestError(code, `the custom field <${name}> is no ${kind}: ${quote(text)}`);
}

/** `true` in any case of letters; everything else is false, and a missing field the fallback. */
export function booleanField(request: RemotingCommand, name: string, fallback: boolean): boolean {
  const text = request.fields[name];
  return text === undefined ? fallback : text.toLowerCase() === 'true';
}

function missing(name: string): never {
  throw new RequestError(ResponseCode.SYSTEM_ERROR, `the custom field <${name}> is null`);
}

/** Header and length fields of an answer whose body is all there is to it. */
const HEADER_ROOM = 4 * 1024;

/**
 * Throws a RequestError (SYSTEM_ERROR) that names the limit when no frame holds an answer with such a body; `advice`
 * says what to ask for instead.
 */
export function checkAnswerSize(bodyBytes: number, advice?: string): void {
  if (bodyBytes + HEADER_ROOM <= MAX_FRAME_BYTES) return;
  const remark = limitRemark('bytes of the answer', MAX_FRAME_BYTES, 'MAX_FRAME_BYTES');
  throw new RequestError(ResponseCode.SYSTEM_ERROR, advice === undefined ? remark : `${remark}; ${advice}`);
}

/** Throws a RequestError when no frame holds the answer. */
export function succeed(
  request: RemotingCommand,
  fields: Readonly<Record<string, string | number | boolean>> = {},
  body?: Uint8Array,
): RemotingCommand {
  // With a prototype: objects without one are slow to fill and to read, and names of ours collide with nothing.
  const texts: Record<string, string> = {};
  for (const name in fields) texts[name] = String(fields[name]);
  checkAnswerSize(body?.length ?? 0);
  return responseTo(request, ResponseCode.SUCCESS, undefined, texts, body);
}

/** Success with a JSON body in RocketMQ's dialect. */
export function succeedWith(
  request: RemotingCommand,
  body: unknown,
  fields?: Readonly<Record<string, string | number | boolean>>,
): RemotingCommand {
  return succeed(request, fields, Buffer.from(writeRocketJson(body), 'utf8'));
}
