/**
 * JSON as fastjson writes it, RocketMQ's way of encoding bodies and config files. It differs from standard JSON:
 * integer keys stand without quotes (`{0:"10.0.0.1:10911"}`), and objects may be keys
 * (`{{"brokerName":"b","queueId":0,"topic":"t"}:7}`), so JSON.parse and JSON.stringify do not fit.
 * The reader is in `rocketmq-json-parser.ts`.
 */
import { MAX_JSON_DEPTH } from '../lib/limits.ts';
import { ProtocolError } from './errors.ts';

export { type ParseOptions, parseRocketJson, REQUEST_JSON } from './rocketmq-json-parser.ts';

export type RocketJson =
  | null
  | boolean
  | number
  | bigint
  | string
  | RocketJson[]
  | RocketJsonObject
  | RocketJsonMap;

/** What the parser returns for an object has no prototype, so no key can reach one. */
export interface RocketJsonObject {
  [key: string]: RocketJson;
}

/** An object whose keys are objects; written by hand also one whose keys are numbers. */
export type RocketJsonMap = Map<RocketJson, RocketJson>;

export interface WriteOptions {
  /** Quote all keys and write integers past 2^53 as text, as name servers answer modern clients. Default false. */
  standard?: boolean;
  /** One member per line, indented by tabs, as config files are written. Default false. */
  pretty?: boolean;
}

/**
 * A part of texts that are written again and again: it is written once per form, at the depth at which it stands in
 * them, and put in as it is from then on. Its value must not change. Standard JSON is written anew each time.
 */
export class WrittenJson {
  readonly value: unknown;
  readonly #depth: number;
  #compact: string | undefined;
  #pretty: string | undefined;

  /** `depth`: containers around it. */
  constructor(value: unknown, depth: number) {
    this.value = value;
    this.#depth = depth;
  }

  text(pretty: boolean): string {
    if (!pretty) {
      this.#compact ??= new Writer({}).value(this.value as Writable, this.#depth);
      return this.#compact;
    }
    this.#pretty ??= new Writer({ pretty }).value(this.value as Writable, this.#depth);
    return this.#pretty;
  }
}

type Writable = RocketJson | undefined | Writable[] | WritableObject | Map<Writable, Writable>;

interface WritableObject {
  readonly [key: string]: Writable;
}

/**
 * Members of objects are sorted by name and left out when null or undefined. A Map keeps its order; its number and
 * bigint keys stand without quotes and its object keys raw. NaN and infinities become null.
 * Accepts plain data of any declared type; throws a ProtocolError for functions, symbols and cycles.
 */
export function writeRocketJson(value: unknown, options: WriteOptions = {}): string {
  return new Writer(options).value(value as Writable, 0);
}

class Writer {
  readonly #standard: boolean;
  readonly #pretty: boolean;

  constructor(options: WriteOptions) {
    this.#standard = options.standard ?? false;
    this.#pretty = options.pretty ?? false;
  }

  value(value: Writable, depth: number): string {
    switch (typeof value) {
      case 'string':
        return JSON.stringify(value);
      case 'number':
        return Number.isFinite(value) ? this.#integer(String(value), value) : 'null';
      case 'bigint':
        return this.#integer(String(value), value);
      case 'boolean':
        return String(value);
      case 'undefined':
        return 'null';
      case 'object':
        return value === null ? 'null' : this.#container(value, depth + 1);
      default:
        throw new ProtocolError('VALUE', `cannot write a ${typeof value} as JSON`);
    }
  }

  #container(value: Writable[] | WritableObject | Map<Writable, Writable>, depth: number): string {
    if (value instanceof WrittenJson) {
      return this.#standard ? this.value(value.value as Writable, depth - 1) : value.text(this.#pretty);
    }
    if (depth > MAX_JSON_DEPTH) throw new ProtocolError('VALUE', `JSON nested deeper than ${MAX_JSON_DEPTH}`);
    if (Array.isArray(value)) {
      return this.#enclose(
        '[',
        value.map((item) => this.value(item, depth)),
        ']',
        depth,
      );
    }
    const members: string[] = [];
    const entries: Iterable<[Writable, Writable]> = value instanceof Map ? value : sortedEntries(value);
    for (const [key, member] of entries) {
      if (member === undefined || member === null) continue;
      members.push(`${this.#key(key, depth)}:${this.value(member, depth)}`);
    }
    return this.#enclose('{', members, '}', depth);
  }

  #key(key: Writable, depth: number): string {
    const text = this.value(key, depth);
    return this.#standard && typeof key !== 'string' ? JSON.stringify(text) : text;
  }

  #enclose(open: string, parts: string[], close: string, depth: number): string {
    if (!this.#pretty || parts.length === 0) return open + parts.join(',') + close;
    const indent = `\n${'\t'.repeat(depth)}`;
    return `${open}${indent}${parts.join(`,${indent}`)}\n${'\t'.repeat(depth - 1)}${close}`;
  }

  #integer(text: string, value: number | bigint): string {
    if (!this.#standard || typeof value === 'number') return text;
    const safe = value <= Number.MAX_SAFE_INTEGER && value >= Number.MIN_SAFE_INTEGER;
    return safe ? text : `"${text}"`;
  }
}

function sortedEntries(object: WritableObject): [string, Writable][] {
  return Object.keys(object)
    .sort()
    .map((key) => [key, object[key]]);
}
