/**
 * The asking half of the request mode, of one connection: a request's slot is held until its send was answered and its
 * reply has come, in whatever order. The broker is told that the reply is here, as a client does.
 */
import { readHex8 } from './digits.ts';
import { COUNTER_AT, KEY_LENGTH } from './unique-key.ts';

/** The broker passes a reply on. */
export const PUSH_REPLY = 326;
/** Ids end in the number of the connection, 8 digits, which the key of a request holds too. */
const CLIENT_ID = 'bench-requester-';

const CORRELATION = Buffer.from('CORRELATION_ID\\u0001', 'latin1');
const HEADER_AT = 8;

/** The client that sends with this first part of all its keys: who replies can tell it from a key. */
export function requesterId(keyPrefix: string): string {
  return CLIENT_ID + keyPrefix.slice(-8);
}

/** The body of a producer's heartbeat: without it the broker knows nobody to pass replies on to. */
export function requesterHeartbeat(keyPrefix: string, group: string): Uint8Array {
  const data = {
    clientID: requesterId(keyPrefix),
    consumerDataSet: [],
    heartbeatFingerprint: 0,
    producerDataSet: [{ groupName: group }],
    withoutSub: false,
  };
  return Buffer.from(JSON.stringify(data));
}

export class Requests {
  /** Opaque of a request under way, by its counter. */
  readonly #opaques = new Map<number, number>();
  /** Of requests of which one of the two has come. */
  readonly #half = new Set<number>();
  #answers = '';

  /** A request is about to be sent. */
  sending(opaque: number, counter: number): void {
    this.#opaques.set(counter >>> 0, opaque);
  }

  /** The send was answered with success. Whether the request is over. */
  answered(opaque: number): boolean {
    if (this.#half.delete(opaque)) return true;
    this.#half.add(opaque);
    return false;
  }

  /** A reply was passed on in this frame: the request that it answers, or -1. Answers the broker. */
  replied(pushOpaque: number, bytes: Uint8Array, start: number, end: number): number {
    const header = `{"code":0,"flag":1,"language":"JAVA","opaque":${pushOpaque},"serializeTypeCurrentRPC":"JSON","version":513}`;
    this.#answers += uint(4, 4 + header.length) + uint(4, header.length) + header;
    const frame = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start);
    const at = frame.indexOf(CORRELATION, HEADER_AT);
    const keyAt = at + CORRELATION.length;
    if (at < 0 || keyAt + KEY_LENGTH > frame.length) return -1;
    const counter = readHex8(frame, keyAt + COUNTER_AT);
    const opaque = this.#opaques.get(counter) ?? -1;
    this.#opaques.delete(counter);
    return opaque;
  }

  /** The answers since the last time, to be written at once; undefined when there are none. */
  take(): Buffer | undefined {
    if (this.#answers === '') return undefined;
    const bytes = Buffer.from(this.#answers, 'latin1');
    this.#answers = '';
    return bytes;
  }
}

/** A number as `width` bytes, each of them a character. */
function uint(width: number, value: number): string {
  let text = '';
  for (let shift = (width - 1) * 8; shift >= 0; shift -= 8)
    text += String.fromCharCode((value >>> shift) & 0xff);
  return text;
}
