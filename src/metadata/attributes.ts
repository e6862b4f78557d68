/**
 * Attributes of topics and groups: a small registry of named values. Requests say what to change by a sign before
 * the name (`+name=value` sets, `-name` removes); tables and files hold plain names.
 */
import { limitRemark, MAX_ATTRIBUTE } from '../lib/limits.ts';
import { quote } from '../lib/quote.ts';
import { ResponseCode } from '../protocol/codes.ts';
import { RequestError } from '../protocol/request-fields.ts';

/** The change breaks a rule, which the client is told; the message is RocketMQ's remark. */
export class AttributeError extends RequestError {
  constructor(message: string) {
    super(ResponseCode.SYSTEM_ERROR, message);
    this.name = 'AttributeError';
  }
}

interface AttributeRule {
  /** May it change after the topic or group was created? */
  readonly changeable: boolean;
  /** Throws an AttributeError for a value that may not be set. */
  verify(value: string): void;
}

function oneOf(changeable: boolean, ...values: string[]): AttributeRule {
  return {
    changeable,
    verify(value) {
      if (!values.includes(value)) throw new AttributeError(`value is not in set: [${values.join(', ')}]`);
    },
  };
}

const LONG_MAX = 9223372036854775807n;

function between(min: bigint, max: bigint): AttributeRule {
  return {
    changeable: true,
    verify(value) {
      if (!/^[+-]?\d{1,20}$/.test(value)) throw new AttributeError(`For input string: "${quote(value)}"`);
      const number = BigInt(value.replace(/^\+/, ''));
      if (number < min || number > max) {
        throw new AttributeError(`value is not in range(${min}, ${max})`);
      }
    },
  };
}

const anyText: AttributeRule = {
  changeable: true,
  verify(value) {
    if (value.length <= MAX_ATTRIBUTE) return;
    throw new AttributeError(limitRemark('characters in an attribute', MAX_ATTRIBUTE, 'MAX_ATTRIBUTE'));
  },
};

const trueOrFalse: AttributeRule = {
  changeable: true,
  verify(value) {
    if (!/^(true|false)$/i.test(value)) throw new AttributeError('boolean attribute format is wrong.');
  },
};

export type AttributeRules = ReadonlyMap<string, AttributeRule>;

const MESSAGE_TYPES = ['UNSPECIFIED', 'NORMAL', 'FIFO', 'DELAY', 'TRANSACTION', 'PRIORITY', 'LITE', 'MIXED'];

export const MESSAGE_TYPE_ATTRIBUTE = 'message.type';
/** Minutes after its last message for which a lite topic below the topic stays. */
export const LITE_EXPIRATION_ATTRIBUTE = 'lite.topic.expiration';
/** The parent whose lite topics a group consumes. */
export const LITE_BIND_ATTRIBUTE = 'lite.bind.topic';
export const LITE_MODEL_ATTRIBUTE = 'lite.sub.model';
export const LITE_RESET_EXCLUSIVE_ATTRIBUTE = 'lite.sub.reset.offset.exclusive';
export const LITE_WILDCARD_ATTRIBUTE = 'lite.sub.wildcard';
export const LITE_RESET_UNSUBSCRIBE_ATTRIBUTE = 'lite.sub.reset.offset.unsubscribe';

export const TOPIC_ATTRIBUTES: AttributeRules = new Map([
  ['queue.type', oneOf(false, 'BatchCQ', 'SimpleCQ')],
  ['cleanup.policy', oneOf(false, 'DELETE', 'COMPACTION')],
  [MESSAGE_TYPE_ATTRIBUTE, oneOf(true, ...MESSAGE_TYPES)],
  ['reserve.time', between(-1n, LONG_MAX)],
  [LITE_EXPIRATION_ATTRIBUTE, between(-1n, 43_200n)],
]);

export const GROUP_ATTRIBUTES: AttributeRules = new Map([
  ['priority.factor', between(0n, 100n)],
  [LITE_BIND_ATTRIBUTE, anyText],
  [LITE_MODEL_ATTRIBUTE, oneOf(true, 'Shared', 'Exclusive')],
  [LITE_RESET_EXCLUSIVE_ATTRIBUTE, trueOrFalse],
  [LITE_RESET_UNSUBSCRIBE_ATTRIBUTE, trueOrFalse],
  ['lite.sub.client.quota', between(-1n, LONG_MAX)],
  ['lite.sub.client.max.event.cnt', between(10n, LONG_MAX)],
  [LITE_WILDCARD_ATTRIBUTE, anyText],
]);

/**
 * Parses the text of a request, `+key1=value1,+key2=value2,-key3`, into signed names and values.
 * Throws an AttributeError when an entry has no proper sign or a name comes twice.
 */
export function parseAttributeChanges(text: string | undefined): Map<string, string> {
  const changes = new Map<string, string>();
  if (text === undefined || text === '') return changes;
  for (const entry of text.split(',')) {
    const [key = '', value] = entry.split('=');
    if (value !== undefined && !key.includes('+')) {
      throw new AttributeError(`add/alter attribute format is wrong: ${quote(key)}`);
    }
    if (value === undefined && !key.includes('-')) {
      throw new AttributeError(`delete attribute format is wrong: ${quote(key)}`);
    }
    if (changes.has(key)) throw new AttributeError(`key duplication: ${quote(key)}`);
    changes.set(key, value ?? '');
  }
  return changes;
}

/**
 * The attributes after `changes` (signed names) were applied to `current` (undefined: the topic or group is being
 * created, where only `+` is allowed). Throws an AttributeError and changes nothing when one of them may not be made.
 */
export function alterAttributes(
  rules: AttributeRules,
  current: ReadonlyMap<string, string> | undefined,
  changes: ReadonlyMap<string, string>,
): Map<string, string> {
  const result = new Map(current);
  const seen = new Set<string>();
  for (const [key, value] of changes) {
    const name = key.slice(1);
    if (name === '' || /[+-]/.test(name)) throw new AttributeError('kv string format wrong.');
    if (seen.has(name)) throw new AttributeError(`alter duplication key. key: ${quote(name)}`);
    seen.add(name);
    const adds = key.startsWith('+');
    if (current === undefined && !adds) {
      throw new AttributeError(`only add attribute is supported while creating topic. key: ${quote(name)}`);
    }
    if (!adds && !key.startsWith('-')) throw new AttributeError(`wrong format key: ${quote(name)}`);
    if (!adds && !result.has(name)) {
      throw new AttributeError(`attempt to delete a nonexistent key: ${quote(name)}`);
    }
    const rule = rules.get(name);
    if (rule === undefined) throw new AttributeError(`unsupported key: ${quote(name)}`);
    if (current !== undefined && !rule.changeable) {
      throw new AttributeError(`attempt to update an unchangeable attribute. key: ${quote(name)}`);
    }
    if (!adds) result.delete(name);
    else {
      rule.verify(value);
      result.set(name, value);
    }
  }
  return result;
}
