/**
 * Options as a program wrote them, checked before anything is started: JavaScript knows no types, and a misspelt option
 * would be a default that nobody asked for. The table of broker.conf's keys says what is allowed.
 */
import { inspect } from 'node:util';
import { brokerKeys } from '../config/broker-keys.ts';
import { type BrokerValues, integer, type Key } from '../config/key.ts';
import { unsupportedBrokerKey } from '../config/vocabularies.ts';
import { MAX_QUEUES_PER_TOPIC } from '../lib/limits.ts';
import { topicNameProblem } from '../lib/names.ts';
import { nearestName } from '../lib/nearest.ts';
import { quote } from '../lib/quote.ts';
import { RingMQError } from './error.ts';

/** Undefined when the value is allowed, else what is, as the end of a sentence. */
export type Check = (value: unknown, path: string, call: string) => string | undefined;

const LONGEST_SHOWN = 60;

export function badOption(call: string, sentence: string): RingMQError {
  return new RingMQError('RINGMQ_BAD_OPTION', `${call}: ${sentence}`);
}

/**
 * A copy of `given` without what is undefined; throws for a name that is not in `checks`, or a value that is not
 * allowed. `path` = where in the options of `call` it stands, with a period at the end. `elsewhere` may know more of a
 * name than that it is none.
 */
export function checked<T extends object>(
  call: string,
  path: string,
  given: unknown,
  checks: ReadonlyMap<string, Check>,
  elsewhere: (name: string) => string | undefined = () => undefined,
): T {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    const what = path === '' ? 'the options are' : `${path.slice(0, -1)} is`;
    throw badOption(call, `${what} ${shown(given)}, and must be an object.`);
  }
  const result: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given)) {
    const check = checks.get(name);
    if (check === undefined) throw badOption(call, noSuch(path, name, checks.keys(), elsewhere(name)));
    if (value === undefined) continue;
    const allowed = check(value, `${path}${name}`, call);
    if (allowed !== undefined) {
      throw badOption(call, `${path}${name}: ${shown(value)} is not possible: allowed is ${allowed}.`);
    }
    result[name] = value;
  }
  return result as T;
}

function noSuch(path: string, name: string, names: Iterable<string>, more: string | undefined): string {
  const sentence = `there is no option ${path}${quote(name)}`;
  if (more !== undefined) return `${sentence}: ${more}.`;
  const known = [...names];
  const nearest = nearestName(name, known);
  if (nearest !== undefined) return `${sentence}: did you mean ${path}${nearest}?`;
  return known.length > 20 ? `${sentence}.` : `${sentence}; there are ${known.join(', ')}.`;
}

export function shown(value: unknown): string {
  return quote(inspect(value, { depth: 1, breakLength: Number.POSITIVE_INFINITY }), LONGEST_SHOWN);
}

/** The domain of a key of broker.conf; a program gives a number as a number. */
export function domain({ allowed, parse }: Pick<Key, 'allowed' | 'parse'>): Check {
  return (value) => {
    // Other objects may not have a text, or that of a number.
    const parsed = typeof value === 'object' && value !== null ? undefined : parse(String(value));
    if (parsed === value) return undefined;
    return parsed === undefined || typeof parsed === typeof value
      ? allowed
      : `${allowed}, as a ${typeof parsed}`;
  };
}

/** The checks of the keys of one place, by the names of their fields, which a program uses. */
export function keyChecks(place: keyof BrokerValues, without: readonly string[]): Map<string, Check> {
  const keys = [...brokerKeys.values()].filter((key) => key.place === place && !without.includes(key.field));
  return new Map(keys.map((key) => [key.field, domain(key)]));
}

export function keyCheck(name: string): Check {
  const key = brokerKeys.get(name);
  if (key === undefined) throw new RangeError(`the table of keys has no ${name}`);
  return domain(key);
}

/** What is known of a name of broker.conf that is no option in this place. */
export function whyNot(name: string): string | undefined {
  return unsupportedBrokerKey(name)?.why;
}

export const isDirectory: Check = (value) => {
  if (typeof value !== 'string' || value.includes('\0')) return 'the path of a directory, as a string';
  if (value.trim() === '') return 'the path of a directory';
  // Node makes a folder of this name.
  if (value === '~' || value.startsWith('~/')) return 'a path without ~ (os.homedir() is the home directory)';
  return undefined;
};

const queues = domain(integer(1, MAX_QUEUES_PER_TOPIC));

export const topicChecks: ReadonlyMap<string, Check> = new Map([['queues', queues]]);

export const isTopicName: Check = (value, path, call) => {
  const problem =
    typeof value === 'string' ? topicNameProblem(value) : 'a topic is named by a string of its own';
  if (problem === undefined) return undefined;
  throw badOption(call, `${path}: ${shown(value)} cannot be a topic: ${problem.replace(/\.$/, '')}.`);
};

export const isLog: Check = (value) => {
  const allowed = "'silent' or an object with functions info, warn and error";
  if (value === 'silent') return undefined;
  if (typeof value !== 'object' || value === null) return allowed;
  const functions = (['info', 'warn', 'error'] as const).map((level) => (value as EmbeddedLoggerLike)[level]);
  if (functions.some((one) => one !== undefined && typeof one !== 'function')) return allowed;
  // An object of another kind is a mistake, and would drop everything.
  return functions.every((one) => one === undefined) ? allowed : undefined;
};

type EmbeddedLoggerLike = Record<'info' | 'warn' | 'error', unknown>;
