/** The keys `tls.*`, for brokers and name servers: RocketMQ's Java system properties, and the file that they name. */
import { existsSync } from 'node:fs';
import { UserError } from '../lib/user-error.ts';
import { CLIENT_AUTHS, DEFAULT_TLS_SETTINGS, TLS_MODES, type TlsSettings } from '../tls/settings.ts';
import { isProtocolList } from '../tls/terms.ts';
import { file } from './domains.ts';
import { choice, type Domain, type FieldsOf, flag, type Key, parseValue, text, type Value } from './key.ts';
import { readProperties } from './properties-file.ts';

type Scalar = string | boolean;

interface More {
  guards?: string;
  secret?: boolean;
  defaultText?: string;
  /** Not read from the file that tls.config.file names. */
  notInFile?: boolean;
}

interface TlsKey extends Key {
  readonly field: keyof TlsSettings;
  readonly notInFile?: boolean;
}

function key<V extends Scalar>(
  name: string,
  field: FieldsOf<TlsSettings, V>,
  domain: Domain<V>,
  meaning: string,
  more: More = {},
): TlsKey {
  return { name, place: 'tls', field, ...domain, meaning, changeable: false, ...more };
}

const ENCRYPTS = 'whether connections are encrypted';
const SHOWS = 'which certificate is shown';
const CHECKS = 'whether others have to show a certificate that is trusted';
const anyText = text('a text');
const protocols = text('TLSv1.2, TLSv1.3, separated by commas', isProtocolList);

/** Both say that other servers are spoken to by TLS. */
const ENABLE = ['tls.enable', 'useTLS'] as const;

export const tlsKeyList: readonly TlsKey[] = [
  key(
    'tls.server.mode',
    'mode',
    choice(...TLS_MODES),
    'What the port takes: plain text only, TLS too, TLS only.',
    { guards: ENCRYPTS, notInFile: true },
  ),
  ...ENABLE.map((name) =>
    key(name, 'enable', flag, 'Speak TLS to name servers.', {
      guards: ENCRYPTS,
      notInFile: true,
      defaultText: '`true` with tls.server.mode=enforcing, else `false`',
    }),
  ),
  key('tls.config.file', 'configFile', file, 'File with the keys that follow; it wins over broker.conf.', {
    guards: SHOWS,
    notInFile: true,
  }),
  key(
    'tls.test.mode.enable',
    'testMode',
    flag,
    'Show a self-signed certificate and trust everybody; the files that follow are not read.',
    { guards: SHOWS },
  ),
  key('tls.server.certPath', 'serverCertPath', file, 'Certificate chain of the port, PEM.', {
    guards: SHOWS,
  }),
  key('tls.server.keyPath', 'serverKeyPath', file, 'Its key, PEM.', { guards: SHOWS }),
  key('tls.server.keyPassword', 'serverKeyPassword', anyText, 'Password of that key.', { secret: true }),
  key(
    'tls.server.need.client.auth',
    'needClientAuth',
    choice(...CLIENT_AUTHS),
    'Whether clients are asked for a certificate, and have to show one.',
    { guards: CHECKS },
  ),
  key(
    'tls.server.authClient',
    'serverAuthClient',
    flag,
    'Whether it must be signed by one of tls.server.trustCertPath.',
    { guards: CHECKS },
  ),
  key(
    'tls.server.trustCertPath',
    'serverTrustCertPath',
    file,
    "Who signs clients' certificates, PEM; without it, whom Node.js trusts.",
    { guards: CHECKS },
  ),
  key('tls.client.certPath', 'clientCertPath', file, 'Certificate chain for other servers, PEM.', {
    guards: SHOWS,
  }),
  key('tls.client.keyPath', 'clientKeyPath', file, 'Its key, PEM.', { guards: SHOWS }),
  key('tls.client.keyPassword', 'clientKeyPassword', anyText, 'Password of that key.', { secret: true }),
  key(
    'tls.client.authServer',
    'clientAuthServer',
    flag,
    'Whether their certificates must be signed by one of tls.client.trustCertPath.',
    { guards: CHECKS },
  ),
  key(
    'tls.client.trustCertPath',
    'clientTrustCertPath',
    file,
    "Who signs servers' certificates, PEM; without it, whom Node.js trusts.",
    { guards: CHECKS },
  ),
  key('tls.ciphers', 'ciphers', anyText, "Ciphers, separated by commas, by Java's or OpenSSL's names."),
  key('tls.protocols', 'protocols', protocols, 'Versions, separated by commas.'),
];

export const tlsKeys: ReadonlyMap<string, TlsKey> = new Map(tlsKeyList.map((one) => [one.name, one]));

function write(settings: TlsSettings, { field }: TlsKey, value: Value): void {
  (settings as unknown as Record<string, Value>)[field] = value;
}

/** The settings that the lines of a configuration file come to; other keys are passed over. */
export function tlsSettingsOf(given: ReadonlyMap<string, string>, origin: string): TlsSettings {
  const settings = { ...DEFAULT_TLS_SETTINGS };
  for (const [name, given_] of given) {
    const known = tlsKeys.get(name);
    if (known !== undefined) write(settings, known, parseValue(known, given_, origin));
  }
  return settings;
}

/**
 * Takes in the file that tls.config.file names, as RocketMQ over everything else, and what follows from other values.
 * `set`: keys that were given. Returns warnings; throws a UserError for what cannot be meant.
 */
export function completeTls(settings: TlsSettings, set: ReadonlySet<string>): string[] {
  const warnings = takeFile(settings, set.has('tls.config.file'));
  if (!ENABLE.some((name) => set.has(name))) settings.enable = settings.mode === 'enforcing';
  return [...warnings, ...trapsIn(settings)];
}

/** At its usual place the file may be missing; one that was asked for may not. */
function takeFile(settings: TlsSettings, asked: boolean): string[] {
  const { configFile } = settings;
  if (configFile === '' || (!asked && !existsSync(configFile))) return [];
  const warnings: string[] = [];
  for (const [name, given] of readProperties(configFile, 'Check tls.config.file')) {
    const known = tlsKeys.get(name);
    if (known !== undefined && known.notInFile !== true) {
      write(settings, known, parseValue(known, given, `${configFile}: `));
    } else {
      const where =
        known === undefined ? 'there is no such key for TLS' : 'it has to stand in the file of -c';
      warnings.push(`${configFile}: ${name} has no effect: ${where}.`);
    }
  }
  return warnings;
}

/** Lines that leave a door open which their author thinks is shut. */
function trapsIn(settings: TlsSettings): string[] {
  const { mode, enable, testMode, needClientAuth, serverAuthClient } = settings;
  const isServer = mode !== 'disabled';
  const checks = isServer && needClientAuth !== 'none';
  if (!testMode) {
    if (!checks || serverAuthClient || needClientAuth === 'optional') return [];
    return [
      'tls.server.need.client.auth=require takes any certificate, also one that a client has made for itself, as long as ' +
        'tls.server.authClient is not true.',
    ];
  }
  const off = 'as long as tls.test.mode.enable is true (the default). Set tls.test.mode.enable=false';
  if (checks) {
    throw new UserError(
      `tls.server.need.client.auth=${needClientAuth} has no effect, and everybody is let in, ${off}, or take the line out.`,
    );
  }
  const unread = [
    ...(isServer && settings.serverCertPath !== '' ? ['tls.server.certPath'] : []),
    ...(enable && settings.clientAuthServer ? ['tls.client.authServer'] : []),
    ...(enable && settings.clientCertPath !== '' ? ['tls.client.certPath'] : []),
  ];
  return unread.length === 0 ? [] : [`${unread.join(' and ')} have no effect ${off}.`];
}
