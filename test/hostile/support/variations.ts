/** From a request in order to all requests that differ from it in one place: a field, or a leaf of its JSON body. */
import type { Json, RequestShape } from './requests.ts';
import { plain, type WireRequest, type WireValue } from './wire.ts';

export interface Variation {
  /** The field's name, or the path of the leaf in the body. */
  readonly place: string;
  make(value: WireValue | undefined): Pick<WireRequest, 'fields' | 'body'>;
}

type Path = readonly (string | number)[];

/** All places of a request where a client may put something else. `undefined` as a value leaves the place out. */
export function variationsOf(shape: RequestShape): Variation[] {
  const { fields, body } = shape;
  const base = bodyOf(body);
  const inFields = Object.keys(fields).map((name) => ({
    place: name,
    make: (value: WireValue | undefined) => withBody(withField(fields, name, value), base),
  }));
  if (body === undefined || Buffer.isBuffer(body)) return inFields;
  if (typeof body === 'string') {
    const make = (value: WireValue | undefined) => withBody(fields, value?.binary);
    return [...inFields, { place: 'body', make }];
  }
  const inBody = leavesOf(body).map((path) => ({
    place: `body ${path.join('.')}`,
    make: (value: WireValue | undefined) => withBody(fields, jsonWith(body, path, value)),
  }));
  return [...inFields, ...inBody];
}

/** The body of a request in order. */
export function bodyOf(body: Json | Buffer | undefined): Buffer | undefined {
  if (body === undefined || Buffer.isBuffer(body)) return body;
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}

function withField(
  fields: Readonly<Record<string, string>>,
  name: string,
  value: WireValue | undefined,
): Record<string, WireValue | string> {
  const changed: Record<string, WireValue | string> = { ...fields };
  if (value === undefined) delete changed[name];
  else changed[name] = value;
  return changed;
}

function withBody(
  fields: Readonly<Record<string, WireValue | string>>,
  body: Buffer | undefined,
): Pick<WireRequest, 'fields' | 'body'> {
  return body === undefined ? { fields } : { fields, body };
}

function leavesOf(value: Json, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  const below = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return [path, ...below.flatMap(([key, member]) => leavesOf(member, [...path, key]))];
}

/** The JSON text with another value, or none, at `path`. */
function jsonWith(value: Json, path: Path, other: WireValue | undefined): Buffer {
  const [key, ...rest] = path;
  if (key === undefined) return other?.json ?? Buffer.alloc(0);
  if (typeof value !== 'object' || value === null) return Buffer.from(JSON.stringify(value));
  const isArray = Array.isArray(value);
  const members: Buffer[] = [];
  for (const [name, member] of isArray ? value.entries() : Object.entries(value)) {
    const here = name === key;
    if (here && rest.length === 0 && other === undefined) continue;
    const text = here ? jsonWith(member as Json, rest, other) : Buffer.from(JSON.stringify(member));
    if (members.length > 0) members.push(Buffer.from(','));
    if (!isArray) members.push(Buffer.concat([plain(String(name)).json, Buffer.from(':')]));
    members.push(text);
  }
  const [open, close] = isArray ? ['[', ']'] : ['{', '}'];
  return Buffer.concat([Buffer.from(open), ...members, Buffer.from(close)]);
}
