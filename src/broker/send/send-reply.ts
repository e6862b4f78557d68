/** Answers to sends, written in place from byte templates: the reply of the hot path is no object and no string. */
import { isPlainText } from '../../lib/byte-template.ts';
import { decimalLength, writeDecimal, writeHex16 } from '../../lib/digits.ts';
import type { Connection } from '../../net/connection.ts';
import type { PendingSends } from '../../net/pending-sends.ts';
import { SEND_BINARY, SEND_PLAIN_KEY } from '../../net/pending-sends.ts';
import {
  type RemotingCommand,
  responseTo,
  SERIALIZE_BINARY,
  SERIALIZE_JSON,
} from '../../protocol/command.ts';
import { encodeCommand } from '../../protocol/command-codec.ts';
import { encodeMessageId, type HostAddress } from '../../record/message-id.ts';
import { layOut, writeOpaque } from '../reply-template.ts';

/** Longest unique key that gets a template; clients make 32 characters, and lengths come from outside. */
const TEMPLATE_KEY = 64;
const POSITION_DIGITS = 16;
/** Longest recall handle that gets a template: it holds a topic, a broker's name and a unique key. */
const TEMPLATE_HANDLE = 511;
/** Longest list of message ids that gets a template. */
const TEMPLATE_IDS = 128;
/** Above all of them: those that say what a stored message waits for in vain, maybe for a long time. */
const TEMPLATE_CODES = 16;
/** The name of no template. */
const NONE = -1;
/** Broker and clients need a handful; lengths come from outside. */
const TEMPLATES_MAX = 1000;

/** What differs from answer to answer besides the opaque; the last two may be missing. */
const VARYING = ['msgId', 'queueId', 'queueOffset', 'transactionId', 'recallHandle'] as const;

/**
 * A whole reply frame for parts of certain lengths, and where they go. One copy of all is a third
 * cheaper than the pieces of a ReplyTemplate, and what is here runs per message.
 */
interface Template {
  bytes: Uint8Array;
  /** The position in the first id; those in the others follow at `idStep`. */
  position: number;
  queueId: number;
  queueOffset: number;
  key: number;
  opaque: number;
  recallHandle: number;
}

export interface ReplyIdentity {
  storeHost: HostAddress;
  regionId: string;
  /** May change at any time. */
  traceOn: () => boolean;
}

export class SendReply {
  readonly #identity: ReplyIdentity;
  /** Bytes from one message id of a list to the next, and from the start of an id to its position. */
  readonly #idStep: number;
  readonly #positionInId: number;
  /** By the lengths of the parts that vary; a running broker needs a handful. */
  readonly #templates = new Map<number, Template>();
  /** The one used last: lengths seldom change, and such a number as a key costs a map some 20 ns. */
  #lastName = NONE;
  #last: Template | undefined;
  /** What the templates say of tracing. */
  #traceOn: boolean;

  constructor(identity: ReplyIdentity) {
    this.#identity = identity;
    this.#traceOn = identity.traceOn();
    const idLength = encodeMessageId(identity.storeHost, 0).length;
    this.#idStep = idLength + 1;
    this.#positionInId = idLength - POSITION_DIGITS;
  }

  /** Writes the answer of send `index` with response code `code` to the connection's output. */
  write(connection: Connection, sends: PendingSends, index: number, code: number): void {
    if (!this.#writeTemplate(connection, sends, index, code)) {
      const key = Buffer.alloc(sends.keyLength[index] as number);
      sends.copyKey(index, key, 0);
      connection.append(encodeCommand(this.#answer(sends, index, code, key.toString())));
    }
  }

  /** False, with nothing written, when parts of it are too long, or the unique key may not stand as it is. */
  #writeTemplate(connection: Connection, sends: PendingSends, index: number, code: number): boolean {
    const handle = sends.recallHandles.size > 0 ? sends.recallHandles.get(index) : undefined;
    const keyLength = sends.keyLength[index] as number;
    const sizes = sends.batchSizes.size > 0 ? sends.batchSizes.get(index) : undefined;
    const ids = sizes === undefined ? 1 : sizes.length;
    const handleLength = handle === undefined ? 0 : handle.length;
    if (keyLength > TEMPLATE_KEY || ids > TEMPLATE_IDS || handleLength > TEMPLATE_HANDLE) return false;
    if (code < 0 || code >= TEMPLATE_CODES) return false;
    const traceOn = this.#identity.traceOn();
    if (traceOn !== this.#traceOn) {
      this.#traceOn = traceOn;
      this.#templates.clear();
      this.#lastName = NONE;
    }
    const template = this.#template(sends, index, code, ids, keyLength, handleLength);
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
      writeHex16(out, start + template.position + id * this.#idStep, position);
      if (sizes !== undefined) position += sizes[id] as number;
    }
    writeDecimal(out, start + template.queueId, sends.queueId[index] as number);
    writeDecimal(out, start + template.queueOffset, sends.queueOffset[index] as number);
    // Base64 stands in either header as it is.
    if (handle !== undefined) out.write(handle, start + template.recallHandle, 'latin1');
    const opaque = sends.opaque[index] as number;
    writeOpaque(out, start + template.opaque, opaque, isBinary(sends, index));
    return true;
  }

  #template(
    sends: PendingSends,
    index: number,
    code: number,
    ids: number,
    keyLength: number,
    handleLength: number,
  ): Template {
    const queueId = decimalLength(sends.queueId[index] as number);
    const queueOffset = decimalLength(sends.queueOffset[index] as number);
    // The opaque of a binary header always has the same length.
    const opaque = isBinary(sends, index) ? 0 : decimalLength(sends.opaque[index] as number);
    const sizes = (ids * 128 + keyLength) * 512 + handleLength;
    const name = (((sizes * TEMPLATE_CODES + code) * 32 + queueId) * 32 + queueOffset) * 32 + opaque;
    if (name === this.#lastName) return this.#last as Template;
    let template = this.#templates.get(name);
    if (template === undefined) {
      if (this.#templates.size >= TEMPLATES_MAX) this.#templates.clear();
      template = this.#makeTemplate(sends, index, code, keyLength);
      this.#templates.set(name, template);
    }
    this.#lastName = name;
    this.#last = template;
    return template;
  }

  /** From the answer of send `index`, its key replaced by one that may stand as it is. */
  #makeTemplate(sends: PendingSends, index: number, code: number, keyLength: number): Template {
    const answer = this.#answer(sends, index, code, '0'.repeat(keyLength));
    const varying = VARYING.filter((name) => name in answer.fields);
    const { bytes, places, opaqueAt } = layOut(answer, varying);
    const placeOf = (name: (typeof VARYING)[number]) => places[varying.indexOf(name)] ?? 0;
    return {
      bytes,
      position: placeOf('msgId') + this.#positionInId,
      queueId: placeOf('queueId'),
      queueOffset: placeOf('queueOffset'),
      key: placeOf('transactionId'),
      recallHandle: placeOf('recallHandle'),
      opaque: opaqueAt,
    };
  }

  #answer(sends: PendingSends, index: number, code: number, key: string): RemotingCommand {
    const fields: Record<string, string> = {
      MSG_REGION: this.#identity.regionId,
      TRACE_ON: String(this.#identity.traceOn()),
      msgId: this.#messageIds(sends, index),
      queueId: String(sends.queueId[index]),
      queueOffset: String(sends.queueOffset[index]),
    };
    if (key.length > 0) fields['transactionId'] = key;
    const handle = sends.recallHandles.get(index);
    if (handle !== undefined) fields['recallHandle'] = handle;
    const request = {
      opaque: sends.opaque[index] as number,
      serializeType: isBinary(sends, index) ? SERIALIZE_BINARY : SERIALIZE_JSON,
    };
    return responseTo(request, code, undefined, fields);
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

function isBinary(sends: PendingSends, index: number): boolean {
  return ((sends.flags[index] as number) & SEND_BINARY) !== 0;
}
