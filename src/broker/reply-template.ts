/**
 * Answers that are the same but for their opaque and some values: everything else of a header is there as bytes, in
 * either form, between which the values are written. What the general encoder would write comes out byte for byte.
 *
 *     const reply = template.begin(connection, request.opaque, binary);
 *     reply.number(offset);   // for each value that varies, in the order of the fields
 *     reply.endHeader();
 */
import { assert } from '../lib/assert.ts';
import { isPlainByte } from '../lib/byte-template.ts';
import { copied } from '../lib/copied.ts';
import { writeDecimal } from '../lib/digits.ts';
import type { Connection } from '../net/connection.ts';
import { OPAQUE_OFFSET, REMARK_OFFSET } from '../protocol/binary-header.ts';
import { type RemotingCommand, responseTo, SERIALIZE_BINARY, SERIALIZE_JSON } from '../protocol/command.ts';
import { encodeCommand, HEADER_WORD_BYTES, LENGTH_BYTES } from '../protocol/command-codec.ts';

/** Value of a field that is written anew in each answer. */
export const VARIES = undefined;

export type ReplyFields = Readonly<Record<string, string | undefined>>;

const HEADER_AT = LENGTH_BYTES + HEADER_WORD_BYTES;
const OPAQUE_AT = HEADER_AT + OPAQUE_OFFSET;
/** What stands for values that vary while the pieces are made. */
const STAND_IN = '0';
/** Before the digits of a JSON header's opaque. */
const JSON_OPAQUE = '"opaque":';
const OPAQUE_DIGITS = 11;
const NUMBER_DIGITS = 20;

/** One form of the frame, its length field included. */
interface Form {
  binary: boolean;
  /** Each ends where a value begins; of a JSON header the last one where the opaque does. */
  pieces: readonly Uint8Array[];
  tail: Uint8Array;
  /** Of all pieces and the opaque. */
  length: number;
  /** Of a binary header: where the length of all fields stands, which the fields follow. */
  fieldsAt: number;
}

/** Of one code, one remark and fields in their order. */
export class ReplyTemplate {
  readonly #json: Form;
  readonly #binary: Form;

  constructor(code: number, remark: string | undefined, fields: ReplyFields) {
    this.#json = formOf(code, remark, fields, SERIALIZE_JSON);
    this.#binary = formOf(code, remark, fields, SERIALIZE_BINARY);
  }

  /**
   * Begins an answer in the connection's output; what its values and its body take beyond a number for each value goes
   * into `more`. Until `endHeader` nothing else may be written there. There is one reply at a time.
   */
  begin(connection: Connection, opaque: number, binary: boolean, more = 0): Reply {
    reply.begin(connection, binary ? this.#binary : this.#json, opaque, more);
    return reply;
  }
}

class Reply {
  #connection!: Connection;
  #form!: Form;
  #opaque = 0;
  #start = 0;
  #piece = 0;
  /** Where the next byte goes in `out`. */
  at = 0;
  out!: Buffer;

  begin(connection: Connection, form: Form, opaque: number, more: number): void {
    this.#connection = connection;
    this.#form = form;
    this.#opaque = opaque;
    this.#start = connection.reserve(form.length + form.pieces.length * NUMBER_DIGITS + more);
    this.#piece = 0;
    this.at = this.#start;
    this.out = connection.output;
  }

  number(value: number): void {
    const at = this.open();
    this.close(writeDecimal(this.out, at, value));
  }

  /** False when the text is none that stands in either header as it is: then `drop` it, and encode in general. */
  text(value: string): boolean {
    const at = this.open();
    const { out } = this;
    for (let i = 0; i < value.length; i++) {
      const unit = value.charCodeAt(i);
      if (!isPlainByte(unit)) return false;
      out[at + i] = unit;
    }
    this.close(at + value.length);
    return true;
  }

  /** Begins the next value, whose bytes must stand in JSON as they are: they go into `out` from where it returns. */
  open(): number {
    this.at = copy(this.out, this.at, this.#form.pieces[this.#piece++] as Uint8Array);
    return this.at;
  }

  /** Ends the value that was begun. */
  close(to: number): void {
    if (this.#form.binary) writeInt32(this.out, this.at - 4, to - this.at);
    this.at = to;
  }

  /**
   * Ends the header: whatever else was reserved is the body's, and begins at the offset returned. `reserved`: of the
   * body, when the rest of it does not come into the output.
   */
  endHeader(bodyLength = 0, reserved = bodyLength): number {
    const form = this.#form;
    const out = this.out;
    const start = this.#start;
    if (form.binary) {
      this.at = copy(out, this.at, form.tail);
      writeInt32(out, start + OPAQUE_AT, this.#opaque);
      const fieldsAt = start + form.fieldsAt;
      writeInt32(out, fieldsAt, this.at - fieldsAt - 4);
    } else {
      this.at = writeDecimal(out, this.open(), this.#opaque);
      this.at = copy(out, this.at, form.tail);
    }
    const headerLength = this.at - start - HEADER_AT;
    writeInt32(out, start, this.at - start - LENGTH_BYTES + bodyLength);
    writeInt32(
      out,
      start + LENGTH_BYTES,
      ((form.binary ? SERIALIZE_BINARY : SERIALIZE_JSON) << 24) | headerLength,
    );
    this.#connection.trim(this.at + reserved);
    return this.at;
  }

  /** Where it begins in `out`. */
  get start(): number {
    return this.#start;
  }

  /** Takes it all back. */
  drop(): void {
    this.#connection.trim(this.#start);
  }
}

const reply = new Reply();

export type { Reply };

/** A call even for short pieces: a loop over their bytes takes twice as long. */
function copy(out: Buffer, at: number, piece: Uint8Array): number {
  out.set(piece, at);
  return at + piece.length;
}

function writeInt32(out: Uint8Array, at: number, value: number): void {
  out[at] = value >>> 24;
  out[at + 1] = value >>> 16;
  out[at + 2] = value >>> 8;
  out[at + 3] = value;
}

function formOf(code: number, remark: string | undefined, fields: ReplyFields, serializeType: number): Form {
  const filled = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, value ?? STAND_IN]));
  const varying = Object.keys(fields).filter((name) => fields[name] === VARIES);
  const laidOut = layOut(responseTo({ opaque: 0, serializeType }, code, remark, filled), varying);
  const { bytes, opaqueAt, fieldsAt } = laidOut;
  const binary = serializeType === SERIALIZE_BINARY;
  const places = binary ? laidOut.places : [...laidOut.places, opaqueAt];
  let from = 0;
  const pieces = places.map((place) => {
    const piece = copied(bytes, from, place);
    from = place + STAND_IN.length;
    return piece;
  });
  return { binary, pieces, tail: copied(bytes, from), length: bytes.length + OPAQUE_DIGITS, fieldsAt };
}

/** A frame of the general encoder, and where in it stands what may differ in another one. */
export interface LaidOut {
  bytes: Uint8Array;
  /** Of the values asked for, in their order. */
  places: number[];
  opaqueAt: number;
  /** Of a binary header: where the length of all fields stands, which the fields follow. */
  fieldsAt: number;
}

/** `varying`: names of fields. */
export function layOut(answer: RemotingCommand, varying: readonly string[]): LaidOut {
  const frame = encodeCommand(answer);
  const isBinary = answer.serializeType === SERIALIZE_BINARY;
  const fieldsAt = HEADER_AT + REMARK_OFFSET + 4 + Buffer.byteLength(answer.remark ?? '');
  const opaqueAt = isBinary ? HEADER_AT + OPAQUE_OFFSET : frame.lastIndexOf(JSON_OPAQUE) + JSON_OPAQUE.length;
  const all = isBinary ? binaryPlaces(answer, fieldsAt + 4) : jsonPlaces(answer);
  const places = varying.map((name) => {
    const place = all.get(name);
    assert(place !== undefined && frame.indexOf(answer.fields[name] as string, place) === place, name);
    return place;
  });
  return { bytes: new Uint8Array(frame), places, opaqueAt, fieldsAt };
}

/** Where the values begin in the frame of a JSON header. */
function jsonPlaces({ code, fields }: RemotingCommand): Map<string, number> {
  const places = new Map<string, number>();
  let at = HEADER_AT + `{"code":${code},"extFields":{`.length;
  for (const [name, value] of Object.entries(fields)) {
    at += Buffer.byteLength(JSON.stringify(name)) + 1;
    places.set(name, at + 1);
    at += Buffer.byteLength(JSON.stringify(value)) + 1;
  }
  return places;
}

/** The same of a binary header, whose fields begin at `from`. */
function binaryPlaces({ fields }: RemotingCommand, from: number): Map<string, number> {
  const places = new Map<string, number>();
  let at = from;
  for (const [name, value] of Object.entries(fields)) {
    at += 2 + Buffer.byteLength(name) + 4;
    places.set(name, at);
    at += Buffer.byteLength(value);
  }
  return places;
}

/** Writes the opaque where `layOut` found it: a JSON header's needs as many characters as the one that is there. */
export function writeOpaque(out: Uint8Array, at: number, opaque: number, binary: boolean): void {
  if (binary) writeInt32(out, at, opaque);
  else writeDecimal(out, at, opaque);
}
