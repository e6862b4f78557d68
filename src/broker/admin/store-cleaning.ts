/** Cleaning on request: CLEAN_EXPIRED_CONSUMEQUEUE (306), CLEAN_UNUSED_TOPIC (316), DELETE_EXPIRED_COMMITLOG (329). */
import { succeed } from '../../protocol/request-fields.ts';
import type { BrokerHandler } from '../context.ts';

export const cleanExpiredQueues: BrokerHandler = async (context, request) => {
  await context.maintenance.cleanExpiredQueues();
  return succeed(request);
};

export const cleanUnusedTopics: BrokerHandler = async (context, request) => {
  const keep = new Set([...context.topics.all()].map((config) => config.topicName));
  await context.maintenance.cleanUnusedTopics(keep);
  return succeed(request);
};

export const deleteExpiredFiles: BrokerHandler = async (context, request) => {
  await context.maintenance.deleteExpiredFiles();
  return succeed(request);
};
