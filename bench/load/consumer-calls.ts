/** What a consumer asks a broker besides pulls: to be registered, and where queues begin and end. */
import { RequestCode } from '../../src/protocol/codes.ts';
import { requestCommand } from '../../src/protocol/command.ts';
import type { Caller } from './calls.ts';
import type { QueueSpan } from './pull-lane.ts';

const TOPIC_DIGITS = 5;

export function topicNames(topic: string, topics: number): string[] {
  if (topics === 1) return [topic];
  return Array.from(
    { length: topics },
    (_, index) => `${topic}_${String(index).padStart(TOPIC_DIGITS, '0')}`,
  );
}

/** What a consumer wants of its topics. */
export interface Subscription {
  expressionType: 'TAG' | 'SQL92';
  expression: string;
}

const ALL: Subscription = { expressionType: 'TAG', expression: '*' };

export function subscriptionTo(sql: string): Subscription {
  return sql === '' ? ALL : { expressionType: 'SQL92', expression: sql };
}

export interface Membership {
  clientId: string;
  group: string;
  topics: string[];
  subVersion: number;
  subscription?: Subscription;
}

/** The body of a push consumer's heartbeat: its subscription to its topics, and all of the group's retry topic. */
export function heartbeatBody({
  clientId,
  group,
  topics,
  subVersion,
  subscription = ALL,
}: Membership): Uint8Array {
  const to = (topic: string, { expressionType, expression }: Subscription) => ({
    classFilterMode: false,
    codeSet: [],
    expressionType,
    subString: expression,
    subVersion,
    tagsSet: [],
    topic,
  });
  const subscriptionDataSet = [...topics.map((topic) => to(topic, subscription)), to(`%RETRY%${group}`, ALL)];
  const consumer = {
    consumeFromWhere: 'CONSUME_FROM_LAST_OFFSET',
    consumeType: 'CONSUME_PASSIVELY',
    groupName: group,
    messageModel: 'CLUSTERING',
    subscriptionDataSet,
    unitMode: false,
  };
  const data = {
    clientID: clientId,
    consumerDataSet: [consumer],
    heartbeatFingerprint: 0,
    producerDataSet: [],
    withoutSub: false,
  };
  return Buffer.from(JSON.stringify(data));
}

export async function sendHeartbeat(connection: Caller, membership: Membership): Promise<void> {
  const answer = await connection.call(requestCommand(RequestCode.HEART_BEAT, {}, heartbeatBody(membership)));
  if (answer.code !== 0)
    throw new Error(`the heartbeat was refused: code ${answer.code}, ${answer.remark ?? ''}`);
}

async function queueOffset(connection: Caller, code: number, topic: string, queueId: number) {
  const answer = await connection.call(requestCommand(code, { topic, queueId: String(queueId) }));
  if (answer.code !== 0) {
    throw new Error(`queue ${queueId} of ${topic}: code ${answer.code}, ${answer.remark ?? ''}`);
  }
  return Number(answer.fields['offset']);
}

/** First and last offset of every queue as they are now; all questions are asked at once. */
export function queueSpans(
  connection: Caller,
  topics: readonly string[],
  queues: number,
): Promise<QueueSpan[]> {
  const spans: Promise<QueueSpan>[] = [];
  for (const [topicIndex, topic] of topics.entries()) {
    for (let queueId = 0; queueId < queues; queueId++) {
      const minimum = queueOffset(connection, RequestCode.GET_MIN_OFFSET, topic, queueId);
      const maximum = queueOffset(connection, RequestCode.GET_MAX_OFFSET, topic, queueId);
      spans.push(
        Promise.all([minimum, maximum]).then(([minOffset, maxOffset]) => ({
          topic,
          topicIndex,
          queueId,
          minOffset: Math.max(0, minOffset),
          maxOffset,
        })),
      );
    }
  }
  return Promise.all(spans);
}

/** Has a group begin at the start of each queue. */
export async function beginAt(connection: Caller, group: string, spans: readonly QueueSpan[]): Promise<void> {
  for (const { topic, queueId, minOffset } of spans) {
    const fields = { consumerGroup: group, topic, queueId: String(queueId), commitOffset: String(minOffset) };
    const { code, remark } = await connection.call(
      requestCommand(RequestCode.UPDATE_CONSUMER_OFFSET, fields),
    );
    if (code !== 0)
      throw new Error(`queue ${queueId} of ${topic} for ${group}: code ${code}, ${remark ?? ''}`);
  }
}
