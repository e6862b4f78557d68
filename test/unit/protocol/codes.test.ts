import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  fromInt16,
  RequestCode,
  ResponseCode,
  requestName,
  responseName,
  toInt16,
} from '../../../src/protocol/codes.ts';

test('no two requests share a code, nor do two responses', () => {
  for (const table of [RequestCode, ResponseCode]) {
    const codes = Object.values(table);
    assert.is(new Set(codes).size, codes.length);
  }
});

test('names for logs', () => {
  assert.is(requestName(310), 'SEND_MESSAGE_V2');
  assert.is(responseName(17), 'TOPIC_NOT_EXIST');
  assert.is(requestName(77_777), 'request 77777');
  assert.is(responseName(77_777), 'response 77777');
});

test('codes past 16 bits are known by their low bits', () => {
  assert.is(toInt16(RequestCode.POP_MESSAGE), 3442);
  assert.is(fromInt16(3442), RequestCode.POP_MESSAGE);
  assert.is(fromInt16(3543), RequestCode.BATCH_ACK_MESSAGE);
  assert.is(fromInt16(3471), RequestCode.TRIGGER_LITE_DISPATCH);
});

test('truncation makes no code look like another', () => {
  const codes = Object.values(RequestCode);
  assert.is(new Set(codes.map(toInt16)).size, codes.length);
  for (const code of codes) assert.is(fromInt16(toInt16(code)), code);
});

test.run();
