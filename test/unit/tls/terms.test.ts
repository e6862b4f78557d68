/** Names of ciphers and versions as Java has them. */
import { X509Certificate } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { selfSigned } from '../../../src/tls/self-signed.ts';
import { isProtocolList, opensslCipher, tlsTerms } from '../../../src/tls/terms.ts';

const test = suite('TLS terms');

test("Java's names of ciphers in OpenSSL's terms", () => {
  for (const [java, openssl] of [
    ['TLS_AES_128_GCM_SHA256', 'TLS_AES_128_GCM_SHA256'],
    ['TLS_CHACHA20_POLY1305_SHA256', 'TLS_CHACHA20_POLY1305_SHA256'],
    ['TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', 'ECDHE-RSA-AES128-GCM-SHA256'],
    ['TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384', 'ECDHE-RSA-AES256-GCM-SHA384'],
    ['TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256', 'ECDHE-RSA-AES128-SHA256'],
    ['TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA', 'ECDHE-ECDSA-AES256-SHA'],
    ['TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256', 'ECDHE-ECDSA-CHACHA20-POLY1305'],
    ['TLS_DHE_RSA_WITH_AES_256_GCM_SHA384', 'DHE-RSA-AES256-GCM-SHA384'],
    ['TLS_RSA_WITH_AES_128_CBC_SHA', 'AES128-SHA'],
    ['TLS_RSA_WITH_AES_256_GCM_SHA384', 'AES256-GCM-SHA384'],
    ['ECDHE-RSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES128-GCM-SHA256'],
  ] as const) {
    assert.is(opensslCipher(java), openssl);
    assert.equal(tlsTerms({ ciphers: java, protocols: '' }), { ciphers: openssl }, 'OpenSSL has it');
  }
});

test('lists, and names that nobody has', () => {
  assert.equal(tlsTerms({ ciphers: '', protocols: ' ' }), {});
  assert.equal(
    tlsTerms({ ciphers: 'TLS_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', protocols: '' }),
    { ciphers: 'TLS_AES_128_GCM_SHA256:ECDHE-RSA-AES128-GCM-SHA256' },
  );
  assert.throws(
    () => tlsTerms({ ciphers: 'TLS_AES_128_GCM_SHA256,TLS_RSA_WITH_RC4_128_MD5', protocols: '' }),
    /^tls\.ciphers: there is no TLS_RSA_WITH_RC4_128_MD5 here\. Take it out/,
  );
});

test('versions are a range', () => {
  const range = (protocols: string) => {
    const { minVersion, maxVersion } = tlsTerms({ ciphers: '', protocols });
    return [minVersion, maxVersion];
  };
  assert.equal(range('TLSv1.2,TLSv1.3'), ['TLSv1.2', 'TLSv1.3']);
  assert.equal(range('TLSv1.3'), ['TLSv1.3', 'TLSv1.3']);
  assert.equal(range('TLSv1, TLSv1.1, TLSv1.2'), ['TLSv1.2', 'TLSv1.2']);
  assert.throws(() => range('TLSv1.1'), /it needs TLSv1\.2, TLSv1\.3 or both/);
  assert.ok(isProtocolList('TLSv1.2,SSLv3'));
  assert.not.ok(isProtocolList('TLSv1.4'));
});

test('the certificate of the test mode is one that others can read', () => {
  const now = Date.UTC(2026, 10, 27, 12, 34, 56);
  const { cert, key } = selfSigned(now, 'a name');
  const certificate = new X509Certificate(cert);
  assert.is(certificate.subject, 'CN=a name');
  assert.is(certificate.issuer, 'CN=a name');
  assert.ok(certificate.verify(certificate.publicKey), 'it has signed itself');
  assert.is(Date.parse(certificate.validFrom), now - 86_400_000);
  assert.is(Date.parse(certificate.validTo), now + 3650 * 86_400_000);
  assert.match(key, /^-----BEGIN PRIVATE KEY-----/);
  assert.is.not(selfSigned(now).cert, cert);
  assert.is.not(new X509Certificate(selfSigned(now).cert).serialNumber, certificate.serialNumber);
});

test.run();
