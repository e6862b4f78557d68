/** What to tell the person whose configuration file names a key without effect, and when that ends the start. */
import { nameByPrefix, nearestName } from '../lib/nearest.ts';
import { quote } from '../lib/quote.ts';
import { UserError } from '../lib/user-error.ts';
import { instead } from './instead.ts';
import { lackOf, missingKeys, seemingLackOf } from './missing.ts';
import type { UnsupportedGroup } from './unsupported-keys.ts';

/** Prefix of keys that RocketMQ does not have. */
export const OWN_PREFIX = 'ringmq.';

export interface UnsupportedKey {
  name: string;
  /** RocketMQ's default; undefined when it depends on the machine. */
  default: string | undefined;
  why: string;
}

/** The keys of one group, in order. */
export function keysOf(group: UnsupportedGroup): UnsupportedKey[] {
  return group.keys
    .trim()
    .split(/\s+/)
    .map((item) => {
      const equals = item.indexOf('=');
      const name = equals < 0 ? item : item.slice(0, equals);
      const standard = equals < 0 ? undefined : item.slice(equals + 1);
      return { name, default: standard, why: instead[name] ?? group.why };
    });
}

export function unsupportedMap(groups: readonly UnsupportedGroup[]): ReadonlyMap<string, UnsupportedKey> {
  return new Map(groups.flatMap(keysOf).map((key) => [key.name, key]));
}

/** The keys that a configuration file may name, as far as it needs judging what else stands there. */
export interface Vocabulary {
  /** Names that have an effect, or are known for having one. */
  readonly names: readonly string[];
  readonly unsupported: ReadonlyMap<string, UnsupportedKey>;
  /** Names that another kind of file may hold, and which. */
  readonly elsewhere: { readonly names: ReadonlySet<string>; readonly file: string };
  /** What a key decides that must not be decided by mistake; undefined for one that may be misspelt at little cost. */
  guards(name: string): string | undefined;
  /** Whether the key has this value anyway. */
  holds(name: string, value: string): boolean;
}

/**
 * What RingMQ lacks of what the line asks for, by a key that is known for it or by one that sounds like it. One that is
 * almost a key of ours is judged by that.
 */
export function lackOfLine(name: string, value: string, vocabulary: Vocabulary): string | undefined {
  const { names, unsupported, elsewhere } = vocabulary;
  const isKnown = names.includes(name) || unsupported.has(name) || elsewhere.names.has(name);
  const lacks = lackOf(name, value) ?? (isKnown ? undefined : seemingLackOf(name, value));
  if (lacks === undefined || isKnown) return lacks;
  const nearest = nearestKey(name, vocabulary);
  return nearest !== undefined && vocabulary.guards(nearest) !== undefined ? undefined : lacks;
}

/**
 * Warnings about a line with a name that has no effect: one, or none for a known key that has RocketMQ's default.
 * Throws a UserError when the name is almost one that guards something, and the value another than what holds.
 */
export function judge(name: string, value: string, vocabulary: Vocabulary, origin = ''): string[] {
  const line = `${quote(name)}=${value} has no effect`;
  const key = vocabulary.unsupported.get(name);
  if (key !== undefined) return value.trim() === key.default ? [] : [`${line}: ${key.why}.`];
  const { elsewhere } = vocabulary;
  if (elsewhere.names.has(name)) return [`${line}: it is a key of ${elsewhere.file}.`];
  const nearest = nearestKey(name, vocabulary);
  if (nearest === undefined) return [`${line}: ${whose(name)} has no such key.`];
  const ask = `${line}: did you mean ${nearest}?`;
  const lack = lackOf(nearest, value);
  if (lack !== undefined) throw new UserError(`${origin}${ask} ${lack}. Correct the line or take it out.`);
  const guarded = vocabulary.guards(nearest);
  if (guarded === undefined || vocabulary.holds(nearest, value)) return [ask];
  throw new UserError(`${origin}${ask} It decides ${guarded}: correct the line or take it out.`);
}

/** Names in lower case that the command line, other programs and other files of RocketMQ have for a key. */
const otherWords: ReadonlyMap<string, string> = new Map([
  ['port', 'listenPort'],
  ['host', 'bindAddress'],
  ['rocketmq.namesrv.addr', 'namesrvAddr'],
  ['store', 'storePathRootDir'],
  ['storedir', 'storePathRootDir'],
  ['storepathdir', 'storePathRootDir'],
  ['storerootdir', 'storePathRootDir'],
  ['syncflush', 'flushDiskType'],
]);

/** The known key that a name was probably meant to be. */
export function nearestKey(name: string, { names, unsupported }: Vocabulary): string | undefined {
  const other = otherWords.get(name.toLowerCase());
  if (other !== undefined && names.includes(other)) return other;
  return nameByPrefix(name, names) ?? nearestName(name, [...names, ...missingKeys, ...unsupported.keys()]);
}

function whose(name: string): string {
  return name.startsWith(OWN_PREFIX) ? 'RingMQ' : 'RocketMQ 5.5.0';
}
