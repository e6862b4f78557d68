/** The members of a JSON file of the store, with what each of them means: an item for each entry of its tables. */
import { parseRocketJson } from '../../../protocol/rocketmq-json.ts';
import type { Damage, Field, Item } from '../item.ts';
import { time } from '../record-fields.ts';
import type { FormatSpec, MemberSpec } from './formats/shape.ts';
import { eachLeaf, type Leaf, unquoted } from './json-leaves.ts';

/** Ms since 1970 that can be meant. */
const LEAST_TIME = 1e12;
const MOST_TIME = 1e14;
const SHOWN_VALUE = 60;

export function jsonItems(bytes: Uint8Array, format: FormatSpec): Item[] {
  const items: Item[] = [];
  const groups = new Map<string, Item & { damage: Damage[] }>();
  const problem = eachLeaf(bytes, (leaf) => {
    const [table = '', entry] = leaf.path;
    const name = leaf.path.length > 2 && entry !== undefined ? `${table} ${entry}` : table;
    let item = groups.get(name);
    if (item === undefined) {
      item = { what: name === '' ? 'value' : name, at: leaf.at, fields: [], damage: [] };
      groups.set(name, item);
      items.push(item);
    }
    addLeaf(item, leaf, format.members ?? []);
  });
  const damage = problem ?? refusedBy(bytes);
  if (damage !== undefined) items.push({ what: 'damage', at: damage.at, fields: [], damage: [damage] });
  return items;
}

function addLeaf(
  item: Item & { damage: Damage[] },
  { path, at, text }: Leaf,
  members: readonly MemberSpec[],
): void {
  const spec = members.find((member) => fits(member.path.split('.'), path));
  item.fields.push({
    at,
    name: path.slice(path.length > 2 ? 2 : 1).join('.') || (path[0] ?? 'value'),
    value: text.length > SHOWN_VALUE ? `${text.slice(0, SHOWN_VALUE)}…` : text,
    meaning: meaningOf(text, spec),
  });
  const problem = spec && typeProblem(text, spec.type);
  if (problem !== undefined) item.damage.push({ at, text: `${path.join('.')}: ${problem}` });
}

function meaningOf(text: string, spec: MemberSpec | undefined): string {
  if (spec === undefined) return 'not known here: readers leave it out';
  const number = Number(text);
  const isTime = number > LEAST_TIME && number < MOST_TIME && /ms since 1970/.test(spec.meaning);
  return isTime ? `${spec.meaning}: ${time(number)}` : spec.meaning;
}

/** An empty container stands for any number of members. */
function fits(pattern: readonly string[], path: readonly string[]): boolean {
  if (path.length > pattern.length) return false;
  return path.every((name, i) => pattern[i] === '*' || pattern[i] === name);
}

function typeProblem(text: string, type: MemberSpec['type']): string | undefined {
  if (text === '{}' || text === '[]' || text === 'null') return undefined;
  if (type === 'number' && !/^-?\d/.test(unquoted(text))) return `${text} stands where a number belongs`;
  if (type === 'true or false' && text !== 'true' && text !== 'false')
    return `${text} stands where true or false belongs`;
  return undefined;
}

/** A text of which all can be told apart, and which a broker refuses all the same. */
function refusedBy(bytes: Uint8Array): Damage | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
  try {
    parseRocketJson(text);
    return undefined;
  } catch (error) {
    const message = (error as Error).message;
    const position = Number(/position (\d+)/.exec(message)?.[1] ?? 0);
    return { at: Buffer.byteLength(text.slice(0, position)), text: message };
  }
}

/** The fields of a plain text file. */
export function textItem(bytes: Uint8Array, format: FormatSpec | undefined): Item {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
  const [member] = format?.members ?? [];
  const field: Field = { at: 0, name: 'text', value: JSON.stringify(text.slice(0, SHOWN_VALUE)) };
  if (member !== undefined) field.meaning = member.meaning;
  return { what: 'text', at: 0, fields: [field], bytes, damage: textDamage(text, format) };
}

const EXPECTED: ReadonlyMap<string, readonly [pattern: RegExp, words: string]> = new Map([
  ['abort', [/^\d*\s*$/, 'a process id, or nothing']],
  ['lock', [/^(?:lock)?$/, '"lock", or nothing']],
  ['ringmq.boot', [/^[0-9a-f-]*\s*$/, "a boot id of the kernel's, or nothing"]],
  ['ringmq.temporary', [/^$/, 'nothing']],
]);

function textDamage(text: string, format: FormatSpec | undefined): Damage[] {
  const expected = EXPECTED.get(format?.title ?? '');
  if (expected === undefined || expected[0].test(text)) return [];
  const at = [...text].findIndex((_, i) => !expected[0].test(text.slice(0, i + 1)));
  return [
    {
      at: Buffer.byteLength(text.slice(0, Math.max(at, 0))),
      text: `other text than ${expected[1]} stands here`,
    },
  ];
}
