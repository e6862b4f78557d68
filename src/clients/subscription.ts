/**
 * What a group wants of one topic. Clients send tag sets and hash codes along, often wrong or not at all, so both are
 * computed here from the expression.
 */
import { javaHashCode } from '../lib/java-hash.ts';
import { MAX_EXPRESSION, MAX_TAGS } from '../lib/limits.ts';
import { isTopicName } from '../lib/names.ts';
import { limitError } from '../protocol/errors.ts';
import { asArray, asObject, bigintOr, booleanOr, enumOr, textIn, textOr } from '../protocol/json-fields.ts';
import type { RocketJson } from '../protocol/rocketmq-json.ts';

export const ALL_TAGS = '*';

export interface Subscription {
  readonly topic: string;
  /** `*`, `a || b`, or SQL text. */
  readonly subString: string;
  /** TAG or SQL92. */
  readonly expressionType: string;
  /** The client's version of it, ms or ns since the epoch; int64. */
  readonly subVersion: bigint;
  /** Legacy filter classes: the broker passes everything. */
  readonly classFilterMode: boolean;
  /** Empty when all tags are wanted, and for SQL. */
  readonly tagsSet: readonly string[];
  /** Java hash codes of `tagsSet`, what ConsumeQueue entries are compared with. */
  readonly codeSet: readonly number[];
}

/** What one takes of memory, bytes, roughly: the object, its texts, and an object for each tag. */
export function bytesOf({ topic, subString, tagsSet }: Subscription): number {
  return 256 + 2 * topic.length + 4 * subString.length + 64 * tagsSet.length;
}

/** An absent or empty type means TAG. */
export function isTagType(expressionType: string | undefined): boolean {
  return expressionType === undefined || expressionType === '' || expressionType === 'TAG';
}

export function newSubscription(
  topic: string,
  subString: string,
  expressionType: string,
  subVersion: bigint,
  classFilterMode = false,
): Subscription {
  const tagsSet = isTagType(expressionType) && !classFilterMode ? tagsOf(subString) : [];
  const codeSet = [...new Set(tagsSet.map(javaHashCode))];
  return { topic, subString, expressionType, subVersion, classFilterMode, tagsSet, codeSet };
}

function tagsOf(expression: string): string[] {
  if (expression.trim() === '' || expression.trim() === ALL_TAGS) return [];
  const tags = expression.split('||').map((tag) => tag.trim());
  return [...new Set(tags.filter((tag) => tag !== ''))];
}

/** Does it take an entry with this tag hash? (TAG only; the client compares the text afterwards.) */
export function acceptsTagCode(subscription: Subscription, code: number): boolean {
  return subscription.codeSet.length === 0 || subscription.codeSet.includes(code);
}

/**
 * From a heartbeat or request 46. Undefined when it is no object or names no topic that there could be. Without
 * expression the tag set stands in for it; `version` is that of clients that send none. Throws a ProtocolError for an
 * expression past its limits.
 */
export function subscriptionFromJson(
  value: RocketJson | undefined,
  version: number,
): Subscription | undefined {
  const object = asObject(value);
  const topic = object === undefined ? undefined : textIn(object, 'topic');
  if (object === undefined || topic === undefined || !isTopicName(topic)) return undefined;
  const tags = asArray(object['tagsSet']).filter((tag) => typeof tag === 'string');
  const fallback = tags.length > 0 ? tags.join(' || ') : ALL_TAGS;
  const subString = textOr(object, 'subString', '') || fallback;
  if (subString.length > MAX_EXPRESSION) {
    throw limitError('characters in a subscription expression', MAX_EXPRESSION, 'MAX_EXPRESSION');
  }
  const subscription = newSubscription(
    topic,
    subString,
    enumOr(object, 'expressionType', [], 'TAG'),
    bigintOr(object, 'subVersion', BigInt(version)),
    booleanOr(object, 'classFilterMode', false),
  );
  if (subscription.tagsSet.length > MAX_TAGS)
    throw limitError('tags in a subscription', MAX_TAGS, 'MAX_TAGS');
  return subscription;
}
