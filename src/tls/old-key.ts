/**
 * Keys encrypted as RocketMQ's guide has it (`openssl pkcs8 -topk8 -v1 PBE-SHA1-RC4-128`): Java reads them, and the
 * OpenSSL that Node is built with does not any more. PKCS #8 around PKCS #12's key derivation (RFC 7292, appendix B)
 * and RC4; good enough to read a key that is there, not to protect one.
 */
import { createHash, createPrivateKey, type KeyObject } from 'node:crypto';

/** pbeWithSHA1And128BitRC4 and pbeWithSHA1And40BitRC4, 1.2.840.113549.1.12.1.1 and .2: bytes of the key. */
const KEY_BYTES: ReadonlyMap<string, number> = new Map([
  ['2a864886f70d010c0101', 16],
  ['2a864886f70d010c0102', 5],
]);

/** SHA-1 takes its input in blocks of so many bytes. */
const BLOCK = 64;
/** What the derived bytes are for: 1 = a key. */
const FOR_KEY = 1;

/** Undefined for a text in any other form. Throws for a password that is not the key's. */
export function decryptOldKey(pem: string, password: string): KeyObject | undefined {
  const base64 = /-----BEGIN ENCRYPTED PRIVATE KEY-----([^-]*)-----END/.exec(pem)?.[1];
  if (base64 === undefined) return undefined;
  const [whole] = contents(Buffer.from(base64, 'base64'));
  const [scheme, encrypted] = contents(whole);
  const [name, parameters] = contents(scheme);
  const keyBytes = KEY_BYTES.get(name?.toString('hex') ?? '');
  const [salt, iterations] = keyBytes === undefined ? [] : contents(parameters);
  if (keyBytes === undefined || !salt?.length || !iterations?.length || encrypted === undefined)
    return undefined;
  const rounds = iterations.reduce((sum, byte) => sum * 256 + byte, 0);
  const decrypted = rc4(deriveKey(password, salt, rounds).subarray(0, keyBytes), encrypted);
  try {
    return createPrivateKey({ key: decrypted, format: 'der', type: 'pkcs8' });
  } catch (cause) {
    throw new Error('cannot decrypt', { cause });
  }
}

/** The contents of the values that follow each other in `bytes`; of what is damaged, as far as it goes. */
function contents(bytes: Buffer | undefined): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; bytes !== undefined && at + 2 <= bytes.length; ) {
    const first = bytes[at + 1] as number;
    const sizeBytes = first < 0x80 ? 0 : Math.min(first & 0x7f, 4);
    const begin = at + 2 + sizeBytes;
    if (begin > bytes.length) break;
    const length = sizeBytes === 0 ? first : bytes.readUIntBE(at + 2, sizeBytes);
    found.push(bytes.subarray(begin, begin + length));
    at = begin + length;
  }
  return found;
}

/** One block of SHA-1 is enough for the longest key. */
function deriveKey(password: string, salt: Buffer, rounds: number): Buffer {
  // UTF-16 with the high byte first, and a zero at the end.
  const text = Buffer.from(`${password}\0`, 'utf16le').swap16();
  const input = [Buffer.alloc(BLOCK, FOR_KEY), toBlocks(salt), toBlocks(text)];
  let hash = sha1(Buffer.concat(input));
  for (let i = 1; i < rounds; i++) hash = sha1(hash);
  return hash;
}

function sha1(bytes: Buffer): Buffer {
  return createHash('sha1').update(bytes).digest();
}

/** Repeated until it fills its last block. */
function toBlocks(bytes: Buffer): Buffer {
  return Buffer.alloc(Math.ceil(bytes.length / BLOCK) * BLOCK, bytes);
}

function rc4(key: Buffer, input: Buffer): Buffer {
  const state = Uint8Array.from({ length: 256 }, (_, i) => i);
  const at = (i: number): number => state[i & 0xff] as number;
  const swap = (i: number, j: number): void => {
    [state[i], state[j]] = [at(j), at(i)];
  };
  for (let i = 0, j = 0; i < 256; i++) {
    j = (j + at(i) + (key[i % key.length] as number)) & 0xff;
    swap(i, j);
  }
  let j = 0;
  return Buffer.from(
    input.map((byte, n) => {
      const i = (n + 1) & 0xff;
      j = (j + at(i)) & 0xff;
      swap(i, j);
      return byte ^ at(at(i) + at(j));
    }),
  );
}
