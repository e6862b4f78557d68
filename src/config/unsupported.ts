/** What to tell the person whose configuration file names a key without effect. */
import { OWN_PREFIX } from './broker-keys.ts';
import { type UnsupportedGroup, unsupportedGroups } from './unsupported-keys.ts';

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
      return { name, default: equals < 0 ? undefined : item.slice(equals + 1), why: group.why };
    });
}

/** Undefined for a key that RocketMQ does not know either. */
export function unsupportedKey(name: string): UnsupportedKey | undefined {
  return unsupportedGroups.flatMap(keysOf).find((key) => key.name === name);
}

/** One sentence, or none for a known key that has RocketMQ's default. */
export function warningFor(name: string, value: string): string[] {
  const key = unsupportedKey(name);
  if (key === undefined) {
    const whose = name.startsWith(OWN_PREFIX) ? 'RingMQ' : 'RocketMQ';
    return [`${name}=${value} has no effect: ${whose} has no such key. Is it misspelt?`];
  }
  if (value.trim() === key.default) return [];
  return [`${name}=${value} has no effect: ${key.why}.`];
}
