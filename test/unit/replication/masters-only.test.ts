/** Which requests a slave leaves to its master, and what it says of them. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { leftToMaster } from '../../../src/broker/follow/masters-only.ts';
import { RequestCode, ResponseCode } from '../../../src/protocol/codes.ts';
import { SLAVE_TAKES_NO_MESSAGES } from '../../../src/store/put/append-failure.ts';

const test = suite('requests for masters only');

test('what would write messages is not available here', () => {
  for (const code of [
    RequestCode.END_TRANSACTION,
    RequestCode.POP_MESSAGE,
    RequestCode.ACK_MESSAGE,
    RequestCode.BATCH_ACK_MESSAGE,
    RequestCode.CHANGE_MESSAGE_INVISIBLETIME,
    RequestCode.CONSUMER_SEND_MSG_BACK,
  ])
    assert.equal(
      leftToMaster(code),
      [ResponseCode.SERVICE_NOT_AVAILABLE, SLAVE_TAKES_NO_MESSAGES],
      `${code}`,
    );
});

test('what changes the tables that are taken over is refused in the words of RocketMQ', () => {
  for (const code of [
    RequestCode.UPDATE_AND_CREATE_TOPIC,
    RequestCode.UPDATE_AND_CREATE_TOPIC_LIST,
    RequestCode.UPDATE_AND_CREATE_STATIC_TOPIC,
    RequestCode.DELETE_TOPIC_IN_BROKER,
    RequestCode.PURGE_TOPIC,
    RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP,
    RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP_LIST,
    RequestCode.DELETE_SUBSCRIPTIONGROUP,
  ]) {
    const [answer, remark] = leftToMaster(code) ?? [];
    assert.is(answer, ResponseCode.NO_PERMISSION, `${code}`);
    assert.match(remark ?? '', "Can't modify topic or subscription group from slave broker");
  }
});

test('reading, offsets, heartbeats and looking are served', () => {
  for (const code of [
    RequestCode.PULL_MESSAGE,
    RequestCode.QUERY_CONSUMER_OFFSET,
    RequestCode.UPDATE_CONSUMER_OFFSET,
    RequestCode.HEART_BEAT,
    RequestCode.GET_MAX_OFFSET,
    RequestCode.QUERY_MESSAGE,
    RequestCode.VIEW_MESSAGE_BY_ID,
    RequestCode.GET_ALL_TOPIC_CONFIG,
    RequestCode.GET_ALL_CONSUMER_OFFSET,
  ])
    assert.is(leftToMaster(code), undefined, `${code}`);
});

test.run();
