/**
 * How long a group's messages wait between redeliveries, where its configuration says so (`groupRetryPolicy`): a list
 * of delays, or a first delay that is multiplied each time. RocketMQ's broker keeps such a policy without reading it:
 * here its fields are checked, and members that no policy knows stay as they came.
 */
import { MAX_RETRY_DELAY_MS, MAX_RETRY_DELAYS } from '../lib/limits.ts';
import { quote } from '../lib/quote.ts';
import { limitError, ProtocolError } from '../protocol/errors.ts';
import { asObject, INT32, integerFrom, type Range, rangeProblem, textIn } from '../protocol/json-fields.ts';
import { type RocketJson, type RocketJsonObject, writeRocketJson } from '../protocol/rocketmq-json.ts';

const FIELD = 'groupRetryPolicy';
const LIST = 'customizedRetryPolicy';
const POWER = 'exponentialRetryPolicy';

const DELAY: Range = { least: 0, most: MAX_RETRY_DELAY_MS, limit: 'MAX_RETRY_DELAY_MS' };
const MULTIPLIER: Range = { least: 1, most: INT32.most };
/** What RocketMQ's own class takes for a member that is left out. */
const DEFAULT_POWER = { initial: 5_000, max: 7_200_000, multiplier: 2 };

/** The list was made for delay levels, of which a first retry takes the third; RocketMQ's proxy reads it like that. */
const FIRST_ENTRY = 2;
/** Beyond that RocketMQ multiplies no further. */
const MOST_MULTIPLICATIONS = 32;

/** Delay in ms of a message that has been redelivered so many times. */
type DelayOf = (redeliveries: number) => number;

export class RetryPolicy {
  /** RocketMQ's default: names nothing, so that the delay levels apply. */
  static readonly byLevels = new RetryPolicy({ type: 'CUSTOMIZED' }, undefined);

  /** As it came, and as it is shown and stored. */
  readonly json: RocketJson;
  readonly #delayOf: DelayOf | undefined;

  private constructor(json: RocketJson, delayOf: DelayOf | undefined) {
    this.json = json;
    this.#delayOf = delayOf;
  }

  /** Throws a ProtocolError that names the field and what is allowed. Nothing, or null, is `byLevels`. */
  static fromJson(value: RocketJson | undefined): RetryPolicy {
    if (value === undefined || value === null) return RetryPolicy.byLevels;
    const policy = asObject(value);
    if (policy === undefined) throw notAllowed(FIELD, value, 'an object with a type');
    return new RetryPolicy(policy, isPower(policy) ? powerOf(policy) : listOf(policy));
  }

  /** How long a message waits that has been redelivered so many times; undefined when the delay levels apply. */
  delayMs(redeliveries: number): number | undefined {
    return this.#delayOf?.(Math.max(0, redeliveries));
  }
}

function isPower({ type }: RocketJsonObject): boolean {
  if (type === 'EXPONENTIAL') return true;
  if (type === 'CUSTOMIZED' || type === undefined || type === null) return false;
  throw notAllowed(`${FIELD}.type`, type, 'CUSTOMIZED or EXPONENTIAL');
}

/** Undefined when there is no list: the type alone is RocketMQ's default. */
function listOf(policy: RocketJsonObject): DelayOf | undefined {
  const { next } = memberOf(policy, LIST) ?? {};
  if (next === undefined || next === null) return undefined;
  const field = `${FIELD}.${LIST}.next`;
  if (!Array.isArray(next) || next.length === 0) {
    throw notAllowed(field, next, `a list of 1 to ${MAX_RETRY_DELAYS} delays in ms`);
  }
  if (next.length > MAX_RETRY_DELAYS) {
    throw limitError(`delays in ${field}`, MAX_RETRY_DELAYS, 'MAX_RETRY_DELAYS');
  }
  const delays = next.map((delay, i) => within(`${field}[${i}]`, delay, DELAY));
  return (redeliveries) => delays[Math.min(redeliveries + FIRST_ENTRY, delays.length - 1)] as number;
}

function powerOf(policy: RocketJsonObject): DelayOf | undefined {
  const power = memberOf(policy, POWER);
  if (power === undefined) return undefined;
  const read = (name: keyof typeof DEFAULT_POWER, range: Range): number =>
    within(`${FIELD}.${POWER}.${name}`, power[name] ?? DEFAULT_POWER[name], range);
  const initial = read('initial', DELAY);
  const max = read('max', DELAY);
  const multiplier = read('multiplier', MULTIPLIER);
  return (redeliveries) =>
    Math.min(max, initial * multiplier ** Math.min(redeliveries, MOST_MULTIPLICATIONS));
}

function memberOf(policy: RocketJsonObject, name: string): RocketJsonObject | undefined {
  const value = policy[name];
  if (value === undefined || value === null) return undefined;
  const object = asObject(value);
  if (object === undefined) throw notAllowed(`${FIELD}.${name}`, value, 'an object');
  return object;
}

function within(field: string, value: RocketJson, range: Range): number {
  const number = integerFrom(value);
  if (number !== undefined && number >= range.least && number <= range.most) return number;
  const shown = textIn({ value }, 'value') ?? writeRocketJson(value);
  throw new ProtocolError('VALUE', rangeProblem(field, shown, range));
}

function notAllowed(field: string, value: RocketJson, allowed: string): ProtocolError {
  const shown = quote(textIn({ value }, 'value') ?? writeRocketJson(value));
  return new ProtocolError('VALUE', `${field} is ${shown}; ${allowed} is allowed`);
}
