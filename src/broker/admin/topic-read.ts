/** Topic configurations: GET_ALL_TOPIC_CONFIG (21), GET_TOPIC_CONFIG (351), system topics (305). */

import { topicConfigToJson } from '../../metadata/topic-config.ts';
import { ResponseCode } from '../../protocol/codes.ts';
import {
  checkAnswerSize,
  int32Field,
  RequestError,
  requiredText,
  succeed,
  succeedWith,
  textField,
} from '../../protocol/request-fields.ts';
import type { BrokerHandler } from '../context.ts';
import { builtOnce } from './built-once.ts';
import { pageOf } from './paging.ts';

/** Static topics do not exist here, so their tables are empty and their version never moves. */
const NO_MAPPINGS = {
  mappingDataVersion: { counter: 0, stateVersion: 0, timestamp: 0 },
  topicQueueMappingDetailMap: {},
  topicQueueMappingInfoMap: {},
};

/** Callers without any header field get the whole table (old tools, dashboard). */
export const allTopicConfigs: BrokerHandler = (context, request) => {
  const page = pageOf(
    context.settings,
    textField(request, 'dataVersion'),
    int32Field(request, 'topicSeq'),
    int32Field(request, 'maxTopicNum'),
  );
  const { topics } = context;
  const count = { totalTopicNum: topics.size };
  if (page === undefined) {
    const body = builtOnce(topics, () => ({ ...NO_MAPPINGS, ...topics.toJson() }));
    checkAnswerSize(body.length, 'ask for it in pages with topicSeq and maxTopicNum');
    return succeed(request, count, body);
  }
  const shown = topics.page(page.first, page.count, page.dataVersion);
  return succeedWith(request, { ...NO_MAPPINGS, ...topics.toJson(shown) }, count);
};

export const topicConfig: BrokerHandler = (context, request) => {
  const topic = requiredText(request, 'topic');
  const config = context.topics.get(topic);
  if (config === undefined) {
    throw new RequestError(ResponseCode.TOPIC_NOT_EXIST, `No topic in this broker. topic: ${topic}`);
  }
  return succeedWith(request, topicConfigToJson(config));
};

export const systemTopics: BrokerHandler = (context, request) =>
  succeedWith(request, { topicList: [...context.topics.systemNames] });
