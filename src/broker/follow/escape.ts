/**
 * Puts of a slave that acts for its master: its own log takes no message but its master's, so they are sent to another
 * master that has the topic. What cannot be sent now fails, and who puts tries again.
 */

import { TIMER_PROPERTIES } from '../../delivery/timer/rewrite.ts';
import { RequestCode, ResponseCode, responseName } from '../../protocol/codes.ts';
import { type RemotingCommand, requestCommand } from '../../protocol/command.ts';
import { encodeProperties, PROPERTY_DELAY } from '../../record/properties.ts';
import { CommandClient } from '../../remoting/command-client.ts';
import type { TopicRoutes } from '../../remoting/topic-routes.ts';
import { type InternalMessage, isStored, type PutResult, refused } from '../../store/put/put-message.ts';
import type { ClientTls } from '../../tls/settings.ts';

const TIMEOUT_MS = 5_000;
/** Messages under way. */
const MAX_ESCAPES = 64;
/** The producer group that other brokers see. */
const PRODUCER_GROUP = 'CID_RMQ_SYS_ESCAPE';

export interface EscapeParts {
  routes: Pick<TopicRoutes, 'queuesOf'>;
  /** Its own master is not there. */
  brokerName: string;
  tls: () => ClientTls | undefined;
}

export class Escape {
  readonly #parts: EscapeParts;
  /** By address: as many as there are masters. */
  readonly #clients = new Map<string, CommandClient>();
  #underWay = 0;
  #isClosed = false;
  #turn = 0;

  constructor(parts: EscapeParts) {
    this.#parts = parts;
  }

  /** Whether no more may be put until some of what is under way has ended. */
  get full(): boolean {
    return this.#underWay >= MAX_ESCAPES;
  }

  readonly put = (message: InternalMessage, done: (result: PutResult) => void): void => {
    this.#underWay += 1;
    void this.#send(message)
      .catch((error) => refused(ResponseCode.SERVICE_NOT_AVAILABLE, (error as Error).message))
      .then((result) => {
        this.#underWay -= 1;
        done(result);
      });
  };

  close(): void {
    this.#isClosed = true;
    for (const client of this.#clients.values()) client.close();
    this.#clients.clear();
  }

  async #send(message: InternalMessage): Promise<PutResult> {
    const { routes, brokerName } = this.#parts;
    const { topic, queueId } = message;
    const route = await routes.queuesOf(topic);
    const others = (typeof route === 'object' ? route : []).flatMap((broker) =>
      broker.written === undefined || broker.brokerName === brokerName ? [] : [{ ...broker.written, broker }],
    );
    const other = others[this.#turn++ % others.length];
    if (other === undefined) throw new Error(`no other master has the topic ${topic}`);
    const { master, queues, broker } = other;
    const request = sendRequest(message, queueId % queues, broker.brokerName);
    const answer = await this.#clientOf(master).request(request, TIMEOUT_MS);
    if (isStored(answer.code))
      return { status: answer.code, remark: undefined, queueOffset: -1, physicalOffset: -1 };
    // Whatever its reason is, this broker's master may take the message when it is back: it is not given up.
    const why = `${broker.brokerName} answers ${responseName(answer.code)} ${answer.remark ?? ''}`;
    return refused(ResponseCode.SERVICE_NOT_AVAILABLE, why);
  }

  #clientOf(address: string): CommandClient {
    // The routes may have been asked for before, and nobody would close this one.
    if (this.#isClosed) throw new Error('this slave acts for its master no more');
    const client = this.#clients.get(address) ?? new CommandClient({ address, tls: this.#parts.tls });
    this.#clients.set(address, client);
    return client;
  }
}

function sendRequest(message: InternalMessage, queueId: number, brokerName: string): RemotingCommand {
  const properties = new Map(message.properties);
  // It has waited already.
  for (const name of [PROPERTY_DELAY, ...TIMER_PROPERTIES]) properties.delete(name);
  const fields = {
    ...{ a: PRODUCER_GROUP, b: message.topic, c: 'TBW102', d: '4', e: String(queueId) },
    ...{ f: String(message.sysFlag), g: String(message.bornTimestamp), h: String(message.flag) },
    ...{ i: encodeProperties(properties), j: String(message.reconsumeTimes), k: 'false', m: 'false' },
    n: brokerName,
  };
  return requestCommand(RequestCode.SEND_MESSAGE_V2, fields, Buffer.from(message.body));
}
