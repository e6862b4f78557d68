/** Protocol buffers as far as the proxy's messages need them: varints and what is preceded by its length. */

const VARINT = 0;
const FIXED_64 = 1;
const LENGTH = 2;
const FIXED_32 = 5;

/** The bytes of a number below 2^53. */
export function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
}

export function numberField(field: number, value: number): Buffer {
  return Buffer.concat([varint(field * 8 + VARINT), varint(value)]);
}

/** A text, bytes, or another message. */
export function field(number: number, value: string | Uint8Array): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  return Buffer.concat([varint(number * 8 + LENGTH), varint(bytes.length), bytes]);
}

export function message(...fields: readonly Uint8Array[]): Buffer {
  return Buffer.concat(fields);
}

/** Walks over the fields of a message where it lies. */
export class ProtoCursor {
  /** Of the field read last. */
  field = 0;
  /** Its value, when it is a number below 2^53. */
  value = 0;
  /** Where its bytes are, when it has a length: [start, end). */
  start = 0;
  end = 0;
  #bytes: Uint8Array = new Uint8Array();
  #at = 0;
  #limit = 0;

  /** What follows are the fields of the message bytes[start, end). */
  begin(bytes: Uint8Array, start: number, end: number): this {
    this.#bytes = bytes;
    this.#at = start;
    this.#limit = end;
    return this;
  }

  /** Reads a field; false at the end of the message. Throws when the message is cut short. */
  next(): boolean {
    if (this.#at >= this.#limit) return false;
    const tag = this.#varint();
    this.field = Math.floor(tag / 8);
    const wire = tag % 8;
    if (wire === VARINT) {
      this.value = this.#varint();
      return true;
    }
    const size = wire === LENGTH ? this.#varint() : wire === FIXED_64 ? 8 : wire === FIXED_32 ? 4 : -1;
    if (size < 0 || this.#at + size > this.#limit) throw new Error('a message of the proxy is not whole');
    this.start = this.#at;
    this.end = this.#at + size;
    this.#at = this.end;
    return true;
  }

  #varint(): number {
    let value = 0;
    for (let scale = 1; this.#at < this.#limit; scale *= 0x80) {
      const byte = this.#bytes[this.#at++] as number;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw new Error('a number in a message of the proxy is not whole');
  }
}
