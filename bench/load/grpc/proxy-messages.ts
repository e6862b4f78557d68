/**
 * Messages of RocketMQ's gRPC service that a producer and a simple consumer exchange with the proxy. Field numbers are
 * those of apache.rocketmq.v2 (service.proto and definition.proto).
 */
import { field, message, numberField, type ProtoCursor } from './protobuf.ts';

export const OK = 20_000;
/** A receive that found nothing. */
export const MESSAGE_NOT_FOUND = 40_401;

const PRODUCER = 1;
const SIMPLE_CONSUMER = 3;
const TAG = 1;
const NORMAL = 1;
const IDENTITY = 1;

const INVISIBLE_SECONDS = 60;
const POLL_SECONDS = 15;
const REQUEST_SECONDS = 3;

function resource(name: string): Buffer {
  return field(2, name);
}

function seconds(count: number): Buffer {
  return numberField(1, count);
}

/** Everything. */
function expression(): Buffer {
  return message(numberField(1, TAG), field(2, '*'));
}

const USER_AGENT = message(numberField(1, 1), field(2, '5.0.7'), field(4, 'bench'));

/** The command that introduces a producer. */
export function producerSettings(topic: string): Buffer {
  const settings = message(
    numberField(1, PRODUCER),
    field(4, seconds(REQUEST_SECONDS)),
    field(5, field(1, resource(topic))),
    field(7, USER_AGENT),
  );
  return field(2, settings);
}

/** The command that introduces a simple consumer of a group, or says that it is in another one now. */
export function consumerSettings(group: string, topic: string): Buffer {
  const subscription = message(
    field(1, resource(group)),
    field(2, message(field(1, resource(topic)), field(2, expression()))),
    field(5, seconds(POLL_SECONDS)),
  );
  const settings = message(
    numberField(1, SIMPLE_CONSUMER),
    field(4, seconds(REQUEST_SECONDS)),
    field(6, subscription),
    field(7, USER_AGENT),
  );
  return field(2, settings);
}

export function consumerHeartbeat(group: string): Buffer {
  return message(field(1, resource(group)), numberField(2, SIMPLE_CONSUMER));
}

export function producerHeartbeat(): Buffer {
  return numberField(2, PRODUCER);
}

export interface SendShape {
  topic: string;
  tag: string;
  bodyBytes: number;
  /** The unique key. */
  messageId: string;
  bornMillis: number;
}

/** A request to send one message. */
export function sendRequest({ topic, tag, bodyBytes, messageId, bornMillis }: SendShape): Buffer {
  const born = message(
    numberField(1, Math.floor(bornMillis / 1000)),
    numberField(2, (bornMillis % 1000) * 1e6),
  );
  const system = message(
    field(1, tag),
    field(3, messageId),
    numberField(5, IDENTITY),
    numberField(6, NORMAL),
    field(7, born),
    field(8, 'bench'),
  );
  const body = Buffer.alloc(bodyBytes, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ');
  return field(1, message(field(1, resource(topic)), field(3, system), field(4, body)));
}

/** A request to receive: any queue of the broker, the proxy asks all of them. */
export function receiveRequest(group: string, topic: string, brokerName: string, batch: number): Buffer {
  return message(
    field(1, resource(group)),
    field(2, message(field(1, resource(topic)), field(4, field(1, brokerName)))),
    field(3, expression()),
    numberField(4, batch),
    field(5, seconds(INVISIBLE_SECONDS)),
    field(7, seconds(POLL_SECONDS)),
  );
}

/** An acknowledgement of one message by its id and receipt handle. */
export function ackRequest(group: Uint8Array, topic: Uint8Array, id: Uint8Array, handle: Uint8Array): Buffer {
  return message(group, topic, field(3, message(field(1, id), field(2, handle))));
}

/** The fields of an acknowledgement that are the same for all of a group. */
export function ackGroup(group: string, topic: string): [group: Buffer, topic: Buffer] {
  return [field(1, resource(group)), field(2, resource(topic))];
}

/** The code in an answer whose field 1 is its status; -1 when there is none. */
export function statusCode(cursor: ProtoCursor, bytes: Uint8Array, start: number, end: number): number {
  cursor.begin(bytes, start, end);
  while (cursor.next()) {
    if (cursor.field !== 1) continue;
    cursor.begin(bytes, cursor.start, cursor.end);
    while (cursor.next()) if (cursor.field === 1) return cursor.value;
    return 0;
  }
  return -1;
}

/** What a consumer needs of a message that it has received; places are in the bytes that were read. */
export class ReceivedMessage {
  queueId = 0;
  queueOffset = 0;
  /** How often it has been given to a consumer of the group, this time included. */
  attempt = 0;
  keyAt = 0;
  keyLength = 0;
  handleAt = 0;
  handleLength = 0;

  /** Reads the message bytes[start, end). */
  read(cursor: ProtoCursor, bytes: Uint8Array, start: number, end: number): void {
    this.queueId = 0;
    this.queueOffset = 0;
    this.attempt = 0;
    this.keyLength = 0;
    this.handleLength = 0;
    cursor.begin(bytes, start, end);
    while (cursor.next()) {
      if (cursor.field !== 3) continue;
      cursor.begin(bytes, cursor.start, cursor.end);
      while (cursor.next()) this.#system(cursor);
      return;
    }
  }

  #system({ field: number, value, start, end }: ProtoCursor): void {
    if (number === 3) {
      this.keyAt = start;
      this.keyLength = end - start;
    } else if (number === 12) {
      this.handleAt = start;
      this.handleLength = end - start;
    } else if (number === 13) this.queueId = value;
    else if (number === 14) this.queueOffset = value;
    else if (number === 16) this.attempt = value;
  }
}
