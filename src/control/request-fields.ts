/** Reading a request's extension fields and answering it. Everything on the wire is text. */
import { ResponseCode } from '../protocol/codes.ts';
import { type RemotingCommand, responseTo } from '../protocol/command.ts';
import { writeRocketJson } from '../protocol/rocketmq-json.ts';

/** A request that is answered with this code and remark; handlers throw it from wherever they notice. */
export class RequestError extends Error {
  override name = 'RequestError';
  readonly code: number;

  constructor(code: number, remark: string) {
    super(remark);
    this.code = code;
  }
}

export function textField(request: RemotingCommand, name: string): string | undefined {
  return request.fields[name];
}

/** Throws a RequestError (SYSTEM_ERROR) when the field is missing. */
export function requiredText(request: RemotingCommand, name: string): string {
  return request.fields[name] ?? missing(name);
}

/** A whole number; undefined when the field is missing or none. */
export function integerField(request: RemotingCommand, name: string): number | undefined {
  const text = request.fields[name];
  if (text === undefined || !/^[+-]?\d+$/.test(text)) return undefined;
  return Number(text);
}

/** Throws a RequestError (SYSTEM_ERROR) when the field is missing or no number. */
export function requiredInteger(request: RemotingCommand, name: string): number {
  return integerField(request, name) ?? missing(name);
}

/** `true` in any case of letters; everything else is false, and a missing field the fallback. */
export function booleanField(request: RemotingCommand, name: string, fallback: boolean): boolean {
  const text = request.fields[name];
  return text === undefined ? fallback : text.toLowerCase() === 'true';
}

function missing(name: string): never {
  throw new RequestError(ResponseCode.SYSTEM_ERROR, `the custom field <${name}> is null`);
}

export function succeed(
  request: RemotingCommand,
  fields: Readonly<Record<string, string | number | boolean>> = {},
  body?: Uint8Array,
): RemotingCommand {
  const texts: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(fields)) texts[name] = String(value);
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
