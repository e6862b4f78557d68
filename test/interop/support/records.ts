// Stored messages as pull replies and check-backs carry them, decoded apart from any code of the broker under test.
//
//   | 4 size | 4 magic | 4 crc | 4 queue id | 4 flag | 8 queue offset | 8 physical offset | 4 system flag |
//   | 8 born time | 4 + 4 born host | 8 store time | 4 + 4 store host | 4 reconsume times | 8 prepared offset |
//   | 4 + n body | 1 + n topic (4 + n with the second magic) | 2 + n properties |

import { pull, type RawConnection } from './raw.ts';

const MAGIC_V2 = 0xdaa320a6 | 0;
const BODY_AT = 84;
const PULL_OFFSET_MOVED = 21;
const PULL_NOT_FOUND = 19;
const TOPIC_NOT_EXIST = 17;
/** No test writes as much as this many pulls of 32 messages bring. */
const PULLS = 1_000;

export interface StoredRecord {
  readonly topic: string;
  readonly queueId: number;
  readonly queueOffset: number;
  readonly physicalOffset: number;
  readonly flag: number;
  readonly sysFlag: number;
  readonly bornTime: number;
  readonly storeTime: number;
  readonly reconsumeTimes: number;
  readonly preparedOffset: number;
  readonly body: Buffer;
  readonly properties: Readonly<Record<string, string>>;
}

export function decodeRecords(bytes: Buffer): StoredRecord[] {
  const records: StoredRecord[] = [];
  for (let at = 0; at + 4 <= bytes.length; at += bytes.readInt32BE(at)) records.push(decodeAt(bytes, at));
  return records;
}

function decodeAt(bytes: Buffer, at: number): StoredRecord {
  const long = (offset: number): number => Number(bytes.readBigInt64BE(at + offset));
  const bodyEnd = at + BODY_AT + 4 + bytes.readInt32BE(at + BODY_AT);
  const wide = bytes.readInt32BE(at + 4) === MAGIC_V2;
  const topicAt = bodyEnd + (wide ? 4 : 1);
  const topicEnd = topicAt + (wide ? bytes.readInt32BE(bodyEnd) : bytes.readUInt8(bodyEnd));
  const propertiesEnd = topicEnd + 2 + bytes.readInt16BE(topicEnd);
  return {
    topic: bytes.toString('utf8', topicAt, topicEnd),
    queueId: bytes.readInt32BE(at + 12),
    flag: bytes.readInt32BE(at + 16),
    queueOffset: long(20),
    physicalOffset: long(28),
    sysFlag: bytes.readInt32BE(at + 36),
    bornTime: long(40),
    storeTime: long(56),
    reconsumeTimes: bytes.readInt32BE(at + 72),
    preparedOffset: long(76),
    body: bytes.subarray(at + BODY_AT + 4, bodyEnd),
    properties: decodeProperties(bytes.toString('utf8', topicEnd + 2, propertiesEnd)),
  };
}

function decodeProperties(text: string): Record<string, string> {
  const pairs = text.split('\u0002').filter((pair) => pair.includes('\u0001'));
  return Object.fromEntries(pairs.map((pair) => pair.split('\u0001') as [string, string]));
}

export function encodeProperties(properties: Readonly<Record<string, string | number>>): string {
  return Object.entries(properties)
    .map(([name, value]) => `${name}\u0001${value}\u0002`)
    .join('');
}

/** Everything in a queue. A topic or queue that does not exist yet is empty. */
export async function readQueue(
  connection: RawConnection,
  topic: string,
  queueId = 0,
): Promise<StoredRecord[]> {
  const records: StoredRecord[] = [];
  let next = 0;
  for (let pulls = 0; pulls < PULLS; pulls++) {
    const reply = await connection.request(pull(topic, { queueId, queueOffset: next }));
    if (reply.code === 0) records.push(...decodeRecords(reply.body));
    const before = next;
    next = Number(reply.extFields?.['nextBeginOffset'] ?? next);
    if (reply.code === PULL_NOT_FOUND || (reply.code === PULL_OFFSET_MOVED && next === before))
      return records;
    if (reply.code === TOPIC_NOT_EXIST || (reply.code !== 0 && next === before)) return records;
  }
  throw new Error(`${topic} ${queueId} has no end after ${PULLS} pulls`);
}
