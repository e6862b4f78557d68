/** Ciphers and protocol versions as Java writes them, in OpenSSL's terms. */
import { UserError } from '../lib/user-error.ts';
import { nodeTls } from './node-tls.ts';
import type { TlsSettings, TlsTerms } from './settings.ts';

/** Java and OpenSSL have the same names for these. */
const TLS_1_3 = /^TLS_(?:AES|CHACHA20)_/;

/** `TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256` is `ECDHE-RSA-AES128-GCM-SHA256`; OpenSSL's own names stay. */
export function opensslCipher(name: string): string {
  if (TLS_1_3.test(name) || !name.startsWith('TLS_')) return name;
  return name
    .slice('TLS_'.length)
    .replace(/^RSA_WITH_/, '')
    .replace('_WITH_', '_')
    .replace(/(AES|CAMELLIA|ARIA)_(\d+)/, '$1$2')
    .replace('_CBC', '')
    .replace(/(CHACHA20_POLY1305)_SHA256$/, '$1')
    .replaceAll('_', '-');
}

/** The list with its names in OpenSSL's terms, or the first that OpenSSL does not have. */
function ciphersOf(list: string): string {
  const known = new Set(nodeTls().getCiphers());
  const ciphers = namesIn(list).map((name) => {
    const cipher = opensslCipher(name);
    if (known.has(cipher.toLowerCase())) return cipher;
    throw new UserError(
      `tls.ciphers: there is no ${name} here. Take it out; ` +
        '`node -p "tls.getCiphers().join()"` prints the names of all that there are.',
    );
  });
  return ciphers.join(':');
}

/** Throws a UserError for a name that nobody has. */
export function tlsTerms({ ciphers, protocols }: Pick<TlsSettings, 'ciphers' | 'protocols'>): TlsTerms {
  const terms: TlsTerms = {};
  if (ciphers.trim() !== '') terms.ciphers = ciphersOf(ciphers);
  if (protocols.trim() === '') return terms;
  const wanted = namesIn(protocols);
  const [least, most] = [wanted.includes('TLSv1.2'), wanted.includes('TLSv1.3')];
  if (!least && !most) {
    throw new UserError(`tls.protocols=${protocols} is not possible: it needs TLSv1.2, TLSv1.3 or both.`);
  }
  return { ...terms, minVersion: least ? 'TLSv1.2' : 'TLSv1.3', maxVersion: most ? 'TLSv1.3' : 'TLSv1.2' };
}

/** Versions that Java has names for. Node speaks none before 1.2: older ones may be listed beside it. */
const VERSIONS: readonly string[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3', 'SSLv2Hello', 'SSLv3'];

/** For the key's domain. */
export function isProtocolList(list: string): boolean {
  return namesIn(list).every((name) => VERSIONS.includes(name));
}

function namesIn(list: string): string[] {
  return list
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}
