// A producer made of raw frames: it is registered by heartbeats, sends half messages, ends transactions with whatever
// fields a test wants and keeps the check-backs that the broker sends to it.

import { RawConnection, type RawRequest, type RawResponse, send } from './raw.ts';
import { decodeRecords, encodeProperties, type StoredRecord } from './records.ts';

const HEARTBEAT = 34;
const END_TRANSACTION = 37;
const CHECK_TRANSACTION_STATE = 39;
const TRANSACTION_PREPARED = 4;

export const COMMIT = 8;
export const ROLLBACK = 12;
export const UNKNOWN = 0;

export interface Check {
  readonly fields: Readonly<Record<string, string>>;
  readonly flag: number;
  readonly message: StoredRecord;
}

export interface Half {
  readonly uniqueKey: string;
  readonly queueOffset: number;
  readonly physicalOffset: number;
  readonly offsetMsgId: string;
  readonly reply: RawResponse;
}

let serial = 0;

function newClientId(): string {
  return `raw-${process.pid}-${serial++}`;
}

export class RawProducer {
  readonly group: string;
  readonly clientId: string;
  readonly connection: RawConnection;

  private constructor(group: string, connection: RawConnection, clientId: string) {
    this.group = group;
    this.clientId = clientId;
    this.connection = connection;
  }

  /** `clientId`: it calls itself like another one. */
  static async open(address: string, group: string, clientId = newClientId()): Promise<RawProducer> {
    const producer = new RawProducer(group, await RawConnection.open(address), clientId);
    const heartbeat = {
      clientID: producer.clientId,
      producerDataSet: [{ groupName: group }],
      consumerDataSet: [],
    };
    await producer.connection.request({ code: HEARTBEAT, body: Buffer.from(JSON.stringify(heartbeat)) });
    return producer;
  }

  async half(topic: string, properties: Readonly<Record<string, string | number>> = {}): Promise<Half> {
    const uniqueKey = newUniqueKey();
    const reply = await this.connection.request(
      this.halfRequest(topic, { UNIQ_KEY: uniqueKey, ...properties }),
    );
    if (reply.code !== 0) throw new Error(`half message refused: ${reply.code} ${reply.remark}`);
    return halfOf(uniqueKey, reply);
  }

  halfRequest(
    topic: string,
    properties: Readonly<Record<string, string | number>> = {},
    fields: Readonly<Record<string, string | number>> = {},
  ): RawRequest {
    const all = { TRAN_MSG: 'true', PGROUP: this.group, WAIT: 'true', ...properties };
    const ext = {
      producerGroup: this.group,
      sysFlag: TRANSACTION_PREPARED,
      properties: encodeProperties(all),
    };
    return send(topic, { ...ext, ...fields });
  }

  end(
    half: Half,
    state: number,
    fields: Readonly<Record<string, string | number>> = {},
  ): Promise<RawResponse> {
    return this.connection.request(this.endRequest(half, state, fields));
  }

  endRequest(
    half: Half,
    state: number,
    fields: Readonly<Record<string, string | number>> = {},
  ): RawRequest & { readonly ext: Readonly<Record<string, string | number>> } {
    const ext = {
      producerGroup: this.group,
      tranStateTableOffset: half.queueOffset,
      commitLogOffset: half.physicalOffset,
      commitOrRollback: state,
      fromTransactionCheck: 'false',
      msgId: half.uniqueKey,
      transactionId: half.uniqueKey,
      ...fields,
    };
    return { code: END_TRANSACTION, ext };
  }

  get checks(): Check[] {
    return this.connection.asked
      .filter((request) => request.code === CHECK_TRANSACTION_STATE)
      .map(({ extFields, flag, body }) => {
        const [message] = decodeRecords(body);
        if (message === undefined) throw new Error('a check without its message');
        return { fields: extFields ?? {}, flag, message };
      });
  }

  checksOf(half: Half): Check[] {
    return this.checks.filter((check) => check.fields['transactionId'] === half.uniqueKey);
  }

  /** Waits for the nth check of a half message, counted from 1. */
  check(half: Half, nth: number, timeout: number): Promise<Check> {
    return this.connection.until(`check ${nth}`, () => this.checksOf(half)[nth - 1], timeout);
  }

  close(): void {
    this.connection.destroy();
  }
}

export function newUniqueKey(): string {
  serial++;
  return `7F000001${process.pid.toString(16).padStart(8, '0')}${serial.toString(16).padStart(16, '0')}`.toUpperCase();
}

export function halfOf(uniqueKey: string, reply: RawResponse): Half {
  const offsetMsgId = String(reply.extFields?.['msgId']);
  return {
    offsetMsgId,
    uniqueKey,
    reply,
    queueOffset: Number(reply.extFields?.['queueOffset']),
    physicalOffset: physicalOffsetOf(offsetMsgId),
  };
}

export function physicalOffsetOf(offsetMsgId: string): number {
  return Number.parseInt(offsetMsgId.slice(-16), 16);
}
