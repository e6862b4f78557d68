/**
 * The JSON header. Values of `extFields` are text for us, whatever a client sends: C++ clients send numbers and
 * booleans, Go sends integers past 2^53, so numbers are taken as they are written, digit by digit.
 */
import { MAX_HEADER_FIELDS } from '../lib/limits.ts';
import { quote } from '../lib/quote.ts';
import type { CommandHeader } from './binary-header.ts';
import { limitError, ProtocolError } from './errors.ts';
import { languageByNumber } from './languages.ts';
import { type ParseOptions, parseRocketJson, type RocketJson } from './rocketmq-json.ts';

const ENUM_NAME = /^\w{1,32}$/;
/** The members of the header itself, and one value more for its fields. */
const OWN_VALUES = 9;
const HEADER_JSON: ParseOptions = {
  numbers: 'text',
  references: false,
  maxDepth: 8,
  maxValues: { count: MAX_HEADER_FIELDS + OWN_VALUES, limit: 'MAX_HEADER_FIELDS' },
};

/** Fields stand in alphabetical order, as Java writes them, so frames can be compared byte by byte. */
export function encodeJsonHeader(command: CommandHeader): Buffer {
  return Buffer.from(
    JSON.stringify({
      code: command.code,
      extFields: textValues(command.fields),
      flag: command.flag,
      language: command.language,
      opaque: command.opaque,
      remark: command.remark,
      serializeTypeCurrentRPC: 'JSON',
      version: command.version,
    }),
  );
}

/** Missing numbers read as 0, like in Java. Throws a ProtocolError for text that is not a header. */
export function decodeJsonHeader(bytes: Buffer): CommandHeader {
  const header = parseRocketJson(bytes.toString('utf8'), HEADER_JSON);
  if (!isObject(header)) throw new ProtocolError('VALUE', 'header is not a JSON object');
  return {
    code: int32(header, 'code'),
    language: languageOf(header['language']),
    version: int32(header, 'version'),
    opaque: int32(header, 'opaque'),
    flag: int32(header, 'flag'),
    remark: textOf('remark', header['remark']),
    fields: fieldsOf(header['extFields']),
  };
}

/** Undefined when there are none: the key is then left out, as in Java. */
function textValues(fields: Record<string, string>): Record<string, string> | undefined {
  const values: Record<string, string> = Object.create(null);
  let some = false;
  for (const [name, value] of Object.entries(fields)) {
    values[name] = String(value);
    some = true;
  }
  return some ? values : undefined;
}

function fieldsOf(value: RocketJson | undefined): Record<string, string> {
  const fields: Record<string, string> = Object.create(null);
  if (value === undefined || value === null) return fields;
  if (!isObject(value)) throw new ProtocolError('VALUE', 'extFields is not a JSON object');
  const entries = Object.entries(value);
  if (entries.length > MAX_HEADER_FIELDS)
    throw limitError('fields in a header', MAX_HEADER_FIELDS, 'MAX_HEADER_FIELDS');
  for (const [name, field] of entries) {
    const text = textOf(name, field);
    if (text !== undefined) fields[name] = text;
  }
  return fields;
}

function textOf(name: string, value: RocketJson | undefined): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return String(value);
  throw new ProtocolError('VALUE', `header field ${quote(name)} is not plain text`);
}

function int32(header: Record<string, RocketJson>, name: string): number {
  const text = textOf(name, header[name]) ?? '0';
  const value = Number(text);
  if (text === '' || (value | 0) !== value) {
    throw new ProtocolError('VALUE', `header field ${name} is not an int32: ${quote(text)}`);
  }
  return value;
}

/** Enums may come by name or by number; a name that nobody knows is kept when it looks like one. */
function languageOf(value: RocketJson | undefined): string {
  const text = textOf('language', value) ?? '';
  if (text === '' || /^\d+$/.test(text)) return languageByNumber(text === '' ? -1 : Number(text));
  return ENUM_NAME.test(text) ? text : languageByNumber(-1);
}

function isObject(value: RocketJson): value is Record<string, RocketJson> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Map);
}
