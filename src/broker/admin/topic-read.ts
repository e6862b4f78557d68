/** Topic configurations: GET_ALL_TOPIC_CONFIG (21), GET_TOPIC_CONFIG (351), system topics (305). */

import { topicConfigToJson } from '../../metadata/topic-config.ts';
import type { TopicTable } from '../../metadata/topics.ts';
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

/** Of the static ones among the topics. */
function mappingsOf({ mappings }: TopicTable, has?: (topic: string) => boolean) {
  return {
    mappingDataVersion: mappings.version,
    topicQueueMappingDetailMap: mappings.details(has),
    topicQueueMappingInfoMap: {},
  };
}

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
    const body = builtOnce(topics, () => ({ ...mappingsOf(topics), ...topics.toJson() }));
    checkAnswerSize(body.length, 'ask for it in pages with topicSeq and maxTopicNum');
    return succeed(request, count, body);
  }
  const shown = topics.page(page.first, page.count, page.dataVersion);
  const names = new Set(shown.map(({ topicName }) => topicName));
  const mappings = mappingsOf(topics, (topic) => names.has(topic));
  return succeedWith(request, { ...mappings, ...topics.toJson(shown) }, count);
};

export const topicConfig: BrokerHandler = (context, request) => {
  const topic = requiredText(request, 'topic');
  const config = context.topics.get(topic);
  if (config === undefined) {
    throw new RequestError(ResponseCode.TOPIC_NOT_EXIST, `No topic in this broker. topic: ${topic}`);
  }
  const mapping = context.topics.mappings.get(topic);
  const shown = topicConfigToJson(config);
  if (mapping === undefined) return succeedWith(request, shown);
  return succeedWith(request, { ...shown, mappingDetail: context.topics.mappings.detail(mapping) });
};

export const systemTopics: BrokerHandler = (context, request) =>
  succeedWith(request, { topicList: [...context.topics.systemNames] });
