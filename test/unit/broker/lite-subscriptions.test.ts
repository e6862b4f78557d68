// The body by which clients say which lite topics they want.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseLiteSubscriptions } from '../../../src/broker/lite/lite-subscriptions.ts';
import { MAX_LITE_TOPICS_ASKED } from '../../../src/lib/limits.ts';

const test = suite('subscriptions to lite topics');
const ENTRY = { clientId: 'c', group: 'g', topic: 'p', action: 'PARTIAL_ADD', version: 1 };

const parse = (body: unknown) => parseLiteSubscriptions(Buffer.from(JSON.stringify(body)));
const parseEntries = (...entries: object[]) => parse({ subscriptionSet: entries });

test('names become those of queues, each once', () => {
  const offsetOption = { type: 'TAIL_N', value: 3 };
  assert.equal(parseEntries({ ...ENTRY, liteTopicSet: ['x', 'y', 'x'], offsetOption }), [
    {
      ...{ clientId: 'c', group: 'g', topic: 'p', action: 'PARTIAL_ADD' },
      queues: ['%LMQ%$p$x', '%LMQ%$p$y'],
      offset: { type: 'TAIL_N', value: 3 },
    },
  ]);
});

test('sets and offsets may be missing, or null', () => {
  for (const more of [{}, { liteTopicSet: null, offsetOption: null }, { offsetOption: { type: 'MIDDLE' } }]) {
    const [entry] = parseEntries({ ...ENTRY, action: 'COMPLETE_REMOVE', ...more }) as { queues: string[] }[];
    assert.equal(entry, {
      clientId: 'c',
      group: 'g',
      topic: 'p',
      action: 'COMPLETE_REMOVE',
      queues: [],
      offset: undefined,
    });
  }
});

test('an entry without client, group or topic is left out, as by RocketMQ', () => {
  const bad = [
    { clientId: ' ' },
    { clientId: 'c'.repeat(1025) },
    { group: '' },
    { group: 'g/h' },
    { topic: '' },
  ];
  assert.equal(parseEntries(...bad.map((part) => ({ ...ENTRY, ...part }))), []);
});

test('what cannot be meant is refused with the reason', () => {
  const is = (outcome: ReturnType<typeof parseLiteSubscriptions>, why: RegExp) =>
    assert.match((outcome as { remark: string }).remark, why);
  is(parse({}), /is empty/);
  is(parse([]), /no JSON object/);
  is(parse({ subscriptionSet: 5 }), /no array/);
  is(parseLiteSubscriptions(Buffer.from('{"subscriptionSet":[')), /cannot be read/);
  is(parseEntries({ ...ENTRY, action: 'REPLACE' }), /no action of PARTIAL_ADD/);
  is(parseEntries({ ...ENTRY, liteTopicSet: ['a$b'] }), /may have the characters/);
  is(parseEntries({ ...ENTRY, liteTopicSet: [1] }), /is no text/);
  is(parseEntries({ ...ENTRY, liteTopicSet: ['l'.repeat(256)] }), /may have the characters|MAX_NAME/);
  const many = Array.from({ length: MAX_LITE_TOPICS_ASKED / 2 + 1 }, (_, i) => `l${i}`);
  is(
    parseEntries({ ...ENTRY, liteTopicSet: many }, { ...ENTRY, liteTopicSet: many }),
    /MAX_LITE_TOPICS_ASKED/,
  );
});

test.run();
