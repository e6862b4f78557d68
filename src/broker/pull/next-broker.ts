/**
 * Which of the brokers of one name a consumer asks next (suggestWhichBrokerId), as RocketMQ has it: who reads
 * what is no longer in memory is sent to a slave, and comes back when it has caught up. A master sends nobody to
 * a slave that is not there or does not keep up; RocketMQ does.
 */
import type { Elsewhere } from '../view/deltas.ts';

/** Ids of brokers as the group has them. */
export interface BrokersOfGroup {
  readonly brokerId: number;
  readonly whichBrokerWhenConsumeSlowly: number;
}

const MASTER = 0;
/**
 * A pull that finds nothing on a slave whose master is there waits so long, then its consumer is sent back. RocketMQ
 * answers it at once, and a client that does not know the master's address yet asks again and again for half a minute.
 */
export const SENT_BACK_AFTER_MS = 1_000;

/** Whether a slave has nothing for those whose home is its master, which is there. */
export function isSentBack({ masterIsThere }: Elsewhere, isFarBehind: boolean): boolean {
  return masterIsThere && !isFarBehind;
}

export function nextBroker(elsewhere: Elsewhere, group: BrokersOfGroup, isFarBehind: boolean): number {
  if (!elsewhere.slavesRead || isSentBack(elsewhere, isFarBehind)) return MASTER;
  return isFarBehind && elsewhere.slaveIsNear ? group.whichBrokerWhenConsumeSlowly : group.brokerId;
}
