/** Sends messages as producers do. */

import { UniqueIds } from '../../lib/unique-id.ts';
import { RequestCode, ResponseCode } from '../../protocol/codes.ts';
import { encodeProperties, PROPERTY_UNIQUE_KEY, PROPERTY_WAIT } from '../../record/properties.ts';
import { numberIn } from './queue-reads.ts';
import type { Queue } from './routes.ts';
import type { Question, Servers } from './servers.ts';
import { now } from './times.ts';

const PRODUCER_GROUP = 'ringmq-cli';
const LOOPBACK = Uint8Array.of(127, 0, 0, 1);
const ids = new UniqueIds(LOOPBACK);

export interface Outgoing {
  body: Uint8Array;
  properties: ReadonlyMap<string, string>;
  flag?: number;
  sysFlag?: number;
}

export interface Sent {
  /** The unique id; by it the message can be found. */
  id: string;
  offsetId: string;
  queue: Queue;
  offset: number;
  /** Stored, but not yet as durable as the broker is set to make it. */
  pending: string | undefined;
}

/** Stored, and more that was asked for has not happened yet. */
const PENDING: ReadonlyMap<number, string> = new Map([
  [ResponseCode.FLUSH_DISK_TIMEOUT, 'stored, not yet known to be durable'],
  [ResponseCode.SLAVE_NOT_AVAILABLE, 'stored, no slave is there to take it'],
  [ResponseCode.FLUSH_SLAVE_TIMEOUT, 'stored, the slave has not yet taken it'],
]);

/** Rejects with a Failure; the message may have been stored all the same when no answer came. */
export async function send(servers: Servers, queue: Queue, message: Outgoing): Promise<Sent> {
  const { question, id } = sendQuestion(queue, message);
  const answer = await servers.ask(queue.address, question);
  return {
    id,
    offsetId: answer.fields['msgId'] ?? '',
    queue: { ...queue, queueId: numberIn(answer, 'queueId', queue.queueId) },
    offset: numberIn(answer, 'queueOffset', -1),
    pending: PENDING.get(answer.code),
  };
}

export function sendQuestion(queue: Queue, message: Outgoing): { question: Question; id: string } {
  const id = message.properties.get(PROPERTY_UNIQUE_KEY) ?? ids.next(now());
  const properties = new Map([[PROPERTY_UNIQUE_KEY, id], [PROPERTY_WAIT, 'true'], ...message.properties]);
  const question: Question = {
    code: RequestCode.SEND_MESSAGE_V2,
    fields: {
      a: PRODUCER_GROUP,
      b: queue.topic,
      c: 'TBW102',
      d: 4,
      e: queue.queueId,
      f: message.sysFlag ?? 0,
      g: now(),
      h: message.flag ?? 0,
      i: encodeProperties(properties),
      j: 0,
      k: false,
      m: false,
      n: queue.broker,
    },
    body: message.body,
    to: `take a message for ${queue.topic}`,
    accept: [...PENDING.keys()],
  };
  return { question, id };
}
