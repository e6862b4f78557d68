/**
 * The second half of transactional sends: each half message that a broker has taken is committed, with an
 * END_TRANSACTION of the same opaque, so that the request's slot is held until both are answered. Clients send it
 * one-way; here it asks for an answer, since only that says that the message is committed.
 */
import { type HalfPlace, readHalfPlace } from './half-reply.ts';
import { COUNTER_DIGITS, type HeaderFormat, PRODUCER_GROUP } from './send-template.ts';

const REQUEST_END_TRANSACTION = 37;
const COMMIT = '8';

export interface CommitShape {
  header: HeaderFormat;
  topic: string;
  /** First part of every unique key of the connection. */
  keyPrefix: string;
}

export class Commits {
  readonly #shape: CommitShape;
  /** 1 while the slot's request is the commit. */
  readonly #committing: Uint8Array;
  /** Counter in the unique key of the message in each slot. */
  readonly #counters: Float64Array;
  /** Commits that are not yet written, as text of bytes. */
  #frames = '';

  constructor(shape: CommitShape, window: number) {
    this.#shape = shape;
    this.#committing = new Uint8Array(window);
    this.#counters = new Float64Array(window);
  }

  /** A half message is about to be sent. */
  sending(slot: number, counter: number): void {
    this.#committing[slot] = 0;
    this.#counters[slot] = counter;
  }

  /** The request in the slot was answered by this frame, with success. True = it was the half; its commit follows. */
  follows(slot: number, opaque: number, bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#committing[slot] === 1) return false;
    this.#committing[slot] = 1;
    const { logOffset, queueOffset } = readHalfPlace(bytes, start, end);
    const counter = (this.#counters[slot] as number).toString(16).toUpperCase();
    const key = this.#shape.keyPrefix + counter.padStart(COUNTER_DIGITS, '0');
    this.#frames += frameOf(this.#shape, { key, logOffset, queueOffset, opaque });
    return true;
  }

  /** The commits since the last time, to be written at once; undefined when there are none. */
  take(): Buffer | undefined {
    if (this.#frames === '') return undefined;
    const bytes = Buffer.from(this.#frames, 'latin1');
    this.#frames = '';
    return bytes;
  }
}

interface Commit extends HalfPlace {
  key: string;
  opaque: number;
}

/** The frame as text of bytes: a text is put together faster than an encoder walks an object. */
function frameOf(shape: CommitShape, commit: Commit): string {
  const isJson = shape.header === 'json';
  const header = isJson ? jsonHeader(shape, commit) : binaryHeader(shape, commit);
  return uint(4, 4 + header.length) + uint(1, isJson ? 0 : 1) + uint(3, header.length) + header;
}

/** Fields and their order as the Java client 5.5.0 has them. */
function fieldsOf(topic: string, { key, logOffset, queueOffset }: Commit): [name: string, value: string][] {
  return [
    ['bname', 'bench'],
    ['commitLogOffset', String(logOffset)],
    ['commitOrRollback', COMMIT],
    ['fromTransactionCheck', 'false'],
    ['msgId', key],
    ['producerGroup', PRODUCER_GROUP],
    ['topic', topic],
    ['tranStateTableOffset', String(queueOffset)],
    ['transactionId', key],
  ];
}

function jsonHeader({ topic }: CommitShape, commit: Commit): string {
  let fields = '';
  for (const [name, value] of fieldsOf(topic, commit))
    fields += `${fields === '' ? '' : ','}"${name}":"${value}"`;
  const rest = `"flag":0,"language":"JAVA","opaque":${commit.opaque},"serializeTypeCurrentRPC":"JSON","version":513`;
  return `{"code":${REQUEST_END_TRANSACTION},"extFields":{${fields}},${rest}}`;
}

function binaryHeader({ topic }: CommitShape, commit: Commit): string {
  let fields = '';
  for (const [name, value] of fieldsOf(topic, commit))
    fields += uint(2, name.length) + name + uint(4, value.length) + value;
  // code 2, language 1 (JAVA), version 2, opaque 4, flag 4, remark length 4, length of the fields 4
  const fixed = uint(2, REQUEST_END_TRANSACTION) + uint(1, 0) + uint(2, 513) + uint(4, commit.opaque);
  return fixed + uint(4, 0) + uint(4, 0) + uint(4, fields.length) + fields;
}

/** A number as `width` bytes, each of them a character. */
function uint(width: number, value: number): string {
  let text = '';
  for (let shift = (width - 1) * 8; shift >= 0; shift -= 8)
    text += String.fromCharCode((value >>> shift) & 0xff);
  return text;
}
