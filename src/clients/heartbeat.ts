/**
 * The body of a heartbeat (request 34). Clients differ: C++ writes enums as ordinals and leaves empty sets out, Go
 * leaves out what is default.
 */
import {
  MAX_CLIENT_ID,
  MAX_CONSUMER_EXPRESSIONS,
  MAX_CONSUMER_TAGS,
  MAX_HEARTBEAT_GROUPS,
  MAX_SUBSCRIPTIONS,
} from '../lib/limits.ts';
import { isGroupName } from '../lib/names.ts';
import { limitError, ProtocolError } from '../protocol/errors.ts';
import {
  asArray,
  asObject,
  booleanOr,
  enumOr,
  integerOr,
  parseBody,
  textIn,
} from '../protocol/json-fields.ts';
import type { RocketJson, RocketJsonObject } from '../protocol/rocketmq-json.ts';
import { isTagType, type Subscription, subscriptionFromJson } from './subscription.ts';

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
 * Groups and topics whose names no broker would have are left out, as RocketMQ passes over groups that it may not make.
 * Throws a ProtocolError when the body is no JSON object, names no client or goes over a limit. `version`: that of
 * subscriptions which come without one.
 */
export function parseHeartbeat(body: Uint8Array | undefined, version: number): HeartbeatData {
  const object = asObject(parseBody(body));
  const clientId = object === undefined ? undefined : textIn(object, 'clientID');
  if (object === undefined || clientId === undefined) {
    throw new ProtocolError('VALUE', 'heartbeat without clientID');
  }
  if (clientId.length > MAX_CLIENT_ID)
    throw limitError('characters in clientID', MAX_CLIENT_ID, 'MAX_CLIENT_ID');
  return {
    clientId,
    producerGroups: groupsIn(object, 'producerDataSet').flatMap((value) => groupNameIn(value) ?? []),
    consumers: groupsIn(object, 'consumerDataSet').flatMap((value) => consumerFromJson(value, version) ?? []),
    fingerprint: integerOr(object, 'heartbeatFingerprint', 0),
    withoutSubscriptions: booleanOr(object, 'withoutSub', false),
  };
}

function groupsIn(object: RocketJsonObject, name: string): RocketJson[] {
  const groups = asArray(object[name]);
  if (groups.length <= MAX_HEARTBEAT_GROUPS) return groups;
  throw limitError(`groups in ${name}`, MAX_HEARTBEAT_GROUPS, 'MAX_HEARTBEAT_GROUPS');
}

function groupNameIn(value: RocketJson): string | undefined {
  const name = textIn(asObject(value) ?? {}, 'groupName');
  return name !== undefined && isGroupName(name) ? name : undefined;
}

function subscriptionsIn(consumer: RocketJsonObject, version: number): Subscription[] {
  const values = asArray(consumer['subscriptionDataSet']);
  if (values.length > MAX_SUBSCRIPTIONS) {
    throw limitError('subscriptions of a consumer', MAX_SUBSCRIPTIONS, 'MAX_SUBSCRIPTIONS');
  }
  const subscriptions = values.flatMap((value) => subscriptionFromJson(value, version) ?? []);
  const tags = subscriptions.reduce((sum, { tagsSet }) => sum + tagsSet.length, 0);
  if (tags > MAX_CONSUMER_TAGS)
    throw limitError('tags in the subscriptions of a consumer', MAX_CONSUMER_TAGS, 'MAX_CONSUMER_TAGS');
  const others = subscriptions.filter(({ expressionType }) => !isTagType(expressionType));
  if (others.reduce((sum, { subString }) => sum + subString.length, 0) <= MAX_CONSUMER_EXPRESSIONS)
    return subscriptions;
  const what = 'characters in the filters of a consumer';
  throw limitError(what, MAX_CONSUMER_EXPRESSIONS, 'MAX_CONSUMER_EXPRESSIONS');
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
    subscriptions: subscriptionsIn(consumer, version),
  };
}
