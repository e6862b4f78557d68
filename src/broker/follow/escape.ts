/**
 * Puts of a slave that acts for its master: its own log takes no message but its master's, so they are sent to another
 * master that has the topic. What cannot be sent now fails, and who puts tries again.
 */

import { realQueueOf } from '../../delivery/real-queue.ts';
import {
  TIMER_DEL_UNIQKEY,
  TIMER_DELIVER_MS,
  TIMER_OUT_MS,
  TIMER_PROPERTIES,
} from '../../delivery/timer/rewrite.ts';
import { forgetTimes } from '../../delivery/timer/timed-record.ts';
import { isRetryTopic, TIMER_TOPIC } from '../../lib/names.ts';
import { RequestCode, ResponseCode, responseName } from '../../protocol/codes.ts';
import { type RemotingCommand, requestCommand } from '../../protocol/command.ts';
import {
  encodeProperties,
  PROPERTY_DELAY,
  PROPERTY_REAL_QUEUE_ID,
  PROPERTY_REAL_TOPIC,
} from '../../record/properties.ts';
import { CommandClient } from '../../remoting/command-client.ts';
import type { TopicRoutes } from '../../remoting/topic-routes.ts';
import { type InternalMessage, isStored, type PutResult, refused } from '../../store/put/put-message.ts';
import type { ClientTls } from '../../tls/settings.ts';

const TIMEOUT_MS = 5_000;
/** The producer group that other brokers see. */
const PRODUCER_GROUP = 'CID_RMQ_SYS_ESCAPE';

export interface EscapeParts {
  routes: Pick<TopicRoutes, 'queuesOf'>;
  /** Its own master is not there. */
  brokerName: string;
  clusterName: string;
  tls: () => ClientTls | undefined;
}

export class Escape {
  readonly #parts: EscapeParts;
  /** By address: as many as there are masters. */
  readonly #clients = new Map<string, CommandClient>();
  #isClosed = false;
  #turn = 0;

  constructor(parts: EscapeParts) {
    this.#parts = parts;
  }

  readonly put = (message: InternalMessage, done: (result: PutResult) => void): void => {
    void this.#send(message)
      .catch((error) => refused(ResponseCode.SERVICE_NOT_AVAILABLE, (error as Error).message))
      .then((result) => {
        done(result);
      });
  };

  close(): void {
    this.#isClosed = true;
    for (const client of this.#clients.values()) client.close();
    this.#clients.clear();
  }

  async #send(waiting: InternalMessage): Promise<PutResult> {
    const message = waiting.topic === TIMER_TOPIC ? timedAnew(waiting) : waited(waiting);
    if (waiting.properties.has(TIMER_DEL_UNIQKEY))
      return refused(ResponseCode.TOPIC_NOT_EXIST, 'only its own master knows the message that it recalls');
    const { topic, queueId } = message;
    const others = await this.#mastersOf(topic);
    const other = others[this.#turn++ % others.length];
    if (other === undefined)
      return refused(ResponseCode.TOPIC_NOT_EXIST, `no other master has the topic ${topic}`);
    const { master, queues, broker } = other;
    const request = sendRequest(message, queueId % queues, broker.brokerName);
    const answer = await this.#clientOf(master).request(request, TIMEOUT_MS);
    if (isStored(answer.code))
      return { status: answer.code, remark: undefined, queueOffset: -1, physicalOffset: -1 };
    // Whatever its reason is, this broker's master may take the message when it is back: it is not given up.
    const why = `${broker.brokerName} answers ${responseName(answer.code)} ${answer.remark ?? ''}`;
    const isIllegal = answer.code === ResponseCode.MESSAGE_ILLEGAL;
    return refused(isIllegal ? ResponseCode.MESSAGE_ILLEGAL : ResponseCode.SERVICE_NOT_AVAILABLE, why);
  }

  /** Other masters that take messages of the topic. */
  async #mastersOf(topic: string) {
    const { routes, brokerName, clusterName } = this.#parts;
    const othersOf = async (name: string) => {
      const route = await routes.queuesOf(name);
      if (route === undefined) throw new Error('no name server answers');
      return (typeof route === 'object' ? route : []).flatMap((broker) =>
        broker.written === undefined || broker.brokerName === brokerName
          ? []
          : [{ ...broker.written, broker }],
      );
    };
    const others = await othersOf(topic);
    // Every master of a cluster has the topic of its name, and makes a retry topic with its first message.
    return others.length === 0 && isRetryTopic(topic) ? othersOf(clusterName) : others;
  }

  #clientOf(address: string): CommandClient {
    // The routes may have been asked for before, and nobody would close this one.
    if (this.#isClosed) throw new Error('this slave acts for its master no more');
    const client = this.#clients.get(address) ?? new CommandClient({ address, tls: this.#parts.tls });
    this.#clients.set(address, client);
    return client;
  }
}

/** As it is to be sent, when its time has come: nothing is to have it wait again. */
function waited(message: InternalMessage): InternalMessage {
  const properties = new Map(message.properties);
  for (const name of [PROPERTY_DELAY, ...TIMER_PROPERTIES]) properties.delete(name);
  return { ...message, properties };
}

/** What waits on in the timer topic, as it is to be sent: another master has it wait for what is left of its time. */
function timedAnew({ properties, ...message }: InternalMessage): InternalMessage {
  const { topic, queueId } = realQueueOf(properties);
  const left = new Map(properties);
  const due = properties.get(TIMER_DELIVER_MS) ?? properties.get(TIMER_OUT_MS) ?? '0';
  forgetTimes(left);
  for (const name of [PROPERTY_REAL_TOPIC, PROPERTY_REAL_QUEUE_ID]) left.delete(name);
  left.set(TIMER_DELIVER_MS, due);
  return { ...message, topic, queueId, properties: left };
}

function sendRequest(message: InternalMessage, queueId: number, brokerName: string): RemotingCommand {
  const fields = {
    ...{ a: PRODUCER_GROUP, b: message.topic, c: 'TBW102', d: '4', e: String(queueId) },
    ...{ f: String(message.sysFlag), g: String(message.bornTimestamp), h: String(message.flag) },
    ...{ i: encodeProperties(message.properties), j: String(message.reconsumeTimes), k: 'false', m: 'false' },
    n: brokerName,
  };
  return requestCommand(RequestCode.SEND_MESSAGE_V2, fields, Buffer.from(message.body));
}
