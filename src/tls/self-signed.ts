/**
 * The certificate of the test mode: self-signed, with an EC key (P-256), for clients that trust every one. It is the
 * one shape of a certificate that is ever made here, and takes some forty lines of DER; libraries for it bring an
 * ASN.1 framework of twenty packages.
 */
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import type { PemTexts } from './settings.ts';

const SEQUENCE = 0x30;
const SET = 0x31;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OBJECT_ID = 0x06;
const UTF8_TEXT = 0x0c;
const UTC_TIME = 0x17;

/** ecdsa-with-SHA256, 1.2.840.10045.4.3.2. */
const ECDSA_SHA256 = Buffer.from('2a8648ce3d040302', 'hex');
/** The common name, 2.5.4.3. */
const COMMON_NAME = Buffer.from('550403', 'hex');

const DAY_MS = 86_400_000;
/** Clients that do look at it have clocks of their own. */
const BEFORE_DAYS = 1;
const AFTER_DAYS = 3650;

/** Type, length and content of a value; contents here are shorter than 64 KiB. */
function der(type: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([type, ...size]), content]);
}

/** `261127123456Z`: years before 2050 have two digits. */
function time(millis: number): Buffer {
  const digits = new Date(millis)
    .toISOString()
    .slice(2)
    .replace(/\.\d+Z$/, '')
    .replaceAll(/\D/g, '');
  return der(UTC_TIME, Buffer.from(`${digits}Z`));
}

function name(text: string): Buffer {
  const attribute = der(SEQUENCE, der(OBJECT_ID, COMMON_NAME), der(UTF8_TEXT, Buffer.from(text)));
  return der(SEQUENCE, der(SET, attribute));
}

/** `now`: ms since 1970. */
export function selfSigned(now: number, commonName = 'ringmq-test'): Required<Omit<PemTexts, 'ca'>> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = der(SEQUENCE, der(OBJECT_ID, ECDSA_SHA256));
  // Positive, and not zero, whatever comes out.
  const serial = der(INTEGER, Buffer.from([1]), randomBytes(15));
  const validity = der(SEQUENCE, time(now - BEFORE_DAYS * DAY_MS), time(now + AFTER_DAYS * DAY_MS));
  const subject = name(commonName);
  const key = publicKey.export({ type: 'spki', format: 'der' });
  const content = der(SEQUENCE, serial, algorithm, subject, validity, subject, key);
  const signature = der(BIT_STRING, Buffer.from([0]), sign('sha256', content, privateKey));
  const certificate = der(SEQUENCE, content, algorithm, signature).toString('base64');
  const lines = certificate.replaceAll(/.{64}/g, '$&\n').trimEnd();
  return {
    key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
  };
}
