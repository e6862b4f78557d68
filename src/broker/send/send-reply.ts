/** Answers to sends, written in place from byte templates: the reply of the hot path is no object and no string. */
import { writeBytes, writeDecimal, writeHex16 } from '../../lib/digits.ts';
import type { Connection } from '../../net/connection.ts';
import type { PendingSends } from '../../net/pending-sends.ts';
import { SEND_BINARY } from '../../net/pending-sends.ts';
import { PROTOCOL_VERSION, responseTo, SERIALIZE_BINARY, SERIALIZE_JSON } from '../../protocol/command.ts';
import { encodeCommand } from '../../protocol/command-codec.ts';
import { encodeMessageId, type HostAddress } from '../../record/message-id.ts';

/** Everything of a reply but the ids of a batch and the unique key. */
const REPLY_ROOM = 512;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

export interface ReplyIdentity {
  storeHost: HostAddress;
  regionId: string;
  traceOn: boolean;
}

export class SendReply {
  readonly #identity: ReplyIdentity;
  readonly #success: Uint8Array;
  readonly #idPrefix: Uint8Array;
  readonly #queueId = Buffer.from('","queueId":"');
  readonly #queueOffset = Buffer.from('","queueOffset":"');
  readonly #transactionId = Buffer.from('","transactionId":"');
  readonly #opaque = Buffer.from('"},"flag":1,"language":"JAVA","opaque":');
  readonly #end = Buffer.from(`,"serializeTypeCurrentRPC":"JSON","version":${PROTOCOL_VERSION}}`);

  constructor(identity: ReplyIdentity) {
    this.#identity = identity;
    this.#success = Buffer.from(
      `{"code":0,"extFields":{"MSG_REGION":${JSON.stringify(identity.regionId)},` +
        `"TRACE_ON":"${identity.traceOn}","msgId":"`,
    );
    this.#idPrefix = Buffer.from(encodeMessageId(identity.storeHost, 0).slice(0, -16));
  }

  /** Writes the answer of send `index` with response code `code` to the connection's output. */
  write(connection: Connection, sends: PendingSends, index: number, code: number): void {
    const binary = ((sends.flags[index] as number) & SEND_BINARY) !== 0;
    if (code !== 0 || binary || sends.batchSizes.has(index) || !this.#writeJson(connection, sends, index)) {
      this.#writeGeneral(connection, sends, index, code, binary);
    }
  }

  /** False, with nothing written, when the unique key would need escapes. */
  #writeJson(connection: Connection, sends: PendingSends, index: number): boolean {
    const keyLength = sends.keyLength[index] as number;
    const start = connection.reserve(REPLY_ROOM + keyLength);
    const out = connection.output;
    let at = writeBytes(out, start + 8, this.#success);
    at = writeBytes(out, at, this.#idPrefix);
    at = writeHex16(out, at, sends.physicalOffset[index] as number);
    at = writeBytes(out, at, this.#queueId);
    at = writeDecimal(out, at, sends.queueId[index] as number);
    at = writeBytes(out, at, this.#queueOffset);
    at = writeDecimal(out, at, sends.queueOffset[index] as number);
    at = writeBytes(out, at, this.#transactionId);
    sends.copyKey(index, out, at);
    for (let i = at; i < at + keyLength; i++) {
      const byte = out[i] as number;
      if (byte < 0x20 || byte >= 0x80 || byte === QUOTE || byte === BACKSLASH) {
        connection.trim(start);
        return false;
      }
    }
    at = writeBytes(out, at + keyLength, this.#opaque);
    at = writeDecimal(out, at, sends.opaque[index] as number);
    at = writeBytes(out, at, this.#end);
    out.writeInt32BE(at - start - 4, start);
    out.writeInt32BE(at - start - 8, start + 4);
    connection.trim(at);
    return true;
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
