/** The requests of a trace, as clients write them. */
import { ITEM_BODY, ITEM_BODY_LENGTH } from '../../broker/send/batch-item.ts';
import { RequestCode } from '../../protocol/codes.ts';
import {
  type RemotingCommand,
  requestCommand,
  SERIALIZE_BINARY,
  SERIALIZE_JSON,
} from '../../protocol/command.ts';
import { encodeProperties } from '../../record/properties.ts';
import type { Exchange } from './trace-client.ts';

export const PRODUCER_GROUP = 'ringmq-trace';
const SUSPEND = 2;
const SUBSCRIPTION = 4;
const DEFAULT_TOPIC = 'TBW102';

export type HeaderFormat = 'json' | 'rocketmq';

/** Where a message goes. */
export interface Place {
  address: string;
  broker: string;
  topic: string;
  queueId: number;
}

export interface Outgoing {
  body: Uint8Array;
  properties: ReadonlyMap<string, string>;
}

export class Requests {
  readonly #serializeType: number;

  constructor(format: HeaderFormat) {
    this.#serializeType = format === 'rocketmq' ? SERIALIZE_BINARY : SERIALIZE_JSON;
  }

  /** One message, or several as a batch. */
  send({ topic, queueId, broker }: Place, messages: readonly Outgoing[], bornAt: number): RemotingCommand {
    const [first] = messages;
    const isBatch = messages.length > 1;
    const properties = isBatch || first === undefined ? [] : [...first.properties];
    return this.#command(
      isBatch ? RequestCode.SEND_BATCH_MESSAGE : RequestCode.SEND_MESSAGE_V2,
      {
        a: PRODUCER_GROUP,
        b: topic,
        c: DEFAULT_TOPIC,
        d: 4,
        e: queueId,
        f: 0,
        g: bornAt,
        h: 0,
        i: encodeProperties(properties),
        j: 0,
        k: false,
        m: isBatch,
        n: broker,
      },
      isBatch ? Buffer.concat(messages.map(batchItem)) : first?.body,
    );
  }

  pull(topic: string, queueId: number, offset: number, group: string, waitMs: number): RemotingCommand {
    return this.#command(RequestCode.PULL_MESSAGE, {
      consumerGroup: group,
      topic,
      queueId,
      queueOffset: offset,
      maxMsgNums: 32,
      sysFlag: SUSPEND | SUBSCRIPTION,
      commitOffset: 0,
      suspendTimeoutMillis: waitMs,
      subscription: '*',
      subVersion: 0,
      expressionType: 'TAG',
    });
  }

  maxOffset(topic: string, queueId: number): RemotingCommand {
    return this.#command(RequestCode.GET_MAX_OFFSET, { topic, queueId });
  }

  /** A consumer could not handle the message at `position`, and gives it back. */
  giveBack(
    position: number,
    messageId: string,
    topic: string,
    group: string,
    level: number,
  ): RemotingCommand {
    return this.#command(RequestCode.CONSUMER_SEND_MSG_BACK, {
      offset: position,
      group,
      delayLevel: level,
      originMsgId: messageId,
      originTopic: topic,
      unitMode: false,
      maxReconsumeTimes: 16,
    });
  }

  createTopic(topic: string): RemotingCommand {
    return this.#command(RequestCode.UPDATE_AND_CREATE_TOPIC, {
      topic,
      defaultTopic: DEFAULT_TOPIC,
      readQueueNums: 1,
      writeQueueNums: 1,
      perm: 6,
      topicFilterType: 'SINGLE_TAG',
      topicSysFlag: 0,
      order: false,
    });
  }

  #command(
    code: number,
    fields: Record<string, string | number | boolean>,
    body?: Uint8Array,
  ): RemotingCommand {
    const texts = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, String(value)]));
    return { ...requestCommand(code, texts, body), serializeType: this.#serializeType };
  }
}

/** A message in the body of a batch; magic and CRC are 0, as clients leave them. */
function batchItem({ body, properties }: Outgoing): Buffer {
  const text = Buffer.from(encodeProperties(properties));
  const end = ITEM_BODY + body.length;
  const item = Buffer.alloc(end + 2 + text.length);
  item.writeInt32BE(item.length, 0);
  item.writeInt32BE(body.length, ITEM_BODY_LENGTH);
  item.set(body, ITEM_BODY);
  item.writeInt16BE(text.length, end);
  item.set(text, end + 2);
  return item;
}

/** A whole number among the fields of an answer. */
export function numberOf({ answer }: Exchange, name: string, otherwise: number): number {
  const value = Number(answer.fields[name]);
  return answer.fields[name] !== undefined && Number.isSafeInteger(value) ? value : otherwise;
}
