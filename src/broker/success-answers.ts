/** Answers that say nothing but success, from templates: a hundred thousand a second are no objects and no texts. */
import { decimalLength, writeDecimal } from '../lib/digits.ts';
import type { Connection } from '../net/connection.ts';
import { OPAQUE_OFFSET } from '../protocol/binary-header.ts';
import { ResponseCode } from '../protocol/codes.ts';
import { responseTo, SERIALIZE_BINARY, SERIALIZE_JSON } from '../protocol/command.ts';
import { encodeCommand, HEADER_WORD_BYTES, LENGTH_BYTES } from '../protocol/command-codec.ts';

const JSON_OPAQUE = '"opaque":';

interface Template {
  bytes: Uint8Array;
  /** Where the opaque stands. */
  at: number;
}

export class SuccessAnswers {
  /** By the length of a JSON header's opaque. */
  readonly #json = new Map<number, Template>();
  #binary: Template | undefined;

  /** Adds the answer to the connection's output. */
  write(connection: Connection, opaque: number, binary: boolean): void {
    const template = binary ? this.#forBinary(opaque) : this.#forJson(opaque);
    const start = connection.reserve(template.bytes.length);
    const out = connection.output;
    out.set(template.bytes, start);
    if (binary) out.writeInt32BE(opaque, start + template.at);
    else writeDecimal(out, start + template.at, opaque);
  }

  #forBinary(opaque: number): Template {
    this.#binary ??= {
      bytes: new Uint8Array(frameOf(opaque, SERIALIZE_BINARY)),
      at: LENGTH_BYTES + HEADER_WORD_BYTES + OPAQUE_OFFSET,
    };
    return this.#binary;
  }

  #forJson(opaque: number): Template {
    const digits = decimalLength(opaque);
    let template = this.#json.get(digits);
    if (template === undefined) {
      const frame = frameOf(opaque, SERIALIZE_JSON);
      template = { bytes: new Uint8Array(frame), at: frame.lastIndexOf(JSON_OPAQUE) + JSON_OPAQUE.length };
      this.#json.set(digits, template);
    }
    return template;
  }
}

function frameOf(opaque: number, serializeType: number): Buffer {
  return encodeCommand(responseTo({ opaque, serializeType }, ResponseCode.SUCCESS));
}
