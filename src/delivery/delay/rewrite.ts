/**
 * What happens to a message with a delay level when it is put: it is parked in the schedule topic, in the queue of
 * its level, with the real topic and queue among its properties.
 */
import { SCHEDULE_TOPIC } from '../../lib/names.ts';
import { SYS_TRANSACTION_COMMIT, SYS_TRANSACTION_MASK } from '../../record/layout.ts';
import { PROPERTY_DELAY } from '../../record/properties.ts';
import { setRealQueue } from '../real-queue.ts';
import { TIMER_PROPERTIES } from '../timer/rewrite.ts';
import { queueOfLevel } from './levels.ts';

/** Characters of a wrong level that are shown to who sent it. */
const LONGEST_QUOTE = 32;

export interface Delayable {
  topic: string;
  queueId: number;
  sysFlag: number;
  properties: Map<string, string>;
}

/** The level that a message asks for, 0 for none. Text that is no level (`delayProblem`) counts as none. */
export function delayLevelOf(properties: ReadonlyMap<string, string>): number {
  return levelIn(properties.get(PROPERTY_DELAY) ?? '') ?? 0;
}

/**
 * Why a message cannot be taken, when its DELAY is text that is no level: whoever sent it wants it later, and nobody
 * knows when. RocketMQ refuses the same, with the text of an exception.
 */
export function delayProblem(properties: ReadonlyMap<string, string>, maxLevel: number): string | undefined {
  const text = properties.get(PROPERTY_DELAY) ?? '';
  if (levelIn(text) !== undefined) return undefined;
  return (
    `property ${PROPERTY_DELAY}=${text.slice(0, LONGEST_QUOTE)} is not possible: allowed is a whole number, ` +
    `1 to ${maxLevel} for the levels of messageDelayLevel (more counts as ${maxLevel}), 0 or less for no delay`
  );
}

/** As RocketMQ reads it: digits with or without a sign, in 32 bits; empty text is none. Undefined for all else. */
function levelIn(text: string): number | undefined {
  if (text === '') return 0;
  const level = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
  return level >= -(2 ** 31) && level < 2 ** 31 ? level : undefined;
}

function mayBeDelayed(sysFlag: number): boolean {
  const transaction = sysFlag & SYS_TRANSACTION_MASK;
  return transaction === 0 || transaction === SYS_TRANSACTION_COMMIT;
}

/**
 * The message as it has to be put: itself when it wants no delay (or is a half message or a rollback), else a copy
 * that is parked. Levels past `maxLevel` become `maxLevel`. The given message is not changed.
 * To be applied to what clients send, never to what the delay service delivers: that still says DELAY.
 */
export function rewriteForDelay<M extends Delayable>(message: M, maxLevel: number): M {
  const wanted = delayLevelOf(message.properties);
  if (wanted <= 0 || !mayBeDelayed(message.sysFlag)) return message;
  const level = Math.min(wanted, maxLevel);
  const properties = new Map(message.properties);
  // Other ways to ask for a delay.
  for (const name of TIMER_PROPERTIES) properties.delete(name);
  properties.set(PROPERTY_DELAY, String(level));
  setRealQueue(properties, message);
  return { ...message, topic: SCHEDULE_TOPIC, queueId: queueOfLevel(level), properties };
}
