/** Names of unknown keys that sound like access control, encryption or copies, which they do not bring about. */

export const NO_ACCESS_CONTROL =
  'RingMQ does not check who a client is: whoever reaches the port may do everything';
const OTHER_ENCRYPTION = 'RingMQ encrypts connections by the keys of docs/tls.md, and this is none of them';
export const NO_COPY =
  'RingMQ keeps copies by brokerRole, brokerId and inSyncReplicas alone, and elects no master';

const subjects: readonly (readonly [words: RegExp, lacks: string])[] = [
  [anyOf('acl', 'acls', 'auth', 'authentication', 'authorization'), NO_ACCESS_CONTROL],
  [anyOf('tls', 'ssl'), OTHER_ENCRYPTION],
  [anyOf('replica', 'replicas', 'replication', 'slave', 'slaves'), NO_COPY],
  // Guides split it in every way: DLeger, dLedger, Dledger.
  [/dled?ger/i, NO_COPY],
];

/** One of the words in a camel-case name: `aclFile`, `acl.file`, `enableAcl`, `enableACL`, `ACLEnable`. */
function anyOf(...words: readonly string[]): RegExp {
  const spellings = words.flatMap((word) => [
    `(?<![A-Za-z])${word}(?![a-z])`,
    `${word.charAt(0).toUpperCase()}${word.slice(1)}(?![a-z])`,
    `(?<![A-Z])${word.toUpperCase()}`,
  ]);
  return new RegExp(spellings.join('|'));
}

/** What RingMQ lacks of what the name sounds like. */
export function soundsMissing(name: string): string | undefined {
  return subjects.find(([words]) => words.test(name))?.[1];
}
