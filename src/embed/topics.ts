/**
 * Making topics for the host program, as an administrator would from outside: the request passes all checks and reaches
 * all threads. A topic counts as made when the name server leads to it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { RequestCode, ResponseCode } from '../protocol/codes.ts';
import { requestCommand } from '../protocol/command.ts';
import { asArray, asObject, parseBody } from '../protocol/json-fields.ts';
import { CommandClient } from '../remoting/command-client.ts';

const REQUEST_MS = 10_000;
const LOOK_AGAIN_MS = 2;
const READ_AND_WRITE = 6;

export class TopicMaker {
  readonly #broker: CommandClient;
  readonly #nameServer: CommandClient;
  readonly #brokerName: string;
  #closed = false;

  constructor(addresses: { broker: string; nameServer: string }, brokerName: string) {
    this.#broker = new CommandClient({ address: addresses.broker });
    this.#nameServer = new CommandClient({ address: addresses.nameServer });
    this.#brokerName = brokerName;
  }

  /** Throws with the broker's remark when it refuses. */
  async make(topic: string, queues: number): Promise<void> {
    const { code, remark } = await this.#broker.request(
      requestCommand(RequestCode.UPDATE_AND_CREATE_TOPIC, {
        topic,
        defaultTopic: 'TBW102',
        readQueueNums: String(queues),
        writeQueueNums: String(queues),
        perm: String(READ_AND_WRITE),
        topicFilterType: 'SINGLE_TAG',
        topicSysFlag: '0',
        order: 'false',
      }),
      REQUEST_MS,
    );
    if (code !== ResponseCode.SUCCESS) throw new Error(remark ?? `the broker answers with code ${code}`);
    while (!(await this.#isRouted(topic, queues))) {
      if (this.#closed) throw new Error('the broker is closed');
      await sleep(LOOK_AGAIN_MS);
    }
  }

  close(): void {
    this.#closed = true;
    this.#broker.close();
    this.#nameServer.close();
  }

  async #isRouted(topic: string, queues: number): Promise<boolean> {
    const request = requestCommand(RequestCode.GET_ROUTEINFO_BY_TOPIC, { topic });
    const reply = await this.#nameServer.request(request, REQUEST_MS);
    if (reply.code !== ResponseCode.SUCCESS) return false;
    const brokers = asArray(asObject(parseBody(reply.body))?.['queueDatas']);
    return brokers.some((entry) => {
      const broker = asObject(entry);
      return broker?.['brokerName'] === this.#brokerName && Number(broker['writeQueueNums']) === queues;
    });
  }
}
