/** Which messages a pull wants: by the subscription that its group heartbeated, or by the text in the pull itself. */

import { noPropertyFilter, ParsedFilters, TAG } from '../../clients/parsed-filters.ts';
import { limitRemark, MAX_EXPRESSION } from '../../lib/limits.ts';
import { ResponseCode } from '../../protocol/codes.ts';
import { ABSENT } from '../../protocol/field-table.ts';
import type { RequestView } from '../../protocol/request-view.ts';
import type { TagFilter } from '../../store/read/pull-reader.ts';
import type { GroupView, TopicView } from '../view/network-view.ts';
import type { AnnouncedSubscriptions } from './announced-subscriptions.ts';
import { PULL_SUBSCRIPTION, type PullFields } from './pull-fields.ts';

export interface Refusal {
  code: number;
  remark: string;
  forbiddenType?: number;
}

export interface Filter {
  /** undefined = every message. */
  filter: TagFilter | undefined;
}

const EVERYTHING: Filter = { filter: undefined };
export function isRefusal(outcome: Filter | Refusal): outcome is Refusal {
  return 'code' in outcome;
}

export class PullFilters {
  readonly #parsed = new ParsedFilters();
  readonly #isAllowed: () => boolean;
  readonly #subscriptions: AnnouncedSubscriptions;

  /**
   * `subscriptions` hears of consumers that pull with a subscription text of their own. `isAllowed`: whether other
   * filters than tags are.
   */
  constructor(subscriptions: AnnouncedSubscriptions, isAllowed: () => boolean) {
    this.#subscriptions = subscriptions;
    this.#isAllowed = isAllowed;
  }

  of(request: RequestView, fields: PullFields, group: GroupView, topic: TopicView): Filter | Refusal {
    if (group.forbidden.has(topic.name)) {
      return {
        code: ResponseCode.NO_PERMISSION,
        remark: `the consumer group[${group.config.name}] is forbidden for topic[${topic.name}]`,
        forbiddenType: 5,
      };
    }
    return (fields.sysFlag & PULL_SUBSCRIPTION) !== 0
      ? this.#ofText(request, fields, group, topic)
      : this.#ofGroup(request, fields, group, topic);
  }

  #ofText(request: RequestView, fields: PullFields, group: GroupView, topic: TopicView): Filter | Refusal {
    const { fields: table } = request;
    const expressionType = typeOf(request);
    const notAllowed = this.#notAllowed(expressionType);
    if (notAllowed !== undefined) return notAllowed;
    const place = table.find('subscription');
    if (place !== ABSENT && (table.valueLength[place] as number) > MAX_EXPRESSION) return tooLong();
    const expression = table.text(place);
    const parsed = this.#parse(expressionType, expression, ResponseCode.SUBSCRIPTION_PARSE_FAILED);
    if (isRefusal(parsed)) return parsed;
    this.#subscriptions.tell({
      group: group.config.name,
      topic: topic.name,
      expression,
      expressionType,
      subVersion: fields.subVersion,
    });
    return parsed;
  }

  /**
   * A pull may know of a newer subscription than the last heartbeat told. RocketMQ refuses such pulls
   * (SUBSCRIPTION_NOT_LATEST), and its Java client gives itself a new version at every change of its queues, whose
   * heartbeat it leaves out when the one of its timer is under way (both fall one second after its start): such a
   * consumer then stands still for the 30 s to its next heartbeat. Every client compares tags itself, as the broker
   * compares only their hash codes; so until the new ones are known it gets everything.
   */
  #ofGroup(request: RequestView, fields: PullFields, group: GroupView, topic: TopicView): Filter | Refusal {
    const { consumers } = group;
    if (consumers === undefined) {
      return {
        code: ResponseCode.SUBSCRIPTION_NOT_EXIST,
        remark: "the consumer's group info not exist: send a heartbeat first",
      };
    }
    if (consumers.broadcasting && !group.config.consumeBroadcastEnable) {
      return {
        code: ResponseCode.NO_PERMISSION,
        remark: `the consumer group[${group.config.name}] can not consume by broadcast way`,
        forbiddenType: 4,
      };
    }
    const subscription = consumers.subscriptions.get(topic.name);
    if (subscription === undefined) {
      return {
        code: ResponseCode.SUBSCRIPTION_NOT_EXIST,
        remark: `the consumer's subscription not exist: group ${group.config.name}, topic ${topic.name}`,
      };
    }
    if (subscription.subVersion < fields.subVersion) {
      if (typeOf(request) === TAG) return EVERYTHING;
      return {
        code: ResponseCode.SUBSCRIPTION_NOT_LATEST,
        remark: "the consumer's subscription not latest",
      };
    }
    const { type, expression } = subscription;
    if (type === TAG) return subscription;
    return this.#notAllowed(type) ?? this.#parse(type, expression, ResponseCode.FILTER_DATA_NOT_EXIST);
  }

  /** `code`: of the answer when the expression cannot be used. */
  #parse(type: string, expression: string, code: number): Filter | Refusal {
    const filter = this.#parsed.of(type, expression);
    return typeof filter === 'string' ? { code, remark: filter } : { filter };
  }

  /** Undefined when it may be used. */
  #notAllowed(type: string): Refusal | undefined {
    if (type === TAG || this.#isAllowed()) return undefined;
    return { code: ResponseCode.SYSTEM_ERROR, remark: noPropertyFilter(type) };
  }
}

function typeOf({ fields }: RequestView): string {
  const type = fields.find('expressionType');
  return type === ABSENT ? TAG : fields.text(type) || TAG;
}

function tooLong(): Refusal {
  const what = 'bytes in a subscription expression';
  return {
    code: ResponseCode.SUBSCRIPTION_PARSE_FAILED,
    remark: limitRemark(what, MAX_EXPRESSION, 'MAX_EXPRESSION'),
  };
}
