/** Answers that say nothing but success, from templates: a hundred thousand a second are no objects and no texts. */
import { decimalLength } from '../lib/digits.ts';
import type { Connection } from '../net/connection.ts';
import { ResponseCode } from '../protocol/codes.ts';
import { responseTo, SERIALIZE_BINARY, SERIALIZE_JSON } from '../protocol/command.ts';
import { encodeCommand } from '../protocol/command-codec.ts';
import { opaquePlace, writeOpaque } from './answer-opaque.ts';

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
    writeOpaque(out, start + template.at, opaque, binary);
  }

  #forBinary(opaque: number): Template {
    this.#binary ??= templateOf(opaque, true);
    return this.#binary;
  }

  #forJson(opaque: number): Template {
    const digits = decimalLength(opaque);
    let template = this.#json.get(digits);
    if (template === undefined) {
      template = templateOf(opaque, false);
      this.#json.set(digits, template);
    }
    return template;
  }
}

function templateOf(opaque: number, binary: boolean): Template {
  const serializeType = binary ? SERIALIZE_BINARY : SERIALIZE_JSON;
  const frame = encodeCommand(responseTo({ opaque, serializeType }, ResponseCode.SUCCESS));
  return { bytes: new Uint8Array(frame), at: opaquePlace(frame, binary) };
}
