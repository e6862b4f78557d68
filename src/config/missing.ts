/**
 * Keys that ask for what RingMQ does not have and whose lack nobody would notice before it is too late: access control,
 * a second copy of the messages, messages that are kept elsewhere. They end the start, unless `ringmq.allowMissing`
 * names them.
 */
import { nearestName } from '../lib/nearest.ts';
import { quote } from '../lib/quote.ts';
import { UserError } from '../lib/user-error.ts';
import { type Domain, text } from './key.ts';
import { NO_ACCESS_CONTROL, NO_COPY, soundsMissing } from './sounds-missing.ts';

export const ALLOW_MISSING = 'ringmq.allowMissing';

const OTHER_PLACE = 'RingMQ does not read what RocketMQ keeps there';

/** Which values of a key ask for it, as a test and in words. */
interface Asking {
  asks: (value: string) => boolean;
  when: string;
}

interface Missing extends Asking {
  /** What holds instead, as a sentence without its end. */
  lacks: string;
}

/** `yes`, `1` and `on` are meant as true by whoever writes them. */
const whenOn: Asking = {
  asks: (value) => value !== '' && value.toLowerCase() !== 'false',
  when: 'not false',
};
const whenGiven: Asking = { asks: (value) => value !== '', when: 'given' };
const whenNot = (...words: readonly string[]): Asking => ({
  asks: (value) => value !== '' && !words.includes(value.toLowerCase()),
  when: `not ${words.join(' or ')}`,
});

const missing: ReadonlyMap<string, Missing> = new Map<string, Missing>([
  ['aclEnable', { ...whenOn, lacks: NO_ACCESS_CONTROL }],
  ['authenticationEnabled', { ...whenOn, lacks: NO_ACCESS_CONTROL }],
  ['authorizationEnabled', { ...whenOn, lacks: NO_ACCESS_CONTROL }],
  ['enableControllerMode', { ...whenOn, lacks: NO_COPY }],
  ['enableControllerInNamesrv', { ...whenOn, lacks: 'RingMQ has no controllers: no master is elected' }],
  ['enableDLegerCommitLog', { ...whenOn, lacks: NO_COPY }],
  ['duplicationEnable', { ...whenOn, lacks: NO_COPY }],
  ['storeType', { ...whenNot('default'), lacks: OTHER_PLACE }],
  ['readOnlyCommitLogStorePaths', { ...whenGiven, lacks: OTHER_PLACE }],
]);

export const missingKeys: readonly string[] = [...missing.keys()];

/** Each key with the values that ask for something missing, in words. */
export const missingTexts: readonly string[] = [...missing].map(
  ([name, { when }]) => `\`${name}\` (${when})`,
);

/** What RingMQ lacks of what the line asks for; undefined for everything else. */
export function lackOf(name: string, value: string): string | undefined {
  const key = missing.get(name);
  return key?.asks(value.trim()) === true ? key.lacks : undefined;
}

/** What RingMQ lacks of what an unknown key seems to ask for by its name; undefined for everything else. */
export function seemingLackOf(name: string, value: string): string | undefined {
  const nearest = missing.get(nearestName(name, missingKeys) ?? '');
  const { asks } = nearest ?? whenOn;
  return asks(value.trim()) ? soundsMissing(name) : undefined;
}

/** A line that asks for something missing. */
export interface Lack {
  name: string;
  value: string;
  /** What holds instead, as a sentence without its end. */
  lacks: string;
}

/** The value of `ringmq.allowMissing`. */
export const missingNames: Domain<string> = text(
  'names of keys, separated by commas',
  (given) => namesIn(given).every(mayBeAllowed),
  (given, write) => {
    const names = namesIn(given);
    const corrected = names.map((name) => (mayBeAllowed(name) ? name : nearestName(name, missingKeys)));
    if (!corrected.includes(undefined)) return `write ${write(corrected.join(','))}`;
    return `allowed are names, separated by commas, out of ${missingKeys.join(', ')}`;
  },
);

function mayBeAllowed(name: string): boolean {
  return missing.has(name) || soundsMissing(name) !== undefined;
}

function namesIn(list: string): string[] {
  return list
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

/**
 * Warnings about the lines that ask for something missing and are allowed to. Throws a UserError that names all others
 * and the line that allows them.
 */
export function allowedLacks(asked: readonly Lack[], allowMissing: string, origin: string): string[] {
  const allowed = namesIn(allowMissing);
  const refused = asked.filter(({ name }) => !allowed.includes(name));
  const sentences = (lines: typeof asked) =>
    lines.map(({ name, value, lacks }) => `${quote(name)}=${value} has no effect: ${lacks}.`);
  if (refused.length === 0) return sentences(asked);
  const names = [...new Set([...allowed, ...refused.map(({ name }) => name)])];
  throw new UserError(
    `${origin}${sentences(refused).join(' ')} Take ${refused.length === 1 ? 'that line' : 'these lines'} out, ` +
      `or start all the same with this line: ${ALLOW_MISSING}=${names.join(',')}`,
  );
}
