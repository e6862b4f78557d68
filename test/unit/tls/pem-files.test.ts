/** Certificates and keys from files: every form that is taken, and a sentence for everything that is of no use. */
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { UserError } from '../../../src/lib/user-error.ts';
import { decryptOldKey } from '../../../src/tls/old-key.ts';
import { type PemPaths, readPemFiles } from '../../../src/tls/pem-files.ts';
import { selfSigned } from '../../../src/tls/self-signed.ts';
import { OLD_KEY, OLD_KEY_PASSWORD, OLD_KEY_PLAIN } from './old-key.ts';

const test = suite('PEM files');

const pair = selfSigned(Date.now());
const folder = mkdtempSync(join(tmpdir(), 'ringmq-pem-'));
test.after(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const cert = file('cert.pem', pair.cert);
const key = file('key.pem', pair.key);

function read(paths: Partial<PemPaths>) {
  return readPemFiles({ side: 'server', cert, key, password: '', trust: '', ...paths });
}

function refusal(paths: Partial<PemPaths>): string {
  try {
    read(paths);
  } catch (error) {
    assert.instance(error, UserError);
    return (error as Error).message;
  }
  throw new Error('it was read');
}

const encrypted = (passphrase: string) =>
  String(
    createPrivateKey(pair.key).export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase }),
  );

test('a certificate with its key, and whom to trust', () => {
  const trust = file('trust.pem', `some words\n${selfSigned(0).cert}\n${selfSigned(0).cert}`);
  const texts = read({ trust });
  assert.equal([texts.cert, texts.key], [pair.cert, pair.key]);
  assert.match(texts.ca ?? '', /^some words\n-----BEGIN CERTIFICATE-----/);
  assert.equal(read({ cert: '', key: '' }), {});
});

test('every form of a key comes out as the same key', () => {
  const plain = createPrivateKey(pair.key);
  const forms = {
    sec1: String(plain.export({ type: 'sec1', format: 'pem' })),
    encrypted: encrypted('geheim'),
    'encrypted by its own': String(
      plain.export({ type: 'sec1', format: 'pem', cipher: 'aes-128-cbc', passphrase: 'geheim' }),
    ),
  };
  for (const [form, text] of Object.entries(forms)) {
    assert.is(read({ key: file('form.pem', text), password: 'geheim' }).key, pair.key, form);
  }
});

test("a key encrypted as RocketMQ's guide has it, which OpenSSL 3 does not read", () => {
  const decrypted = decryptOldKey(OLD_KEY, OLD_KEY_PASSWORD);
  assert.is(String(decrypted?.export({ type: 'pkcs8', format: 'pem' })), OLD_KEY_PLAIN);
  assert.throws(() => decryptOldKey(OLD_KEY, 'another'), /cannot decrypt/);
  assert.is(decryptOldKey(pair.key, ''), undefined, 'a key that is not encrypted');
  assert.is(decryptOldKey(encrypted('x'), 'x'), undefined, 'a key that OpenSSL reads');
  for (let end = 0; end < OLD_KEY.length; end += 7) {
    // Whatever is left of it, it is a key, an error, or none of its kind; nothing hangs.
    try {
      decryptOldKey(`${OLD_KEY.slice(0, end)}\n-----END ENCRYPTED PRIVATE KEY-----`, OLD_KEY_PASSWORD);
    } catch (error) {
      assert.instance(error, Error);
    }
  }
});

test('what is of no use is told with key, file and what to do', () => {
  const missing = join(folder, 'missing.pem');
  assert.is(
    refusal({ cert: missing }),
    `The file of tls.server.certPath=${missing} cannot be read: it does not exist.`,
  );
  mkdirSync(join(folder, 'directory'), { recursive: true });
  assert.match(refusal({ key: join(folder, 'directory') }), /it is a directory\.$/);
  assert.match(refusal({ trust: missing }), /tls\.server\.trustCertPath=.* does not exist/);
  assert.match(refusal({ cert: '' }), /^tls\.server\.keyPath is set and tls\.server\.certPath is not/);
  assert.match(
    refusal({ key: '', side: 'client' }),
    /^tls\.client\.certPath is set and tls\.client\.keyPath is not/,
  );

  const der = file('cert.der', String(Buffer.from('3082010a0282', 'hex')));
  assert.match(
    refusal({ cert: der }),
    /holds no certificate .* PEM form, with a line -----BEGIN CERTIFICATE-----/,
  );
  assert.match(
    refusal({ cert: key }),
    /holds no certificate .*: it begins with -----BEGIN PRIVATE KEY-----\.$/,
  );
  assert.match(refusal({ key: cert }), /holds no key: it begins with -----BEGIN CERTIFICATE-----\.$/);
  const damaged = file('damaged.pem', pair.cert.replace(/[A-Za-z]{20}/, 'A'.repeat(20)));
  assert.match(refusal({ cert: damaged }), /what follows -----BEGIN CERTIFICATE----- is damaged/);
  const halfKey = file('half.pem', pair.key.replace(/[A-Za-z]{12}/, 'A'.repeat(12)));
  assert.match(refusal({ key: halfKey }), /cannot be read \(.*\): openssl pkcs8 -topk8 -in FILE/);
});

test('a key that does not fit, and one whose password is missing or wrong', () => {
  const other = file('other.pem', selfSigned(Date.now()).key);
  assert.match(
    refusal({ key: other }),
    /^The key of tls\.server\.keyPath=.* does not fit the certificate of/,
  );
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const rsaFile = file('rsa.pem', String(rsa.export({ type: 'pkcs1', format: 'pem' })));
  assert.match(refusal({ key: rsaFile }), /does not fit/);

  const locked = file('locked.pem', encrypted('right'));
  assert.match(refusal({ key: locked }), /is encrypted: set tls\.server\.keyPassword\.$/);
  assert.match(
    refusal({ key: locked, password: 'wrong' }),
    /tls\.server\.keyPassword is not its password\.$/,
  );
  const old = file('old.pem', OLD_KEY);
  assert.match(refusal({ key: old }), /is encrypted: set tls\.server\.keyPassword\.$/);
  assert.match(refusal({ key: old, password: 'wrong' }), /tls\.server\.keyPassword is not its password\.$/);
  assert.match(refusal({ key: old, password: OLD_KEY_PASSWORD }), /does not fit/);
});

test.run();
