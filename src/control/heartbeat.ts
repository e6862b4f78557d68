/**
 * The body of a heartbeat (request 34). Clients differ: C++ writes enums as ordinals and leaves empty sets out, Go
 * leaves out what is default (protocol §7.4, trap T21).
 */
import { ProtocolError } from '../protocol/errors.ts';
import type { RocketJson } from '../protocol/rocketmq-json.ts';
import { asArray, asObject, booleanOr, enumOr, integerOr, parseBody, textIn } from './json-fields.ts';
import { type Subscription, subscriptionFromJson } from './subscription.ts';

const CONSUME_TYPES = ['CONSUME_ACTIVELY', 'CONSUME_PASSIVELY', 'CONSUME_POP'];
const MESSAGE_MODELS = ['BROADCASTING', 'CLUSTERING', 'LITE_SELECTIVE'];
const CONSUME_FROM_WHERE = [
  'CONSUME_FROM_LAST_OFFSET',
  'CONSUME_FROM_LAST_OFFSET_AND_FROM_MIN_WHEN_BOOT_FIRST',
  'CONSUME_FROM_MIN_OFFSET',
  'CONSUME_FROM_MAX_OFFSET',
  'CONSUME_FROM_FIRST_OFFSET',
  'CONSUME_FROM_TIMESTAMP',
];

/** Enum values by RocketMQ's names; unknown ones of newer clients pass through. */
export interface ConsumerData {
  groupName: string;
  consumeType: string;
  messageModel: string;
  consumeFromWhere: string;
  unitMode: boolean;
  subscriptions: Subscription[];
}

export interface HeartbeatData {
  clientId: string;
  producerGroups: string[];
  consumers: ConsumerData[];
  /** Not 0: heartbeat V2, a hash over groups and subscriptions. */
  fingerprint: number;
  /** V2 only: the subscriptions were left out, those of the same fingerprint still hold. */
  withoutSubscriptions: boolean;
}

/**
 * Throws a ProtocolError when the body is no JSON object or names no client. `version`: that of subscriptions which
 * come without one.
 */
export function parseHeartbeat(body: Uint8Array | undefined, version: number): HeartbeatData {
  const object = asObject(parseBody(body));
  const clientId = object === undefined ? undefined : textIn(object, 'clientID');
  if (object === undefined || clientId === undefined) {
    throw new ProtocolError('VALUE', 'heartbeat without clientID');
  }
  return {
    clientId,
    producerGroups: asArray(object['producerDataSet']).flatMap((value) => groupNameIn(value) ?? []),
    consumers: asArray(object['consumerDataSet']).flatMap((value) => consumerFromJson(value, version) ?? []),
    fingerprint: integerOr(object, 'heartbeatFingerprint', 0),
    withoutSubscriptions: booleanOr(object, 'withoutSub', false),
  };
}

function groupNameIn(value: RocketJson): string | undefined {
  return textIn(asObject(value) ?? {}, 'groupName');
}

function consumerFromJson(value: RocketJson, version: number): ConsumerData | undefined {
  const groupName = groupNameIn(value);
  if (groupName === undefined) return undefined;
  const consumer = asObject(value) ?? {};
  return {
    groupName,
    consumeType: enumOr(consumer, 'consumeType', CONSUME_TYPES, 'CONSUME_PASSIVELY'),
    messageModel: enumOr(consumer, 'messageModel', MESSAGE_MODELS, 'CLUSTERING'),
    consumeFromWhere: enumOr(consumer, 'consumeFromWhere', CONSUME_FROM_WHERE, 'CONSUME_FROM_LAST_OFFSET'),
    unitMode: booleanOr(consumer, 'unitMode', false),
    subscriptions: asArray(consumer['subscriptionDataSet']).flatMap(
      (subscription) => subscriptionFromJson(subscription, version) ?? [],
    ),
  };
}
