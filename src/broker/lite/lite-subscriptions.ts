/** The body of LITE_SUBSCRIPTION_CTL (200071): JSON of RocketMQ's LiteSubscriptionCtlRequestBody. */
import type { LiteOffset, LiteSubscription } from '../../delivery/lite/lite-questions.ts';
import { limitRemark, MAX_CLIENT_ID, MAX_LITE_TOPICS_ASKED } from '../../lib/limits.ts';
import { liteQueueOf, liteTopicProblem } from '../../lib/lite-names.ts';
import { isBlank, isGroupName } from '../../lib/names.ts';
import { ResponseCode } from '../../protocol/codes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { asArray, asObject, integerFrom, parseBody, textIn } from '../../protocol/json-fields.ts';
import type { RocketJson, RocketJsonObject } from '../../protocol/rocketmq-json.ts';
import { type Refusal, refusal } from '../pop/pop-checks.ts';

const ACTIONS = ['PARTIAL_ADD', 'PARTIAL_REMOVE', 'COMPLETE_ADD', 'COMPLETE_REMOVE'] as const;
const OFFSET_TYPES = ['POLICY', 'OFFSET', 'TAIL_N', 'TIMESTAMP'] as const;

/** An entry before it is known what its group may. */
export type AskedSubscription = Omit<LiteSubscription, 'rules'>;

/** What is wrong with it, or its entries; those without a client, group or topic are left out. */
export function parseLiteSubscriptions(body: Uint8Array): AskedSubscription[] | Refusal {
  try {
    const json = asObject(parseBody(body));
    if (json === undefined) return refusal(ResponseCode.SYSTEM_ERROR, 'the body is no JSON object');
    const set = json['subscriptionSet'] ?? [];
    if (!Array.isArray(set)) return refusal(ResponseCode.SYSTEM_ERROR, 'subscriptionSet is no array');
    if (set.length === 0)
      return refusal(ResponseCode.ILLEGAL_OPERATION, 'LiteSubscriptionCtlRequestBody is empty.');
    const asked = set.flatMap((entry) => entryOf(asObject(entry)) ?? []);
    const topics = asked.reduce((sum, { queues }) => sum + queues.length, 0);
    if (topics <= MAX_LITE_TOPICS_ASKED) return asked;
    const limit = limitRemark('lite topics in one request', MAX_LITE_TOPICS_ASKED, 'MAX_LITE_TOPICS_ASKED');
    return refusal(ResponseCode.ILLEGAL_OPERATION, limit);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return refusal(ResponseCode.SYSTEM_ERROR, `the body cannot be read: ${error.message}`);
  }
}

function entryOf(json: RocketJsonObject | undefined): AskedSubscription | undefined {
  if (json === undefined) return undefined;
  const [clientId = '', group = '', topic = ''] = ['clientId', 'group', 'topic'].map((name) =>
    textIn(json, name),
  );
  if (isBlank(clientId) || clientId.length > MAX_CLIENT_ID || !isGroupName(group) || isBlank(topic))
    return undefined;
  const named = textIn(json, 'action') ?? '';
  const action = ACTIONS.find((name) => name === named);
  if (action === undefined)
    throw new ProtocolError('VALUE', `a subscription has no action of ${ACTIONS.join(', ')}`);
  const queues = namesIn(json['liteTopicSet'], topic);
  return { clientId, group, topic, action, queues, offset: offsetOf(asObject(json['offsetOption'])) };
}

function namesIn(set: RocketJson | undefined, topic: string): string[] {
  const names = new Set<string>();
  for (const name of set === undefined || set === null ? [] : asArray(set)) {
    const problem = typeof name === 'string' ? liteTopicProblem(topic, name) : 'a lite topic is no text';
    if (problem !== undefined) throw new ProtocolError('VALUE', problem);
    names.add(liteQueueOf(topic, name as string));
  }
  return [...names];
}

function offsetOf(json: RocketJsonObject | undefined): LiteOffset | undefined {
  const named = json === undefined ? undefined : textIn(json, 'type');
  const type = OFFSET_TYPES.find((name) => name === named);
  return type && { type, value: integerFrom(json?.['value']) ?? 0 };
}
