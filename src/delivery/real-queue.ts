/** Where a message is to go that waits in another topic: its properties REAL_TOPIC and REAL_QID say so. */
import { PROPERTY_REAL_QUEUE_ID, PROPERTY_REAL_TOPIC } from '../record/properties.ts';

export interface RealQueue {
  /** Empty where the message does not say. */
  topic: string;
  /** NaN where the message does not say. */
  queueId: number;
}

export function setRealQueue(properties: Map<string, string>, { topic, queueId }: RealQueue): void {
  properties.set(PROPERTY_REAL_TOPIC, topic);
  properties.set(PROPERTY_REAL_QUEUE_ID, String(queueId));
}

export function realQueueOf(properties: ReadonlyMap<string, string>): RealQueue {
  return {
    topic: properties.get(PROPERTY_REAL_TOPIC) ?? '',
    queueId: Number(properties.get(PROPERTY_REAL_QUEUE_ID) ?? Number.NaN),
  };
}

/** Whether a message could go there; the queue need not exist. */
export function namesQueue({ topic, queueId }: RealQueue): boolean {
  return topic !== '' && Number.isSafeInteger(queueId);
}
