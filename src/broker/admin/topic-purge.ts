/**
 * PURGE_TOPIC (30001), a request of RingMQ's own: the queues of a topic begin behind all messages that it has, and
 * go on counting. Answered when that is durable and in force, with what each queue has let go of; `dryRun` only tells.
 */
import { quote } from '../../lib/quote.ts';
import { ResponseCode } from '../../protocol/codes.ts';
import type { RemotingCommand } from '../../protocol/command.ts';
import { RequestError, requiredText, succeedWith } from '../../protocol/request-fields.ts';
import type { BrokerContext, BrokerHandler } from '../context.ts';
import { Slices } from './slices.ts';

interface PurgedQueue {
  queueId: number;
  minOffset: number;
  maxOffset: number;
  /** Purged, or with `dryRun` to be purged. */
  messages: number;
}

export const purgeTopic: BrokerHandler = async (context, request) => {
  const topic = requiredText(request, 'topic');
  const dryRun = dryRunOf(request);
  // What becomes due waits in some of them: without their messages it would never come.
  if (context.topics.isSystemTopic(topic)) {
    throw new RequestError(
      ResponseCode.INVALID_PARAMETER,
      `The topic[${topic}] is conflict with system topic.`,
    );
  }
  const config = context.topics.get(topic);
  if (config === undefined) {
    throw new RequestError(ResponseCode.TOPIC_NOT_EXIST, `topic[${topic}] not exist`);
  }
  const count = Math.max(config.readQueueNums, config.writeQueueNums);
  const before = await rangesOf(context, topic, count);
  if (dryRun) return succeedWith(request, { topic, queues: before });
  await context.maintenance.purgeTopic(topic);
  const queues = (await rangesOf(context, topic, count)).map((range, i) => ({
    ...range,
    messages: Math.max(0, range.minOffset - (before[i]?.minOffset ?? 0)),
  }));
  return succeedWith(request, { topic, queues });
};

/** GET_TOPIC_PURGES (30002), RingMQ's own, for slaves: `{topic: position}`, where in the log what is left begins. */
export const topicPurges: BrokerHandler = ({ maintenance }, request) =>
  succeedWith(request, Object.fromEntries(maintenance.purges()));

/** Whoever wants to see first what would be purged, and writes that in some other way, must not lose the messages. */
function dryRunOf(request: RemotingCommand): boolean {
  const text = request.fields['dryRun']?.toLowerCase();
  if (text === undefined || text === 'false') return false;
  if (text === 'true') return true;
  throw new RequestError(
    ResponseCode.INVALID_PARAMETER,
    `dryRun is true or false, not ${quote(text)}: nothing is purged`,
  );
}

async function rangesOf({ store, clock }: BrokerContext, topic: string, count: number) {
  const queues: PurgedQueue[] = [];
  await new Slices(clock).each(count, (queueId) => {
    const minOffset = Math.max(0, store.minOffset(topic, queueId));
    const maxOffset = Math.max(0, store.maxOffset(topic, queueId));
    queues.push({ queueId, minOffset, maxOffset, messages: Math.max(0, maxOffset - minOffset) });
  });
  return queues;
}
