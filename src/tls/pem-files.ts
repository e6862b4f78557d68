/**
 * Certificates and keys from their files, checked before anybody is served with them: what is wrong is said in a
 * sentence that names the key of the configuration, the file and what to do.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { UserError } from '../lib/user-error.ts';
import { decryptOldKey } from './old-key.ts';
import type { PemTexts, TlsSettings } from './settings.ts';

/** Which settings are a side's files, and how their keys are called. */
export interface PemPaths {
  side: 'server' | 'client';
  key: string;
  password: string;
  cert: string;
  /** '' = whom the system trusts. */
  trust: string;
}

export function serverPaths(settings: TlsSettings): PemPaths {
  return {
    side: 'server',
    key: settings.serverKeyPath,
    password: settings.serverKeyPassword,
    cert: settings.serverCertPath,
    trust: settings.serverAuthClient ? settings.serverTrustCertPath : '',
  };
}

export function clientPaths(settings: TlsSettings): PemPaths {
  return {
    side: 'client',
    key: settings.clientKeyPath,
    password: settings.clientKeyPassword,
    cert: settings.clientCertPath,
    trust: settings.clientAuthServer ? settings.clientTrustCertPath : '',
  };
}

/** The files that are named, for whoever watches them. */
export function filesOf({ key, cert, trust }: PemPaths): string[] {
  return [cert, key, trust].filter((path) => path !== '');
}

/** What the files hold now. Throws a UserError when that is of no use. */
export function readPemFiles({ side, key, password, cert, trust }: PemPaths): PemTexts {
  const texts: PemTexts = {};
  if (trust !== '') texts.ca = certificatesIn(`tls.${side}.trustCertPath`, trust);
  if (cert === '' && key === '') return texts;
  const [certKey, keyKey] = [`tls.${side}.certPath`, `tls.${side}.keyPath`];
  if (cert === '' || key === '') {
    const [given, lacking] = cert === '' ? [keyKey, certKey] : [certKey, keyKey];
    throw new UserError(`${given} is set and ${lacking} is not: a certificate and its key come together.`);
  }
  texts.cert = certificatesIn(certKey, cert);
  const privateKey = privateKeyIn(keyKey, key, password, `tls.${side}.keyPassword`);
  if (!new X509Certificate(texts.cert).checkPrivateKey(privateKey)) {
    throw new UserError(
      `The key of ${keyKey}=${key} does not fit the certificate of ${certKey}=${cert}: ` +
        'the first certificate in that file has to be the one that was made for this key.',
    );
  }
  texts.key = String(privateKey.export({ type: 'pkcs8', format: 'pem' }));
  return texts;
}

function read(name: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why =
      code === 'ENOENT'
        ? 'it does not exist'
        : code === 'EACCES'
          ? 'this user may not read it'
          : code === 'EISDIR'
            ? 'it is a directory'
            : code;
    throw new UserError(`The file of ${name}=${path} cannot be read: ${why}.`);
  }
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;
const BEGIN = /-----BEGIN [A-Z0-9 ]+-----/;

function certificatesIn(name: string, path: string): string {
  const text = read(name, path);
  try {
    const blocks = text.match(CERTIFICATE);
    if (blocks === null) throw new Error('none');
    for (const block of blocks) new X509Certificate(block);
    return text;
  } catch {
    throw new UserError(
      `The file of ${name}=${path} holds no certificate that can be read: ${whatElse(text, 'CERTIFICATE')}.`,
    );
  }
}

function whatElse(text: string, wanted: string): string {
  const begin = BEGIN.exec(text)?.[0];
  if (begin === undefined) {
    return `it has to be in PEM form, with a line -----BEGIN ${wanted}----- (openssl makes that from other forms)`;
  }
  return begin.includes(wanted) ? `what follows ${begin} is damaged` : `it begins with ${begin}`;
}

function privateKeyIn(name: string, path: string, password: string, passwordName: string): KeyObject {
  const text = read(name, path);
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) {
    throw new UserError(`The file of ${name}=${path} holds no key: ${whatElse(text, 'PRIVATE KEY')}.`);
  }
  const isEncrypted = /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(text);
  if (isEncrypted && password === '') {
    throw new UserError(`The key of ${name}=${path} is encrypted: set ${passwordName}.`);
  }
  try {
    return decryptOldKey(text, password) ?? createPrivateKey({ key: text, passphrase: password });
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    if (isEncrypted && /DECRYPT|decrypt|PKCS12/.test(`${code} ${message}`)) {
      throw new UserError(
        `The key of ${name}=${path} cannot be decrypted: ${passwordName} is not its password.`,
      );
    }
    throw new UserError(
      `The key of ${name}=${path} cannot be read (${message}): ` +
        'openssl pkcs8 -topk8 -in FILE -out NEW_FILE writes it in a form that can.',
    );
  }
}
