import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RequestCode, ResponseCode } from '../../../src/protocol/codes.ts';
import { message, request, setUp } from './support.ts';

const test = suite('queries');

test('positions of a queue', async () => {
  const { ask, store } = setUp();
  for (const time of [100, 200, 300]) store.append(message(), time);
  const queue = { topic: 't', queueId: 0 };
  const offset = async (code: number, more: object = {}) =>
    (await ask(request(code, { ...queue, ...more })))?.fields['offset'];
  assert.is(await offset(RequestCode.GET_MAX_OFFSET), '3');
  assert.is(await offset(RequestCode.GET_MIN_OFFSET), '0');
  assert.is(await offset(RequestCode.SEARCH_OFFSET_BY_TIMESTAMP, { timestamp: 200 }), '1');
  assert.is(
    await offset(RequestCode.SEARCH_OFFSET_BY_TIMESTAMP, { timestamp: 300, boundaryType: 'upper' }),
    '1',
  );
  const earliest = await ask(request(RequestCode.GET_EARLIEST_MSG_STORETIME, queue));
  assert.is(earliest?.fields['timestamp'], '100');
  const empty = await ask(request(RequestCode.GET_EARLIEST_MSG_STORETIME, { topic: 'x', queueId: 0 }));
  assert.is(empty?.fields['timestamp'], '-1');
  const bad = await ask(request(RequestCode.GET_MAX_OFFSET, { topic: 't' }));
  assert.is(bad?.remark, 'the custom field <queueId> is null');
});

test('by key: index types, the unique key flag, hits and misses', async () => {
  const { ask, store } = setUp();
  const fields = {
    topic: 't',
    key: 'k',
    maxNum: 5,
    beginTimestamp: 1,
    endTimestamp: '9223372036854775807',
  };
  const miss = await ask(request(RequestCode.QUERY_MESSAGE, fields));
  assert.is(miss?.code, ResponseCode.QUERY_NOT_FOUND);
  assert.equal({ ...miss?.fields }, { indexLastUpdateTimestamp: '3', indexLastUpdatePhyoffset: '4' });
  store.found = { ...store.found, records: Uint8Array.of(1, 2, 3) };
  const hit = await ask(request(RequestCode.QUERY_MESSAGE, { ...fields, _UNIQUE_KEY_QUERY: true }));
  assert.equal([...(hit?.body ?? [])], [1, 2, 3]);
  await ask(request(RequestCode.QUERY_MESSAGE, { ...fields, indexType: 'T' }));
  assert.equal(
    store.queries.map(({ maxCount, indexType }) => [maxCount, indexType]),
    [
      [5, 'K'],
      [32, 'U'],
      [5, 'T'],
    ],
  );
});

test('by position', async () => {
  const { ask, store } = setUp();
  const stored = store.append(message(), 1);
  const view = (offset: string | number) => ask(request(RequestCode.VIEW_MESSAGE_BY_ID, { offset }));
  assert.is((await view(0))?.body, stored.record);
  assert.is(
    (await view('7522537965574647859'))?.remark,
    'can not find message by the offset, 7522537965574647859',
  );
  assert.is((await view(1))?.code, ResponseCode.SYSTEM_ERROR);
});

test('by position: none that its queue begins behind, though the log has it', async () => {
  const { ask, store } = setUp();
  const [purged, kept] = [store.append(message(), 1), store.append(message(), 2)];
  store.minimum.set('t/0', 1);
  const view = (offset: number) => ask(request(RequestCode.VIEW_MESSAGE_BY_ID, { offset }));
  assert.is((await view(purged.entry.physicalOffset))?.remark, 'can not find message by the offset, 0');
  assert.is((await view(kept.entry.physicalOffset))?.body, kept.record);
});

test.run();
