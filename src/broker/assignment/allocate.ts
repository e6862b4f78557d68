/** Which of a topic's queues a member of a group gets; queues and members are sorted, as every broker must agree. */
import type { MessageQueue } from '../../clients/queue-locks.ts';

/** The queues of the member at `index` of `members`. */
export type Strategy = (
  queues: readonly MessageQueue[],
  members: number,
  index: number,
) => readonly MessageQueue[];

/** Runs of queues, one behind the other; the first members get one more when it does not come out even. */
const averagely: Strategy = (queues, members, index) => {
  const each = Math.floor(queues.length / members);
  const more = queues.length % members;
  const first = index * each + Math.min(index, more);
  return queues.slice(first, first + each + (index < more ? 1 : 0));
};

/** Queues are dealt out by turns. */
const averagelyByCircle: Strategy = (queues, members, index) =>
  queues.filter((_, at) => at % members === index);

/** By the names that clients give them; others are not known to RocketMQ's brokers either. */
export const strategies: ReadonlyMap<string, Strategy> = new Map([
  ['AVG', averagely],
  ['AVG_BY_CIRCLE', averagelyByCircle],
]);

export interface Share {
  readonly queues: readonly MessageQueue[];
  /** All members of the group. */
  readonly members: readonly string[];
  readonly clientId: string;
  readonly strategy: Strategy;
}

/** For PULL: each queue belongs to one member. A client that is no member gets none. */
export function allocateForPull({ queues, members, clientId, strategy }: Share): readonly MessageQueue[] {
  const index = members.indexOf(clientId);
  return index < 0 ? [] : strategy(queues, members.length, index);
}

/** With POP each client shares its queues with so many others; whether that is all of them. */
export function sharesWithAll(popShareQueueNum: number, members: number): boolean {
  return popShareQueueNum <= 0 || popShareQueueNum >= members - 1;
}

/** For those who share with all others: one queue of each broker, with the number -1, which means any. */
export function anyQueueOfEachBroker(queues: readonly MessageQueue[]): MessageQueue[] {
  const brokers = new Map(queues.map((queue) => [queue.brokerName, { ...queue, queueId: -1 }]));
  return [...brokers.values()];
}

/** For POP: the queues of a member and of the `popShareQueueNum` that follow it. Others get none. */
export function allocateForPop(share: Share, popShareQueueNum: number): readonly MessageQueue[] {
  const { queues, members, clientId, strategy } = share;
  const index = members.indexOf(clientId);
  if (index < 0) return [];
  // Otherwise some would have nothing to do.
  if (members.length > queues.length) return queues.slice(index % queues.length).slice(0, 1);
  const wanted = new Set<MessageQueue>();
  for (let i = 0; i <= popShareQueueNum; i++) {
    const member = (index + i) % members.length;
    for (const queue of strategy(queues, members.length, member)) wanted.add(queue);
  }
  return [...wanted];
}

/** By broker, then by number, as the queues of one topic. */
export function compareQueues(a: MessageQueue, b: MessageQueue): number {
  if (a.brokerName !== b.brokerName) return a.brokerName < b.brokerName ? -1 : 1;
  return a.queueId - b.queueId;
}
