/**
 * QUERY_ASSIGNMENT (400): a client that leaves it to the broker (`clientRebalance=false`) asks which queues of a topic
 * are its own, on all brokers, and whether to pull or to pop them.
 */
import type { MessageQueue } from '../../clients/queue-locks.ts';
import { MAX_CLIENT_ID, MAX_NAME, MAX_QUEUES_ASSIGNED } from '../../lib/limits.ts';
import { isRetryTopic } from '../../lib/names.ts';
import type { RequestMode } from '../../metadata/request-modes.ts';
import { PERM_READ } from '../../metadata/topic-config.ts';
import { ResponseCode } from '../../protocol/codes.ts';
import type { RemotingCommand } from '../../protocol/command.ts';
import { limitError } from '../../protocol/errors.ts';
import { asObject, enumOr, parseBody, textIn } from '../../protocol/json-fields.ts';
import { RequestError, succeedWith } from '../../protocol/request-fields.ts';
import type { RocketJsonObject } from '../../protocol/rocketmq-json.ts';
import type { BrokerQueues } from '../../remoting/topic-routes.ts';
import type { BrokerContext, BrokerHandler } from '../context.ts';
import {
  allocateForPop,
  allocateForPull,
  anyQueueOfEachBroker,
  compareQueues,
  sharesWithAll,
  strategies,
} from './allocate.ts';

const MESSAGE_MODELS = ['BROADCASTING', 'CLUSTERING'];

interface Question {
  topic: string;
  group: string;
  clientId: string;
  messageModel: string;
  strategyName: string;
}

export const queryAssignment: BrokerHandler = async (context, request) => {
  const question = questionIn(request);
  const { topic, group } = question;
  const mode = context.requestModes.get(topic, group) ?? defaultMode(context, topic, group);
  const queues = await readableQueues(context, topic);
  const own = queues === undefined ? undefined : ownQueues(context, question, mode, queues);
  // Without a list the client keeps what it has.
  return succeedWith(request, {
    messageQueueAssignments: own?.map((messageQueue) => ({ messageQueue, mode: mode.mode })),
  });
};

function questionIn(request: RemotingCommand): Question {
  const body = asObject(parseBody(request.body)) ?? {};
  const messageModel = enumOr(body, 'messageModel', MESSAGE_MODELS, '');
  if (!MESSAGE_MODELS.includes(messageModel)) {
    throw new RequestError(
      ResponseCode.SYSTEM_ERROR,
      `messageModel is missing or none of ${MESSAGE_MODELS.join(', ')}`,
    );
  }
  return {
    topic: textWithin(body, 'topic', MAX_NAME, 'MAX_NAME'),
    group: textWithin(body, 'consumerGroup', MAX_NAME, 'MAX_NAME'),
    clientId: textIn(body, 'clientId') === undefined ? '' : textWithin(body, 'clientId', ...CLIENT_ID),
    messageModel,
    strategyName: textIn(body, 'strategyName') ?? '',
  };
}

const CLIENT_ID = [MAX_CLIENT_ID, 'MAX_CLIENT_ID'] as const;

function textWithin(body: RocketJsonObject, name: string, longest: number, limit: string): string {
  const text = textIn(body, name);
  if (text === undefined) throw new RequestError(ResponseCode.SYSTEM_ERROR, `${name} is missing`);
  if (text.length > longest) throw limitError(`characters in ${name}`, longest, limit);
  return text;
}

function defaultMode({ settings }: BrokerContext, topic: string, consumerGroup: string): RequestMode {
  const mode = isRetryTopic(topic) ? 'PULL' : settings.defaultMessageRequestMode;
  return { consumerGroup, mode, popShareQueueNum: settings.defaultPopShareQueueNum, topic };
}

/** On all brokers, sorted; those of this broker when no name server answers. Undefined for a topic that nobody has. */
async function readableQueues(context: BrokerContext, topic: string): Promise<MessageQueue[] | undefined> {
  const routed = await context.routes.queuesOf(topic);
  if (routed === 'unknown') return undefined;
  const brokers = routed ?? queuesHere(context, topic);
  return brokers === undefined ? undefined : expanded(topic, brokers);
}

function queuesHere({ topics, settings }: BrokerContext, topic: string): BrokerQueues[] | undefined {
  const config = topics.get(topic);
  if (config === undefined) return undefined;
  const isReadable = (config.perm & settings.brokerPermission & PERM_READ) !== 0;
  return isReadable ? [{ brokerName: settings.brokerName, readQueues: config.readQueueNums }] : [];
}

function expanded(topic: string, brokers: readonly BrokerQueues[]): MessageQueue[] {
  const count = brokers.reduce((sum, { readQueues }) => sum + readQueues, 0);
  if (count > MAX_QUEUES_ASSIGNED)
    throw limitError(`queues of the topic ${topic}`, MAX_QUEUES_ASSIGNED, 'MAX_QUEUES_ASSIGNED');
  const queues = brokers.flatMap(({ brokerName, readQueues }) =>
    Array.from({ length: readQueues }, (_, queueId) => ({ brokerName, queueId, topic })),
  );
  return queues.sort(compareQueues);
}

/** Undefined when nothing can be said. */
function ownQueues(
  context: BrokerContext,
  { group, clientId, messageModel, strategyName }: Question,
  { mode, popShareQueueNum }: RequestMode,
  queues: readonly MessageQueue[],
): readonly MessageQueue[] | undefined {
  if (messageModel === 'BROADCASTING' || !context.settings.serverLoadBalancerEnable) return queues;
  const members = context.clients.consumers.get(group)?.clientIds().sort();
  const strategy = strategies.get(strategyName);
  if (members === undefined || strategy === undefined) return undefined;
  if (mode === 'POP' && sharesWithAll(popShareQueueNum, members.length)) return anyQueueOfEachBroker(queues);
  if (clientId === '' || queues.length === 0) return undefined;
  const share = { queues, members, clientId, strategy };
  return mode === 'POP' ? allocateForPop(share, popShareQueueNum) : allocateForPull(share);
}
