/**
 * When a message is to come: the property that asks the broker for it, and the time that the generator itself expects,
 * computed from what it has sent and never from what the broker stored.
 */
import { writeMillis } from './digits.ts';

/** RocketMQ's delay levels as they are without settings of one's own; level n is entry n - 1. */
const LEVEL_SECONDS: readonly number[] = [
  1, 5, 10, 30, 60, 120, 180, 240, 300, 360, 420, 480, 540, 600, 1200, 1800, 3600, 7200,
];
export const DELAY_LEVELS = LEVEL_SECONDS.length;

export const MILLIS_DIGITS = 13;

export interface DuePlan {
  /** Property DELAY; 0 = none. */
  delayLevel: number;
  /** Property TIMER_DELAY_MS; 0 = none. */
  timerDelayMillis: number;
  /** Property TIMER_DELIVER_MS of the first message, in milliseconds since 1970; 0 = none. */
  deliverAt: number;
  /** The messages of each connection are due evenly over so many milliseconds from then on. */
  spreadMillis: number;
  /** Messages of each connection that the spread is for. */
  messagesEach: number;
}

/** The property that a message has for it; undefined = it is to come at once. */
export function dueProperty(plan: DuePlan): [name: string, value: string] | undefined {
  if (plan.delayLevel > 0) return ['DELAY', String(plan.delayLevel)];
  if (plan.timerDelayMillis > 0) return ['TIMER_DELAY_MS', String(plan.timerDelayMillis)];
  if (plan.deliverAt > 0) return ['TIMER_DELIVER_MS', String(plan.deliverAt)];
  return undefined;
}

/** How long after its sending a message is due; 0 when it has a time of its own or is to come at once. */
export function delayMillis({ delayLevel, timerDelayMillis }: DuePlan): number {
  return delayLevel > 0 ? (LEVEL_SECONDS[delayLevel - 1] as number) * 1000 : timerDelayMillis;
}

/** When message `counter` of a connection is due, of those that have a time of their own. */
export function deliverTime({ deliverAt, spreadMillis, messagesEach }: DuePlan, counter: number): number {
  if (spreadMillis === 0) return deliverAt;
  return deliverAt + Math.floor((counter * spreadMillis) / messagesEach);
}

/** When the last message is due that is sent by `now`. */
export function lastDue(plan: DuePlan, now: number): number {
  return plan.deliverAt > 0 ? plan.deliverAt + plan.spreadMillis : now + delayMillis(plan);
}

/** Writes the time of message `counter` into a frame. */
export function writeDeliverTime(target: Uint8Array, at: number, plan: DuePlan, counter: number): void {
  writeMillis(target, at, deliverTime(plan, counter));
}
