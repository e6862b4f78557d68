/**
 * Offsets as a whole: GET_ALL_CONSUMER_OFFSET (43), GET_ALL_DELAY_OFFSET (45), QUERY_CORRECTION_OFFSET (308),
 * CLONE_GROUP_OFFSET (314); and what slaves are to know of timers, GET_TIMER_CHECK_POINT (60) and GET_TIMER_METRICS
 * (61).
 */

import { illegalGroup, isBlank, isGroupName } from '../../lib/names.ts';
import { ResponseCode } from '../../protocol/codes.ts';
import {
  booleanField,
  RequestError,
  requiredText,
  succeed,
  succeedWith,
  textField,
} from '../../protocol/request-fields.ts';
import { askerOf, type BrokerContext, type BrokerHandler } from '../context.ts';
import { builtOnce } from './built-once.ts';

const JAVA_LONG_MAX = 9223372036854775807n;

export const allConsumerOffsets: BrokerHandler = (context, request) =>
  succeed(
    request,
    {},
    builtOnce(context.offsets, () => context.offsets.toJson()),
  );

export const allDelayOffsets: BrokerHandler = (context, request) =>
  succeedWith(request, context.delayOffsets.toJson());

/** What a slave is to know of timers. */
export const timerCheckpoint: BrokerHandler = ({ timerCheck }, request) => {
  const bytes = timerCheck();
  if (bytes === undefined) throw new RequestError(ResponseCode.SYSTEM_ERROR, 'The checkpoint is null');
  return succeed(request, {}, bytes);
};

/** How many timed messages of each topic wait now: RocketMQ's slaves ask once a minute, and show it. */
export const timerMetrics: BrokerHandler = ({ timing, clock }, request) => {
  const timeStamp = clock.now();
  const timingCount = new Map([...timing()].map(([topic, count]) => [topic, { count, timeStamp }]));
  return succeedWith(request, {
    // Always another one than before.
    dataVersion: { counter: timeStamp, stateVersion: 0, timestamp: timeStamp },
    timingCount,
  });
};

/**
 * The lowest offset of all groups per queue, Long.MAX where `compareGroup` is behind it. Groups in `filterGroups`
 * (comma separated) do not count. (RocketMQ forgets their offsets for ever while at it; that is not repeated here.)
 */
export const correctionOffsets: BrokerHandler = (context, request) => {
  const topic = requiredText(request, 'topic');
  const compareGroup = requiredText(request, 'compareGroup');
  const filtered = new Set((textField(request, 'filterGroups') ?? '').split(','));
  const correctionOffsetsByQueue = new Map<number, number | bigint>(lowestOffsets(context, topic, filtered));
  for (const [queueId, offset] of context.offsets.queuesOf(compareGroup, topic) ?? []) {
    const lowest = correctionOffsetsByQueue.get(queueId);
    if (lowest === undefined || lowest > offset) correctionOffsetsByQueue.set(queueId, JAVA_LONG_MAX);
  }
  return succeedWith(request, { correctionOffsets: correctionOffsetsByQueue });
};

/** Offsets below what the store still has do not count. */
function lowestOffsets(
  context: BrokerContext,
  topic: string,
  filtered: ReadonlySet<string>,
): Map<number, number> {
  const lowest = new Map<number, number>();
  for (const group of context.offsets.groupsOf(topic)) {
    if (filtered.has(group)) continue;
    for (const [queueId, offset] of context.offsets.queuesOf(group, topic) ?? []) {
      if (offset < context.store.minOffset(topic, queueId)) continue;
      lowest.set(queueId, Math.min(offset, lowest.get(queueId) ?? offset));
    }
  }
  return lowest;
}

/** One topic, or all of the source group; unless `offline`, only what the source group subscribes to. */
export const cloneOffsets: BrokerHandler = (context, request, connection) => {
  const source = requiredText(request, 'srcGroup');
  const target = requiredText(request, 'destGroup');
  const asked = textField(request, 'topic');
  const topics = asked === undefined || isBlank(asked) ? context.offsets.topicsOf(source) : [asked];
  if (!context.groups.has(target) && !isGroupName(target)) {
    throw new RequestError(ResponseCode.INVALID_PARAMETER, illegalGroup(target));
  }
  const { consumers } = context.clients;
  const subscribes = (consumers.get(source)?.subscriptions.size ?? 0) > 0;
  for (const topic of topics) {
    if (!context.topics.has(topic)) continue;
    const skip =
      !booleanField(request, 'offline', false) &&
      subscribes &&
      consumers.findSubscription(source, topic) === undefined;
    if (skip) continue;
    context.offsets.clone(source, target, topic);
    const what = { group: target, from: source, topic, ...askerOf(request, connection) };
    context.log.info(what, 'offsets taken over from another group');
  }
  return succeed(request);
};
