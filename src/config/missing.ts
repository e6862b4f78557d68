/**
 * Keys that ask for what RingMQ does not have and whose lack nobody would notice before it is too late: access control,
 * encryption, a second copy of the messages, messages that are kept elsewhere. They end the start, unless
 * `ringmq.allowMissing` names them.
 */
import { nearestName } from '../lib/nearest.ts';
import { UserError } from '../lib/user-error.ts';
import { type Domain, flag, text } from './key.ts';

export const ALLOW_MISSING = 'ringmq.allowMissing';

const NO_ACCESS_CONTROL = 'RingMQ does not check who a client is: whoever reaches the port may do everything';
const NO_ENCRYPTION = 'RingMQ does not encrypt connections';
const NO_COPY = 'RingMQ has no slaves and no controllers: messages are on this machine only';
const NO_SLAVE = 'RingMQ has no slaves: this one would be a master beside the one that it is to follow';
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

const whenTrue: Asking = { asks: (value) => flag.parse(value) === true, when: 'true' };
const whenGiven: Asking = { asks: (value) => value !== '', when: 'given' };
const whenIs = (word: string): Asking => ({
  asks: (value) => value.toLowerCase() === word.toLowerCase(),
  when: word,
});
const whenNot = (word: string): Asking => ({
  asks: (value) => value !== '' && value.toLowerCase() !== word,
  when: `not ${word}`,
});
const whenAbove = (limit: number): Asking => ({
  asks: (value) => Number(value) > limit,
  when: `above ${limit}`,
});

const missing: ReadonlyMap<string, Missing> = new Map<string, Missing>([
  ['aclEnable', { ...whenTrue, lacks: NO_ACCESS_CONTROL }],
  ['authenticationEnabled', { ...whenTrue, lacks: NO_ACCESS_CONTROL }],
  ['authorizationEnabled', { ...whenTrue, lacks: NO_ACCESS_CONTROL }],
  ['useTLS', { ...whenTrue, lacks: NO_ENCRYPTION }],
  ['tls.enable', { ...whenTrue, lacks: NO_ENCRYPTION }],
  ['tls.server.mode', { ...whenIs('enforcing'), lacks: NO_ENCRYPTION }],
  ['brokerRole', { ...whenIs('SLAVE'), lacks: NO_SLAVE }],
  ['brokerId', { ...whenAbove(0), lacks: `${NO_SLAVE}; a master has brokerId=0` }],
  ['haMasterAddress', { ...whenGiven, lacks: NO_SLAVE }],
  ['enableControllerMode', { ...whenTrue, lacks: NO_COPY }],
  ['enableControllerInNamesrv', { ...whenTrue, lacks: 'RingMQ has no controllers: no master is elected' }],
  ['enableDLegerCommitLog', { ...whenTrue, lacks: NO_COPY }],
  ['enableSlaveActingMaster', { ...whenTrue, lacks: NO_COPY }],
  ['duplicationEnable', { ...whenTrue, lacks: NO_COPY }],
  ['allAckInSyncStateSet', { ...whenTrue, lacks: NO_COPY }],
  ['inSyncReplicas', { ...whenAbove(1), lacks: NO_COPY }],
  ['minInSyncReplicas', { ...whenAbove(1), lacks: NO_COPY }],
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

/** The value of `ringmq.allowMissing`. */
export const missingNames: Domain<string> = text(
  'names of keys, separated by commas',
  (given) => namesIn(given).every((name) => missing.has(name)),
  (given, write) => {
    const names = namesIn(given);
    const corrected = names.map((name) => (missing.has(name) ? name : nearestName(name, missingKeys)));
    if (!corrected.includes(undefined)) return `write ${write(corrected.join(','))}`;
    return `allowed are names, separated by commas, out of ${missingKeys.join(', ')}`;
  },
);

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
export function allowedLacks(
  asked: readonly (readonly [name: string, value: string])[],
  allowMissing: string,
  origin: string,
): string[] {
  const allowed = namesIn(allowMissing);
  const refused = asked.filter(([name]) => !allowed.includes(name));
  const sentences = (lines: typeof asked) =>
    lines.map(([name, value]) => `${name}=${value} has no effect: ${lackOf(name, value)}.`);
  if (refused.length === 0) return sentences(asked);
  const names = [...new Set([...allowed, ...refused.map(([name]) => name)])];
  throw new UserError(
    `${origin}${sentences(refused).join(' ')} Take ${refused.length === 1 ? 'that line' : 'these lines'} out, ` +
      `or start all the same with this line: ${ALLOW_MISSING}=${names.join(',')}`,
  );
}
