/**
 * The pull request of one lane, patched in place: only opaque and queue offset change, and it is encoded anew only when
 * the offset gets another number of digits or the count changes.
 */
import { RequestCode } from '../../src/protocol/codes.ts';
import {
  type RemotingCommand,
  requestCommand,
  SERIALIZE_BINARY,
  SERIALIZE_JSON,
} from '../../src/protocol/command.ts';
import { encodeCommand } from '../../src/protocol/command-codec.ts';
import { writeDecimal } from './digits.ts';
import { type HeaderFormat, OPAQUE_BASE } from './send-template.ts';

export interface PullShape {
  header: HeaderFormat;
  group: string;
  topic: string;
  queueId: number;
  /** Version of the subscription in the group's heartbeat. */
  subVersion: number;
  expressionType?: 'TAG' | 'SQL92';
}

/** The Java push consumer's: the broker may hold the pull; it knows the subscription from the heartbeat. */
const SYS_FLAG_SUSPEND = 2;
const SUSPEND_MILLIS = 15_000;
const INT_MAX = 0x7fffffff;
/** Offsets with more digits than an int32 has are not patched but encoded. */
const PATCHABLE = 1e9;
const BINARY_OPAQUE_AT = 13;
const OPAQUE_DIGITS = 10;

function pullCommand(shape: PullShape, offset: number, count: number): RemotingCommand {
  const fields = {
    consumerGroup: shape.group,
    topic: shape.topic,
    queueId: String(shape.queueId),
    queueOffset: String(offset),
    maxMsgNums: String(count),
    sysFlag: String(SYS_FLAG_SUSPEND),
    commitOffset: '0',
    suspendTimeoutMillis: String(SUSPEND_MILLIS),
    subVersion: String(shape.subVersion),
    expressionType: shape.expressionType ?? 'TAG',
    maxMsgBytes: String(INT_MAX),
    requestSource: '-1',
  };
  const serializeType = shape.header === 'json' ? SERIALIZE_JSON : SERIALIZE_BINARY;
  return { ...requestCommand(RequestCode.PULL_MESSAGE, fields), opaque: OPAQUE_BASE, serializeType };
}

export class PullFrame {
  readonly #shape: PullShape;
  #frame: Buffer = Buffer.alloc(0);
  #digits = 0;
  #count = 0;
  #offsetAt = 0;
  #opaqueAt = 0;

  constructor(shape: PullShape) {
    this.#shape = shape;
  }

  /** The request; its bytes are those of the one before, which must have been answered. */
  fill(opaque: number, offset: number, count: number): Buffer {
    const digits = String(offset).length;
    if (offset >= PATCHABLE || digits !== this.#digits || count !== this.#count) {
      this.#encode(offset, digits, count);
    } else {
      writeDecimal(this.#frame, this.#offsetAt, digits, offset);
    }
    if (this.#shape.header === 'json') writeDecimal(this.#frame, this.#opaqueAt, OPAQUE_DIGITS, opaque);
    else this.#frame.writeInt32BE(opaque, this.#opaqueAt);
    return this.#frame;
  }

  #encode(offset: number, digits: number, count: number): void {
    const json = this.#shape.header === 'json';
    this.#frame = encodeCommand(pullCommand(this.#shape, offset, count));
    this.#digits = digits;
    this.#count = count;
    // the name is followed by `":"` in JSON and by the value's length, four bytes, in binary
    const name = 'queueOffset';
    this.#offsetAt = this.#frame.indexOf(name, 0, 'latin1') + name.length + (json ? 3 : 4);
    const opaque = '"opaque":';
    this.#opaqueAt = json ? this.#frame.indexOf(opaque, 0, 'latin1') + opaque.length : BINARY_OPAQUE_AT;
  }
}
