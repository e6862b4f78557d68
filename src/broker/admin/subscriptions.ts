/**
 * Which groups and topics belong together: QUERY_TOPIC_CONSUME_BY_WHO (300), QUERY_TOPICS_BY_CONSUMER (343),
 * QUERY_SUBSCRIPTION_BY_CONSUMER (345).
 */
import { REVIVE_GROUP } from '../../delivery/pop/pop-control.ts';
import { TIMER_TOPIC } from '../../lib/names.ts';
import { requiredText, succeedWith } from '../../protocol/request-fields.ts';
import { type BrokerHandler, brokerAddress } from '../context.ts';

/** Groups that are online with this topic, and groups that have offsets for it. */
export const groupsOfTopic: BrokerHandler = (context, request) => {
  const topic = requiredText(request, 'topic');
  const groups = new Set([...context.clients.consumers.groupsOf(topic), ...context.offsets.groupsOf(topic)]);
  // There it is a note of how far pops have been read again: nobody consumes.
  if (topic === TIMER_TOPIC) groups.delete(REVIVE_GROUP);
  return succeedWith(request, { groupList: [...groups] });
};

export const topicsOfGroup: BrokerHandler = (context, request) =>
  succeedWith(request, {
    brokerAddr: brokerAddress(context.settings),
    topicList: context.offsets.topicsOf(requiredText(request, 'group')),
  });

export const subscriptionOfGroup: BrokerHandler = (context, request) => {
  const group = requiredText(request, 'group');
  const topic = requiredText(request, 'topic');
  const subscriptionData = context.clients.consumers.findSubscription(group, topic);
  return succeedWith(request, { group, subscriptionData, topic });
};
