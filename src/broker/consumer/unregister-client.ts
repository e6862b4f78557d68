/** UNREGISTER_CLIENT (35): a client shuts down properly and leaves a producer group, a consumer group or both. */
import { succeed, textField } from '../../protocol/request-fields.ts';
import type { BrokerHandler } from '../context.ts';

export const unregisterClient: BrokerHandler = (context, request, connection) => {
  const producerGroup = textField(request, 'producerGroup');
  if (producerGroup !== undefined) {
    context.clients.producers.unregister(producerGroup, connection.id);
  }
  const consumerGroup = textField(request, 'consumerGroup');
  if (consumerGroup !== undefined) {
    const notify = context.groups.get(consumerGroup)?.notifyConsumerIdsChangedEnable ?? true;
    context.clients.consumers.unregister(consumerGroup, connection.id, notify);
  }
  return succeed(request);
};
