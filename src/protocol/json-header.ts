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
const MEMBERS: ReadonlySet<string> = new Set([
  ...['code', 'extFields', 'flag', 'language', 'opaque', 'remark', 'serializeTypeCurrentRPC', 'version'],
]);
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
  const text = bytes.toString('utf8');
  return plainHeader(text) ?? generalHeader(text);
}

/**
 * A header as most clients write it, all fields of which are text: JavaScript's own parser reads it in a fifth of the
 * time. Undefined for what that reads otherwise, or not at all: that is for the general parser.
 */
function plainHeader(text: string): CommandHeader | undefined {
  let header: Record<string, unknown>;
  try {
    header = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) return undefined;
  const { code = 0, flag = 0, opaque = 0, version = 0, language, remark, extFields } = header;
  if (!isInt32(code) || !isInt32(flag) || !isInt32(opaque) || !isInt32(version)) return undefined;
  if (typeof language !== 'string' || !ENUM_NAME.test(language) || /^\d/.test(language)) return undefined;
  if (remark !== undefined && typeof remark !== 'string') return undefined;
  for (const name in header) if (!MEMBERS.has(name)) return undefined;
  const fields = plainFields(extFields);
  return fields && { code, language, version, opaque, flag, remark, fields };
}

function plainFields(value: unknown): Record<string, string> | undefined {
  const fields: Record<string, string> = Object.create(null);
  if (value === undefined) return fields;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  let count = 0;
  for (const [name, field] of Object.entries(value)) {
    count += 1;
    if (typeof field !== 'string' || count > MAX_HEADER_FIELDS) return undefined;
    fields[name] = field;
  }
  return fields;
}

function isInt32(value: unknown): value is number {
  return typeof value === 'number' && (value | 0) === value;
}

function generalHeader(text: string): CommandHeader {
  const header = parseRocketJson(text, HEADER_JSON);
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

/** Undefined when there are none: the key is then left out, as in Java. Copying is half the work, and hardly needed. */
function textValues(fields: Record<string, string>): Record<string, string> | undefined {
  let some = false;
  for (const name in fields) {
    if (typeof fields[name] !== 'string') return copiedAsText(fields);
    some = true;
  }
  return some ? fields : undefined;
}

function copiedAsText(fields: Record<string, string>): Record<string, string> {
  const values: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(fields)) values[name] = String(value);
  return values;
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
