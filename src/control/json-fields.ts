/**
 * Reading members of parsed JSON that others wrote. Clients leave fields out and send numbers as text, text as numbers
 * and enums by name or ordinal, so each reader says what it takes and what an absent or unusable value means.
 */
import { quote } from '../lib/quote.ts';
import { ProtocolError } from '../protocol/errors.ts';
import {
  parseRocketJson,
  REQUEST_JSON,
  type RocketJson,
  type RocketJsonObject,
} from '../protocol/rocketmq-json.ts';

/** The JSON value of a request's body; null when there is no body. Throws a ProtocolError for text that is no JSON. */
export function parseBody(body: Uint8Array | undefined): RocketJson {
  if (body === undefined || body.length === 0) return null;
  return parseRocketJson(
    Buffer.from(body.buffer, body.byteOffset, body.length).toString('utf8'),
    REQUEST_JSON,
  );
}

/** The value if it is a plain object, else undefined. */
export function asObject(value: RocketJson | undefined): RocketJsonObject | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Map)
    return undefined;
  return value;
}

/** The members of an array; none when the value is no array. */
export function asArray(value: RocketJson | undefined): RocketJson[] {
  return Array.isArray(value) ? value : [];
}

/** Members of an object, or of a map, by name; none when the value is neither. */
export function entriesOf(value: RocketJson | undefined): [string, RocketJson][] {
  if (value instanceof Map) return [...value].map(([key, member]) => [String(key), member]);
  const object = asObject(value);
  return object === undefined ? [] : Object.entries(object);
}

/** Text; numbers and booleans become text. */
export function textIn(object: RocketJsonObject, name: string): string | undefined {
  const value = object[name];
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean'
    ? String(value)
    : undefined;
}

export function textOr(object: RocketJsonObject, name: string, fallback: string): string {
  return textIn(object, name) ?? fallback;
}

/** A whole number, as number or text; undefined when it is absent, no whole number or past 2^53. */
export function integerIn(object: RocketJsonObject, name: string): number | undefined {
  return integerFrom(object[name]);
}

export function integerFrom(value: RocketJson | undefined): number | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : undefined;
  if (typeof value !== 'string' || !/^-?\d+$/.test(value)) return undefined;
  const parsed = Number(value);
  return Number.isSafeInteger(parsed) ? parsed : undefined;
}

export function integerOr(object: RocketJsonObject, name: string, fallback: number): number {
  return integerIn(object, name) ?? fallback;
}

/** A 64-bit integer in full: Go's versions are nanoseconds, past 2^53. */
export function bigintOr(object: RocketJsonObject, name: string, fallback: bigint): bigint {
  const value = object[name];
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : fallback;
  return typeof value === 'string' && /^-?\d{1,20}$/.test(value) ? BigInt(value) : fallback;
}

/** The whole numbers that a member may have; with the name of the limit that the largest is, if it is one. */
export interface Range {
  least: number;
  most: number;
  limit?: string;
}

export const INT32: Range = { least: -0x80_00_00_00, most: 0x7f_ff_ff_ff };

/**
 * A whole number within a range, as number or text; absent and null are the fallback. Throws a ProtocolError that says
 * what is allowed for anything else: such a value would become a setting that nobody has chosen.
 */
export function integerWithin(
  object: RocketJsonObject,
  name: string,
  range: Range,
  fallback: number,
): number {
  const value = object[name];
  if (value === undefined || value === null) return fallback;
  const number = integerFrom(value);
  if (number !== undefined && number >= range.least && number <= range.most) return number;
  throw new ProtocolError('VALUE', rangeProblem(name, textIn(object, name) ?? 'no number', range));
}

/** The sentence for a number outside its range. */
export function rangeProblem(name: string, value: string, { least, most, limit }: Range): string {
  const known = limit === undefined ? '' : ` (limit ${limit})`;
  return `${name} is ${quote(value)}; whole numbers from ${least} to ${most}${known} are allowed`;
}

export function booleanOr(object: RocketJsonObject, name: string, fallback: boolean): boolean {
  const value = object[name];
  if (typeof value === 'boolean') return value;
  if (typeof value === 'string') return value.toLowerCase() === 'true';
  return typeof value === 'number' ? value !== 0 : fallback;
}

const ENUM_NAME = /^\w{1,64}$/;

/**
 * An enum by name or by ordinal within `names`. Unknown names pass as they are, as newer clients have more; what is no
 * name is the fallback.
 */
export function enumOr(
  object: RocketJsonObject,
  name: string,
  names: readonly string[],
  fallback: string,
): string {
  const value = object[name];
  if (typeof value === 'number') return names[value] ?? fallback;
  return typeof value === 'string' && ENUM_NAME.test(value) ? value : fallback;
}

/** Text values of an object by name; other values are left out. */
export function textMapIn(object: RocketJsonObject, name: string): Map<string, string> {
  const texts = new Map<string, string>();
  for (const [key, value] of entriesOf(object[name])) {
    if (typeof value === 'string') texts.set(key, value);
    else if (typeof value === 'number' || typeof value === 'boolean') texts.set(key, String(value));
  }
  return texts;
}
