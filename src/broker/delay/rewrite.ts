/**
 * What happens to a message with a delay level when it is put: it is parked in the schedule topic, in the queue of
 * its level, with the real topic and queue among its properties.
 */
import { SCHEDULE_TOPIC } from '../../lib/names.ts';
import { SYS_TRANSACTION_COMMIT, SYS_TRANSACTION_MASK } from '../../record/layout.ts';
import { PROPERTY_DELAY, PROPERTY_REAL_QUEUE_ID, PROPERTY_REAL_TOPIC } from '../../record/properties.ts';
import { queueOfLevel } from './levels.ts';

/** Other ways to ask for a delay; a level takes precedence and they are dropped. */
const TIMER_PROPERTIES = ['TIMER_DELIVER_MS', 'TIMER_DELAY_SEC', 'TIMER_DELAY_MS'];

export interface Delayable {
  topic: string;
  queueId: number;
  sysFlag: number;
  properties: Map<string, string>;
}

/** The level that a message asks for, 0 for none. Text that is no number counts as none. */
export function delayLevelOf(properties: ReadonlyMap<string, string>): number {
  const text = properties.get(PROPERTY_DELAY);
  return text !== undefined && /^-?\d+$/.test(text) ? Number(text) : 0;
}

/**
 * The message as it has to be put: itself when it wants no delay (or is a half message or a rollback), else a copy
 * that is parked. Levels past `maxLevel` become `maxLevel`. The given message is not changed.
 * To be applied to what clients send, never to what the delay service delivers: that still says DELAY.
 */
export function rewriteForDelay<M extends Delayable>(message: M, maxLevel: number): M {
  const wanted = delayLevelOf(message.properties);
  const transaction = message.sysFlag & SYS_TRANSACTION_MASK;
  if (wanted <= 0 || (transaction !== 0 && transaction !== SYS_TRANSACTION_COMMIT)) return message;
  const level = Math.min(wanted, maxLevel);
  const properties = new Map(message.properties);
  for (const name of TIMER_PROPERTIES) properties.delete(name);
  properties.set(PROPERTY_DELAY, String(level));
  properties.set(PROPERTY_REAL_TOPIC, message.topic);
  properties.set(PROPERTY_REAL_QUEUE_ID, String(message.queueId));
  return { ...message, topic: SCHEDULE_TOPIC, queueId: queueOfLevel(level), properties };
}
