// Certificates as RocketMQ's guide has them made: an authority, and keys of RSA that it has signed, encrypted in the
// form that Java reads.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import { temporaryFolder } from './paths.ts';
import type { Conf } from './servers.ts';
import { tool } from './tools.ts';

const APT = 'apt-get install -y openssl';
/** As in RocketMQ's guide; OpenSSL 3 counts it among what is old. */
const OLD_FORM = ['-v1', 'PBE-SHA1-RC4-128', '-provider', 'legacy', '-provider', 'default'];
export const PASSWORD = 'geheim';

export interface Identity {
  readonly cert: string;
  /** Encrypted with PASSWORD, as servers and Java clients take it. */
  readonly key: string;
  /** The same in the clear, for connections of Node. */
  readonly plainKey: string;
}

export class Authority {
  readonly folder = temporaryFolder('certificates');
  readonly cert: string;

  constructor(name = 'authority') {
    this.cert = this.#path(`${name}.pem`);
    const subject = ['-subj', `/CN=${name}`, '-days', '30'];
    const out = ['-keyout', this.#path('authority.key'), '-out', this.cert];
    this.#openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...subject, ...out);
  }

  /** A certificate that the authority has signed, and its key. */
  sign(name: string): Identity {
    const [request, raw] = [this.#path(`${name}.csr`), this.#path(`${name}.raw`)];
    const identity = {
      cert: this.#path(`${name}.pem`),
      key: this.#path(`${name}.key`),
      plainKey: this.#path(`${name}.plain`),
    };
    const made = ['-newkey', 'rsa:2048', '-nodes', '-subj', `/CN=${name}`, '-keyout', raw, '-out', request];
    this.#openssl('req', '-new', ...made);
    const authority = ['-CA', this.cert, '-CAkey', this.#path('authority.key'), '-CAcreateserial'];
    this.#openssl('x509', '-req', '-in', request, ...authority, '-days', '30', '-out', identity.cert);
    this.#openssl('pkcs8', '-topk8', '-nocrypt', '-in', raw, '-out', identity.plainKey);
    const password = ['-passout', `pass:${PASSWORD}`];
    this.#openssl('pkcs8', '-topk8', ...OLD_FORM, '-in', raw, '-out', identity.key, ...password);
    return identity;
  }

  #path(name: string): string {
    return join(this.folder, name);
  }

  #openssl(...args: readonly string[]): void {
    const { status, stderr } = spawnSync(tool('openssl', APT), args, { encoding: 'utf8', timeout: 60_000 });
    if (status !== 0) throw new Error(`openssl ${args.join(' ')}: ${stderr}`);
  }
}

/** Keys of a server that shows `identity`. */
export function serverKeys({ cert, key }: Identity): Conf {
  return {
    'tls.test.mode.enable': false,
    'tls.server.certPath': cert,
    'tls.server.keyPath': key,
    'tls.server.keyPassword': PASSWORD,
  };
}

/** Keys of one that dials others, and of Java's clients; it trusts whom the authority has signed. */
export function clientKeys({ cert, key }: Identity, authority: Authority): Conf {
  return {
    'tls.test.mode.enable': false,
    'tls.client.certPath': cert,
    'tls.client.keyPath': key,
    'tls.client.keyPassword': PASSWORD,
    'tls.client.authServer': true,
    'tls.client.trustCertPath': authority.cert,
  };
}

export function asProperties(conf: Conf): string[] {
  return Object.entries(conf).map(([name, value]) => `-D${name}=${value}`);
}

/** How Node dials a server with these keys. */
export function clientOptions(conf: Conf): ConnectionOptions {
  const cert = conf['tls.client.certPath'];
  if (cert === undefined) return {};
  const key = String(conf['tls.client.keyPath']).replace(/\.key$/, '.plain');
  return { cert: readFileSync(String(cert)), key: readFileSync(key) };
}
