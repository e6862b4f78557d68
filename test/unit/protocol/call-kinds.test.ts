/** Kinds of calls: every row is one kind, and every call has a row, whatever its codes. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  AT_ONCE,
  CALL_ROWS,
  callKind,
  callOf,
  callRow,
  LOST,
  ONEWAY,
  OTHER_CALL,
  OTHER_CODE,
} from '../../../src/protocol/call-kinds.ts';
import { RequestCode, ResponseCode } from '../../../src/protocol/codes.ts';

const test = suite('call kinds');

test('a row leads back to what it counts, and no two kinds share one', () => {
  const kinds = new Set<string>();
  for (let row = 0; row < CALL_ROWS; row++) {
    const { request, answer, way } = callKind(row);
    kinds.add(`${request} ${answer} ${way}`);
    assert.is(callRow(callOf(request), answer, way), row);
  }
  assert.is(kinds.size, CALL_ROWS);
});

test('what is not listed is counted together, within the table', () => {
  for (const code of [0, 9_999, -1, RequestCode.HEART_BEAT]) assert.is(callOf(code), OTHER_CALL);
  assert.ok(OTHER_CALL <= 0xff, 'it fits into a byte of a question');
  const row = callRow(OTHER_CALL, 31_337, LOST);
  assert.ok(row < CALL_ROWS);
  assert.equal(callKind(row), { request: OTHER_CODE, answer: OTHER_CODE, way: LOST });
});

test('requests and answers of the data path have rows of their own', () => {
  const row = callRow(callOf(RequestCode.SEND_MESSAGE_V2), ResponseCode.FLUSH_DISK_TIMEOUT, ONEWAY);
  assert.equal(callKind(row), {
    request: RequestCode.SEND_MESSAGE_V2,
    answer: ResponseCode.FLUSH_DISK_TIMEOUT,
    way: ONEWAY,
  });
  assert.is.not(row, callRow(callOf(RequestCode.SEND_MESSAGE), ResponseCode.FLUSH_DISK_TIMEOUT, AT_ONCE));
});

test.run();
