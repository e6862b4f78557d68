/** What the attributes of a group say of lite topics. */
import {
  LITE_BIND_ATTRIBUTE,
  LITE_MODEL_ATTRIBUTE,
  LITE_RESET_EXCLUSIVE_ATTRIBUTE,
  LITE_RESET_UNSUBSCRIBE_ATTRIBUTE,
  LITE_WILDCARD_ATTRIBUTE,
} from './attributes.ts';

export interface LiteRules {
  /** A lite topic has one client at a time: whoever has subscribed to it last. */
  exclusive: boolean;
  /** Who takes it over begins at its first message. */
  resetOnTakeOver: boolean;
  /** The same of who subscribes to it after it was given up. */
  resetOnUnsubscribe: boolean;
  /** Its clients have all lite topics of the parent, whatever they say. */
  wildcard: boolean;
}

export interface LiteGroup extends LiteRules {
  /** The parent of its lite topics. */
  bindTopic: string;
}

/** Undefined for a group that consumes no lite topics. */
export function liteGroupOf(attributes: ReadonlyMap<string, string>): LiteGroup | undefined {
  const bindTopic = attributes.get(LITE_BIND_ATTRIBUTE);
  if (bindTopic === undefined) return undefined;
  const isSet = (name: string) => attributes.get(name)?.toLowerCase() === 'true';
  return {
    bindTopic,
    exclusive: attributes.get(LITE_MODEL_ATTRIBUTE) === 'Exclusive',
    resetOnTakeOver: isSet(LITE_RESET_EXCLUSIVE_ATTRIBUTE),
    resetOnUnsubscribe: isSet(LITE_RESET_UNSUBSCRIBE_ATTRIBUTE),
    // As RocketMQ: whatever its value is.
    wildcard: attributes.has(LITE_WILDCARD_ATTRIBUTE),
  };
}
