// A client of lite topics, made of raw frames, apart from any code of the broker under test.
//
// A message of a lite topic lies in its parent topic and is entered once more in the queue %LMQ%$parent$lite. Its place
// there stands in its property INNER_MULTI_QUEUE_OFFSET, and that is what handles and acknowledgements name:
//   | 0 | pop time | invisible time | 999 | 0 | broker | 0 | place |

import { type Fields, type NewHandle, requestOf } from './pops.ts';
import { RawConnection, type RawRequest, type RawResponse } from './raw.ts';
import { decodeRecords, type StoredRecord } from './records.ts';
import type { Broker } from './servers.ts';

const ACK = 200_051;
const CHANGE_INVISIBLE_TIME = 200_053;
const POP_LITE = 200_070;
const LITE_SUBSCRIPTION = 200_071;
const NOTIFY_UNSUBSCRIBE = 200_073;

export type LiteAction = 'PARTIAL_ADD' | 'PARTIAL_REMOVE' | 'COMPLETE_ADD' | 'COMPLETE_REMOVE';

export interface OffsetOption {
  readonly type: 'POLICY' | 'OFFSET' | 'TAIL_N' | 'TIMESTAMP';
  readonly value: number;
}

export const LAST: OffsetOption = { type: 'POLICY', value: 0 };
export const MIN: OffsetOption = { type: 'POLICY', value: 1 };
export const MAX: OffsetOption = { type: 'POLICY', value: 2 };

export interface LiteMessage extends StoredRecord {
  readonly liteTopic: string;
  /** Its place in the queue of its lite topic; `queueOffset` is that in the parent topic. */
  readonly place: number;
  readonly handle: string;
}

export interface LiteAnswer {
  readonly code: number;
  readonly remark: string | undefined;
  readonly fields: Readonly<Record<string, string>>;
  readonly messages: readonly LiteMessage[];
  /** How often each message was consumed before; undefined where a client could not tell. */
  readonly counts: readonly number[] | undefined;
}

export interface LiteClientOptions {
  readonly topic: string;
  readonly group: string;
  /** Its name, where it is to come back as the same or to be told from others of its group. */
  readonly clientId?: string;
}

let serial = 0;

export class LiteClient {
  readonly connection: RawConnection;
  readonly topic: string;
  readonly group: string;
  readonly clientId: string;
  readonly #broker: Broker;

  private constructor(connection: RawConnection, broker: Broker, options: LiteClientOptions) {
    serial += 1;
    this.connection = connection;
    this.topic = options.topic;
    this.group = options.group;
    this.clientId = options.clientId ?? `lite-client-${serial}`;
    this.#broker = broker;
  }

  static async open(broker: Broker, options: LiteClientOptions): Promise<LiteClient> {
    return new LiteClient(await RawConnection.open(broker.address), broker, options);
  }

  /** By default: without waiting, invisible for a minute. */
  async pop(fields: Fields = {}): Promise<LiteAnswer> {
    return this.#read(await this.connection.request(this.popRequest(fields)));
  }

  /** What is there or comes soon. */
  next(fields: Fields = {}): Promise<LiteAnswer> {
    return this.pop({ pollTime: 10_000, ...fields });
  }

  /** Does not wait for the answer: `answered` is to be asked for it. */
  begin(fields: Fields = {}): number {
    return this.connection.send(this.popRequest(fields));
  }

  async answered(opaque: number): Promise<LiteAnswer> {
    return this.#read(await this.connection.response(opaque));
  }

  popRequest(fields: Fields = {}): RawRequest {
    return this.#request(POP_LITE, {
      clientId: this.clientId,
      topic: this.topic,
      maxMsgNum: 32,
      invisibleTime: 60_000,
      pollTime: 0,
      bornTime: Date.now(),
      ...fields,
    });
  }

  #read({ code, remark, extFields: fields = {}, body }: RawResponse): LiteAnswer {
    const { popTime, invisibleTime, reviveQid } = fields;
    const messages = decodeRecords(body).map((record) => {
      const { __LITE_TOPIC, INNER_MULTI_QUEUE_OFFSET } = record.properties;
      const place = Number(INNER_MULTI_QUEUE_OFFSET);
      const handle = [0, popTime, invisibleTime, reviveQid, 0, this.#broker.name, 0, place].join(' ');
      return { ...record, liteTopic: String(__LITE_TOPIC), place, handle };
    });
    const counts = countsIn(fields['orderCountInfo'] ?? '', messages.length);
    return { code, remark, fields, messages, counts };
  }

  add(liteTopics: readonly string[], offsetOption?: OffsetOption): Promise<RawResponse> {
    return this.subscribe('PARTIAL_ADD', liteTopics, { offsetOption });
  }

  remove(liteTopics: readonly string[]): Promise<RawResponse> {
    return this.subscribe('PARTIAL_REMOVE', liteTopics);
  }

  /** Fields that are given replace those of the one entry. */
  subscribe(
    action: LiteAction,
    liteTopicSet: readonly string[] = [],
    fields: Readonly<Record<string, unknown>> = {},
  ): Promise<RawResponse> {
    const { clientId, group, topic } = this;
    const entry = { action, clientId, group, topic, liteTopicSet, version: Date.now(), ...fields };
    return this.control(JSON.stringify({ subscriptionSet: [entry] }));
  }

  control(body: string): Promise<RawResponse> {
    return this.connection.request({ code: LITE_SUBSCRIPTION, body: Buffer.from(body) });
  }

  ack(message: LiteMessage, fields: Fields = {}): Promise<RawResponse> {
    return this.connection.request(this.#request(ACK, { ...this.#placeOf(message), ...fields }));
  }

  /** The message comes again after so many ms. */
  async change(message: LiteMessage, invisibleTime: number, fields: Fields = {}): Promise<NewHandle> {
    const ext = { ...this.#placeOf(message), invisibleTime, ...fields };
    const answer = await this.connection.request(this.#request(CHANGE_INVISIBLE_TIME, ext));
    const { code, remark, extFields = {} } = answer;
    const { popTime, invisibleTime: hidden, reviveQid } = extFields;
    const handle = [0, popTime, hidden, reviveQid, 0, this.#broker.name, 0, message.place].join(' ');
    return { code, remark, fields: extFields, handle };
  }

  #placeOf({ liteTopic, place, handle }: LiteMessage): Fields {
    return { topic: this.topic, liteTopic, queueId: 0, offset: place, extraInfo: handle };
  }

  /** What the broker has told this connection about lite topics that are no longer its client's. */
  get dismissals(): RawResponse[] {
    return this.connection.asked.filter(({ code }) => code === NOTIFY_UNSUBSCRIBE);
  }

  dismissed(count = 1): Promise<RawResponse[]> {
    const look = () => (this.dismissals.length >= count ? this.dismissals : undefined);
    return this.connection.until(`${count} dismissals`, look);
  }

  close(): void {
    this.connection.destroy();
  }

  #request(code: number, fields: Fields): RawRequest {
    return requestOf(code, { consumerGroup: this.group, ...fields });
  }
}

/** As RocketMQ's client reads them: a number, or `0 qo0%place number`, for each message, or else nothing. */
function countsIn(text: string, messages: number): number[] | undefined {
  const entries = text === '' ? [] : text.split(';');
  if (entries.length !== messages) return undefined;
  return entries.map((entry) => Number(entry.includes('qo') ? entry.split(' ')[2] : entry));
}
