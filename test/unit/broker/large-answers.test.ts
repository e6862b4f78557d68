/** Answers that show whole tables: built once for each state, refused in a useful way when no frame holds them. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { newGroupConfig } from '../../../src/metadata/group-config.ts';
import { newTopicConfig } from '../../../src/metadata/topic-config.ts';
import { RequestCode, ResponseCode } from '../../../src/protocol/codes.ts';
import { encodeCommand } from '../../../src/protocol/command-codec.ts';
import { parseRocketJson, WrittenJson, writeRocketJson } from '../../../src/protocol/rocketmq-json.ts';
import { bodyText, request, type Setup, setUp } from './support.ts';

const test = suite('large answers');

interface Whole {
  code: number;
  /** Changes what the answer shows. */
  change: (setup: Setup, i: number) => void;
}

const WHOLE: readonly Whole[] = [
  {
    code: RequestCode.GET_ALL_TOPIC_CONFIG,
    change: ({ context }, i) => void context.topics.createIfAbsent(newTopicConfig(`t${i}`, 1 + (i % 3))),
  },
  {
    code: RequestCode.GET_ALL_SUBSCRIPTIONGROUP_CONFIG,
    change: ({ context }, i) => void context.groups.findOrCreate(`g${i}`),
  },
  {
    code: RequestCode.GET_ALL_CONSUMER_OFFSET,
    change: ({ context }, i) => void context.offsets.commit('g', `t${i % 7}`, i % 3, i),
  },
];

test('the same body is given out until the table changes', async () => {
  for (const { code, change } of WHOLE) {
    const setup = setUp();
    const body = async () => (await setup.ask(request(code)))?.body;
    let last = await body();
    for (let i = 0; i < 50; i++) {
      assert.is(await body(), last);
      change(setup, i);
      const next = await body();
      assert.is.not(next, last);
      assert.not.equal(bodyTextOf(next), bodyTextOf(last));
      last = next;
    }
  }
});

const bodyTextOf = (body: Uint8Array | undefined) => Buffer.from(body ?? []).toString();

test('a body says what a fresh one would, whatever has been changed and removed', async () => {
  const setup = setUp();
  const { topics, offsets, groups } = setup.context;
  for (let i = 0; i < 200; i++) {
    for (const { change } of WHOLE) change(setup, i % 40);
    if (i % 5 === 0) topics.update(newTopicConfig(`t${i % 40}`, 1 + (i % 9)));
    if (i % 7 === 0) topics.delete(`t${i % 40}`);
    if (i % 11 === 0)
      groups.update({ ...newGroupConfig(`g${i % 40}`), retryMaxTimes: i, attributes: new Map() });
    if (i % 13 === 0) groups.delete(`g${i % 40}`);
    if (i % 17 === 0) offsets.removeTopic(`t${i % 7}`);
    if (i % 19 === 0) offsets.clone('g', `g${i % 5}`, `t${i % 7}`);
    if (i % 23 === 0) offsets.assignReset('g', `t${i % 7}`, 0, i);
    for (const { code } of WHOLE) await setup.ask(request(code));
  }
  const fresh = (value: unknown): unknown => parseRocketJson(writeRocketJson(value, { standard: true }));
  const shown = async (code: number) => parseRocketJson(bodyText(await setup.ask(request(code))));
  assert.equal(await shown(RequestCode.GET_ALL_CONSUMER_OFFSET), fresh(offsets.toJson()));
  assert.equal(await shown(RequestCode.GET_ALL_SUBSCRIPTIONGROUP_CONFIG), fresh(groups.toJson()));
  const all = (await shown(RequestCode.GET_ALL_TOPIC_CONFIG)) as Record<string, unknown>;
  assert.equal(
    all['topicConfigTable'],
    (fresh(topics.toJson()) as Record<string, unknown>)['topicConfigTable'],
  );
});

test('a written part stands in a text as if it were written there', () => {
  const part = { b: [1, { c: 'x' }], a: new Map([[1, 2]]) };
  for (const pretty of [false, true]) {
    const written = { table: new Map([['k', new WrittenJson(part, 2)]]), z: 1 };
    const plain = { table: new Map([['k', part]]), z: 1 };
    for (let time = 0; time < 2; time++)
      assert.is(writeRocketJson(written, { pretty }), writeRocketJson(plain, { pretty }));
  }
  assert.is(
    writeRocketJson({ k: new WrittenJson(new Map([[1, 2n]]), 1) }, { standard: true }),
    '{"k":{"1":2}}',
  );
});

test('what fits no frame is an error that names the limit and how to ask in pages', async () => {
  const setup = setUp();
  const { topics, groups, offsets } = setup.context;
  for (let i = 0; i < 60_000; i++) groups.findOrCreate(`${'g'.repeat(100)}${i}`);
  for (let i = 0; i < 75_000; i++) topics.createIfAbsent(newTopicConfig(`${'t'.repeat(100)}${i}`, 1));
  for (let i = 0; i < 60_000; i++)
    for (let q = 0; q < 8; q++) offsets.commit('g'.repeat(100), `${'t'.repeat(100)}${i}`, q, 2 ** 50);
  groups.findOrCreate('g'.repeat(100));
  const refusal = async (code: number) => {
    const reply = await setup.ask(request(code));
    assert.is(reply?.code, ResponseCode.SYSTEM_ERROR);
    return reply?.remark ?? '';
  };
  const tooLarge = 'bytes of the answer: more than 16777216 (limit MAX_FRAME_BYTES)';
  assert.is(
    await refusal(RequestCode.GET_ALL_TOPIC_CONFIG),
    `${tooLarge}; ask for it in pages with topicSeq and maxTopicNum`,
  );
  assert.is(
    await refusal(RequestCode.GET_ALL_SUBSCRIPTIONGROUP_CONFIG),
    `${tooLarge}; ask for it in pages with groupSeq and maxGroupNum`,
  );
  assert.is(await refusal(RequestCode.GET_ALL_CONSUMER_OFFSET), tooLarge);
  assert.is(await refusal(RequestCode.GET_BROKER_CONSUME_STATS), tooLarge);
  const page = await setup.ask(
    request(RequestCode.GET_ALL_TOPIC_CONFIG, { topicSeq: 0, maxTopicNum: 100_000 }),
  );
  assert.is(page?.code, ResponseCode.SUCCESS);
  assert.ok(encodeCommand(page as never).length < 1_000_000);
});

test('statistics of all groups let other requests come in between', async () => {
  const setup = setUp();
  const { topics, groups, offsets, time } = { ...setup.context, time: setup.time };
  for (let i = 0; i < 300; i++) {
    topics.createIfAbsent(newTopicConfig(`t${i}`, 4));
    groups.findOrCreate(`g${i}`);
    offsets.commit(`g${i}`, `t${i}`, 0, 1);
  }
  // Each look at the clock takes a millisecond.
  const began = time.monotonic();
  let looks = 0;
  time.monotonic = () => began + looks++;
  let turns = 0;
  let answered = false;
  const count = () => {
    turns += 1;
    if (!answered) setImmediate(count);
  };
  setImmediate(count);
  const reply = await setup.ask(request(RequestCode.GET_BROKER_CONSUME_STATS));
  answered = true;
  assert.is(reply?.code, ResponseCode.SUCCESS);
  assert.ok(turns > 10, `${turns} turns`);
});

test.run();
