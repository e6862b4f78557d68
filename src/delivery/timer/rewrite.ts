/**
 * What happens to a message with a time of its sender's choice when it is put: it is parked in the timer topic, with
 * the real topic and queue and the time among its properties.
 */
import { TIMER_TOPIC } from '../../lib/names.ts';
import { PROPERTY_PRODUCER_GROUP, PROPERTY_TAGS, PROPERTY_UNIQUE_KEY } from '../../record/properties.ts';
import { setRealQueue } from '../real-queue.ts';
import { encodeHandle } from './recall-handle.ts';
import { slotTimeOf } from './timer-layout.ts';

export const TIMER_DELAY_SEC = 'TIMER_DELAY_SEC';
export const TIMER_DELAY_MS = 'TIMER_DELAY_MS';
export const TIMER_DELIVER_MS = 'TIMER_DELIVER_MS';
/** Slot of the wheel in which the message lies, ms since the epoch: it is due within the slot's time behind it. */
export const TIMER_OUT_MS = 'TIMER_OUT_MS';
/** Unique key of another timed message of the same slot, which this one takes back. */
export const TIMER_DEL_UNIQKEY = 'TIMER_DEL_UNIQKEY';

/** In the order in which they count; a delay level counts before them. */
export const TIMER_PROPERTIES: readonly string[] = [TIMER_DELAY_SEC, TIMER_DELAY_MS, TIMER_DELIVER_MS];

const RECALL_TAG = '_RECALL_TAG_';
const BORN_TIMESTAMP = 'BORN_TIMESTAMP';

/** Queue 0 of the timer topic is the only one. */
const TIMER_QUEUE = 0;

export interface TimerRules {
  timerWheelEnable: boolean;
  /** Longest delay in seconds. */
  timerMaxDelaySec: number;
  /** Ms of a slot of the wheel. */
  timerPrecisionMs: number;
}

interface Timable {
  topic: string;
  queueId: number;
  properties: Map<string, string>;
}

/** When a message is due, ms since the epoch; undefined when it names no time, NaN when that is no number. */
export function dueTimeOf(properties: ReadonlyMap<string, string>, now: number): number | undefined {
  const name = TIMER_PROPERTIES.find((property) => properties.has(property));
  if (name === undefined) return undefined;
  const value = longIn(properties.get(name) ?? '');
  if (name === TIMER_DELAY_SEC) return now + value * 1_000;
  return name === TIMER_DELAY_MS ? now + value : value;
}

/**
 * Why a timed message cannot be taken: with a wrong time whoever sent it would get it at another one than he wants.
 * RocketMQ says the same; but where its sum of time and delay overflows it takes the message as due now.
 */
export function timeProblem(
  properties: ReadonlyMap<string, string>,
  rules: TimerRules,
  now: number,
): string | undefined {
  const due = properties.has(TIMER_OUT_MS) ? undefined : dueTimeOf(properties, now);
  if (due === undefined) return undefined;
  const most = rules.timerMaxDelaySec * 1_000;
  const isPast = due <= now;
  if (due - now <= most && !(isPast && properties.has(TIMER_DEL_UNIQKEY))) return undefined;
  return (
    `timer message illegal, the delay time should not be bigger than the max delay ${most}ms; ` +
    'or if set del msg, the delay time should be bigger than the current time'
  );
}

/**
 * The message as it has to be put: itself when it names no time or one that has passed, else a copy that is parked. The
 * given message is not changed. To be applied to what clients send (when `timeProblem` finds nothing), and to what is
 * committed; never to what the timer delivers: that still names its time.
 */
export function rewriteForTimer<M extends Timable>(
  message: M,
  { timerPrecisionMs }: TimerRules,
  now: number,
): M {
  const due = message.properties.has(TIMER_OUT_MS) ? undefined : dueTimeOf(message.properties, now);
  if (due === undefined || !(due > now)) return message;
  const properties = new Map(message.properties);
  properties.set(TIMER_OUT_MS, String(slotTimeOf(due, timerPrecisionMs)));
  setRealQueue(properties, message);
  return { ...message, topic: TIMER_TOPIC, queueId: TIMER_QUEUE, properties };
}

/** By what a producer may recall a parked message to `topic`. */
export function recallHandleOf(
  topic: string,
  brokerName: string,
  parked: ReadonlyMap<string, string>,
  uniqueKey: string,
): string {
  const time = Number(parked.get(TIMER_OUT_MS)) + 1;
  return encodeHandle({ topic, brokerName, time: String(time), messageId: uniqueKey });
}

export interface Recall {
  topic: string;
  /** Of the handle: ms since the epoch, digits. */
  time: string;
  uniqueKey: string;
  /** The producer's; may be empty. */
  group: string;
  bornTimestamp: number;
  /** Ms of a slot of the wheel. */
  precision: number;
}

/** What is put into the timer topic to take a message back: it lies in the slot of its message, and meets it there. */
export function recallOf({ topic, time, uniqueKey, group, bornTimestamp, precision }: Recall) {
  const properties = new Map([
    [PROPERTY_TAGS, RECALL_TAG],
    [PROPERTY_UNIQUE_KEY, uniqueKey],
    [TIMER_DEL_UNIQKEY, uniqueKey],
    [TIMER_DELIVER_MS, time],
    [TIMER_OUT_MS, String(slotTimeOf(Number(time), precision))],
    [BORN_TIMESTAMP, String(bornTimestamp)],
  ]);
  setRealQueue(properties, { topic, queueId: 0 });
  if (group !== '') properties.set(PROPERTY_PRODUCER_GROUP, group);
  const body = Buffer.from('0');
  const rest = { flag: 0, sysFlag: 0, bornTimestamp, reconsumeTimes: 0, preparedTransactionOffset: 0 };
  return { topic: TIMER_TOPIC, queueId: TIMER_QUEUE, body, properties, ...rest };
}

/** No number of so many digits is past 2^53. */
const SAFE_DIGITS = 15;

/** As Java reads a long; NaN for what is none. What is past 2^53 loses its last digits, far beyond any limit. */
function longIn(text: string): number {
  if (!/^[+-]?\d+$/.test(text)) return Number.NaN;
  if (text.length <= SAFE_DIGITS) return Number(text);
  const value = BigInt(text.replace('+', ''));
  return BigInt.asIntN(64, value) === value ? Number(value) : Number.NaN;
}
