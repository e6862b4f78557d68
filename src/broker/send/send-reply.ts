/** Answers to sends, written in place from byte templates: the reply of the hot path is no object and no string. */
import { isPlainText } from '../../lib/byte-template.ts';
import { decimalLength, writeDecimal, writeHex16 } from '../../lib/digits.ts';
import type { Connection } from '../../net/connection.ts';
import type { PendingSends } from '../../net/pending-sends.ts';
import { SEND_BINARY, SEND_PLAIN_KEY } from '../../net/pending-sends.ts';
import { PROTOCOL_VERSION, responseTo, SERIALIZE_BINARY, SERIALIZE_JSON } from '../../protocol/command.ts';
import { encodeCommand } from '../../protocol/command-codec.ts';
import { encodeMessageId, type HostAddress } from '../../record/message-id.ts';

/** Longest unique key that gets a template; clients make 32 characters, and lengths come from outside. */
const TEMPLATE_KEY = 64;
const HEX_DIGITS = 16;
/** Longest list of message ids that gets a template. */
const TEMPLATE_IDS = 128;
/** Broker and clients need a handful; lengths come from outside. */
const TEMPLATES_MAX = 1000;
/** Frame length and header word. */
const FRAME_HEAD = 8;

/** A whole reply frame for numbers of certain lengths, and where they go. */
interface Template {
  bytes: Uint8Array;
  /** Of the first id; those of the others follow at `idStep`. */
  physicalOffset: number;
  queueId: number;
  queueOffset: number;
  key: number;
  opaque: number;
}

export interface ReplyIdentity {
  storeHost: HostAddress;
  regionId: string;
  traceOn: boolean;
}

export class SendReply {
  readonly #identity: ReplyIdentity;
  /** Bytes from one message id of a list to the next. */
  readonly #idStep: number;
  /** By the lengths of the parts that vary; a running broker needs a handful. */
  readonly #templates = new Map<number, Template>();

  constructor(identity: ReplyIdentity) {
    this.#identity = identity;
    this.#idStep = `${encodeMessageId(identity.storeHost, 0)},`.length;
  }

  /** Writes the answer of send `index` with response code `code` to the connection's output. */
  write(connection: Connection, sends: PendingSends, index: number, code: number): void {
    const binary = ((sends.flags[index] as number) & SEND_BINARY) !== 0;
    if (code !== 0 || binary || !this.#writeJson(connection, sends, index)) {
      this.#writeGeneral(connection, sends, index, code, binary);
    }
  }

  /** False, with nothing written, when a batch or the unique key is too long, or the key would need escapes. */
  #writeJson(connection: Connection, sends: PendingSends, index: number): boolean {
    const keyLength = sends.keyLength[index] as number;
    const sizes = sends.batchSizes.size > 0 ? sends.batchSizes.get(index) : undefined;
    const ids = sizes === undefined ? 1 : sizes.length;
    if (keyLength > TEMPLATE_KEY || ids > TEMPLATE_IDS) return false;
    const queueId = sends.queueId[index] as number;
    const queueOffset = sends.queueOffset[index] as number;
    const opaque = sends.opaque[index] as number;
    const template = this.#template(ids, keyLength, queueId, queueOffset, opaque);
    const start = connection.reserve(template.bytes.length);
    const out = connection.output;
    out.set(template.bytes, start);
    const key = start + template.key;
    sends.copyKey(index, out, key);
    const isPlain = ((sends.flags[index] as number) & SEND_PLAIN_KEY) !== 0;
    if (!isPlain && !isPlainText(out, key, keyLength)) {
      connection.trim(start);
      return false;
    }
    let position = sends.physicalOffset[index] as number;
    for (let id = 0; id < ids; id++) {
      writeHex16(out, start + template.physicalOffset + id * this.#idStep, position);
      if (sizes !== undefined) position += sizes[id] as number;
    }
    writeDecimal(out, start + template.queueId, queueId);
    writeDecimal(out, start + template.queueOffset, queueOffset);
    writeDecimal(out, start + template.opaque, opaque);
    return true;
  }

  #template(ids: number, keyLength: number, queueId: number, queueOffset: number, opaque: number): Template {
    const lengths = [decimalLength(queueId), decimalLength(queueOffset), decimalLength(opaque)] as const;
    const name = (((ids * 128 + keyLength) * 32 + lengths[0]) * 32 + lengths[1]) * 32 + lengths[2];
    let template = this.#templates.get(name);
    if (template === undefined) {
      if (this.#templates.size >= TEMPLATES_MAX) this.#templates.clear();
      template = this.#makeTemplate(ids, keyLength, ...lengths);
      this.#templates.set(name, template);
    }
    return template;
  }

  #makeTemplate(
    ids: number,
    keyLength: number,
    queueId: number,
    queueOffset: number,
    opaque: number,
  ): Template {
    const { regionId, traceOn, storeHost } = this.#identity;
    const host = encodeMessageId(storeHost, 0).slice(0, -HEX_DIGITS);
    let text = `{"code":0,"extFields":{"MSG_REGION":${JSON.stringify(regionId)},"TRACE_ON":"${traceOn}","msgId":"`;
    text += host;
    const place = (length: number): number => {
      const at = FRAME_HEAD + Buffer.byteLength(text);
      text += '0'.repeat(length);
      return at;
    };
    const template = { physicalOffset: place(HEX_DIGITS), queueId: 0, queueOffset: 0, key: 0, opaque: 0 };
    for (let id = 1; id < ids; id++) text += `,${host}${'0'.repeat(HEX_DIGITS)}`;
    text += '","queueId":"';
    template.queueId = place(queueId);
    text += '","queueOffset":"';
    template.queueOffset = place(queueOffset);
    if (keyLength > 0) text += '","transactionId":"';
    template.key = place(keyLength);
    text += '"},"flag":1,"language":"JAVA","opaque":';
    template.opaque = place(opaque);
    text += `,"serializeTypeCurrentRPC":"JSON","version":${PROTOCOL_VERSION}}`;
    const header = Buffer.byteLength(text);
    const bytes = Buffer.alloc(FRAME_HEAD + header);
    bytes.writeInt32BE(4 + header, 0);
    bytes.writeInt32BE(header, 4);
    bytes.write(text, FRAME_HEAD);
    return { ...template, bytes };
  }

  #writeGeneral(
    connection: Connection,
    sends: PendingSends,
    index: number,
    code: number,
    binary: boolean,
  ): void {
    const key = Buffer.alloc(sends.keyLength[index] as number);
    sends.copyKey(index, key, 0);
    const fields: Record<string, string> = {
      MSG_REGION: this.#identity.regionId,
      TRACE_ON: String(this.#identity.traceOn),
      msgId: this.#messageIds(sends, index),
      queueId: String(sends.queueId[index]),
      queueOffset: String(sends.queueOffset[index]),
    };
    if (key.length > 0) fields['transactionId'] = key.toString();
    const request = {
      opaque: sends.opaque[index] as number,
      serializeType: binary ? SERIALIZE_BINARY : SERIALIZE_JSON,
    };
    const frame = encodeCommand(responseTo(request, code, undefined, fields));
    connection.append(frame);
  }

  /** One id, or those of all messages of a batch, joined by commas. */
  #messageIds(sends: PendingSends, index: number): string {
    let position = sends.physicalOffset[index] as number;
    const sizes = sends.batchSizes.get(index);
    if (sizes === undefined) return encodeMessageId(this.#identity.storeHost, position);
    const ids: string[] = [];
    for (const size of sizes) {
      ids.push(encodeMessageId(this.#identity.storeHost, position));
      position += size;
    }
    return ids.join(',');
  }
}
