// A client that pops by plain requests: it sees what the answers say, and can say what no real client would.

import { RequestCode } from '../../src/protocol/codes.ts';
import { type RemotingCommand, requestCommand } from '../../src/protocol/command.ts';
import { decodeRecord } from '../../src/record/decode.ts';
import { CommandClient } from '../../src/remoting/command-client.ts';
import { sendRequest } from './broker-process.ts';

const WAIT_MS = 20_000;

type Fields = Readonly<Record<string, string>>;

/** A popped message, and what names it. */
export interface PoppedMessage {
  readonly topic: string;
  readonly body: string;
  readonly queueId: string;
  readonly offset: string;
  readonly extraInfo: string;
  readonly reconsumeTimes: number;
}

export class PopClient {
  readonly group: string;
  readonly topic: string;
  readonly #client: CommandClient;

  constructor(address: string, topic: string, group: string) {
    this.group = group;
    this.topic = topic;
    this.#client = new CommandClient({ address });
  }

  request(code: number, fields: Fields, body?: Buffer): Promise<RemotingCommand> {
    return this.#client.request(requestCommand(code, fields, body), WAIT_MS);
  }

  /** Stores the message in queue 0. */
  async send(body: string, properties: [string, string][] = []): Promise<void> {
    const request = sendRequest(this.topic, 0, body, Buffer.from(body), properties);
    const { code, remark } = await this.#client.request(request, WAIT_MS);
    if (code !== 0) throw new Error(`send: ${code} ${remark}`);
  }

  popFields(more: Fields = {}): Fields {
    return {
      ...{ consumerGroup: this.group, topic: this.topic, queueId: '-1', maxMsgNums: '32' },
      ...{ invisibleTime: '60000', pollTime: '0', bornTime: '0', initMode: '0', ...more },
    };
  }

  /** What a pop answers as it is. */
  ask(more: Fields = {}): Promise<RemotingCommand> {
    return this.request(RequestCode.POP_MESSAGE, this.popFields(more));
  }

  async pop(more: Fields = {}): Promise<PoppedMessage[]> {
    return this.messagesOf(await this.ask(more));
  }

  messagesOf({ fields, body = new Uint8Array(0) }: RemotingCommand): PoppedMessage[] {
    const records = recordsOf(Buffer.from(body));
    const { popTime, invisibleTime, reviveQid, startOffsetInfo = '', msgOffsetInfo = '' } = fields;
    const starts = startOffsetInfo.split(';').map((part) => part.split(' '));
    const offsets = msgOffsetInfo.split(';').map((part) => (part.split(' ')[2] ?? '').split(','));
    return starts.flatMap(([retry = '', queueId = '', start], i) =>
      (offsets[i] ?? [])
        .filter((offset) => offset !== '')
        .map((offset) => {
          const record = records.shift();
          return {
            topic: retry === '1' ? `%RETRY%${this.group}_${this.topic}` : this.topic,
            body: record?.body.toString() ?? '',
            ...{ queueId, offset, reconsumeTimes: record?.reconsumeTimes ?? -1 },
            extraInfo: `${start} ${popTime} ${invisibleTime} ${reviveQid} ${retry} b ${queueId} ${offset}`,
          };
        }),
    );
  }

  /** The code of the answer. */
  async ack({ topic, queueId, offset, extraInfo }: PoppedMessage): Promise<number> {
    const fields = { consumerGroup: this.group, topic, queueId, offset, extraInfo };
    return (await this.request(RequestCode.ACK_MESSAGE, fields)).code;
  }

  change({ topic, queueId, offset, extraInfo }: PoppedMessage, invisibleTime: number) {
    const fields = { consumerGroup: this.group, topic, queueId, offset, extraInfo };
    return this.request(RequestCode.CHANGE_MESSAGE_INVISIBLETIME, {
      ...fields,
      invisibleTime: String(invisibleTime),
    });
  }

  close(): void {
    this.#client.close();
  }
}

function recordsOf(body: Buffer) {
  const records = [];
  for (let at = 0; at < body.length; at += body.readInt32BE(at)) {
    const record = decodeRecord(body.subarray(at, at + body.readInt32BE(at)));
    if (record !== undefined) records.push({ ...record, body: Buffer.from(record.body) });
  }
  return records;
}
