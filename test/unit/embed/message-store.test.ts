import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RingMQError } from '../../../src/embed/error.ts';
import { openStore } from '../../../src/embed/message-store.ts';

const test = suite<{ directory: string }>('store as a library');

test.before.each((context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'ringmq-test-'));
});
test.after.each(({ directory }) => {
  rmSync(directory, { recursive: true });
});

const SMALL = { mappedFileSizeCommitLog: 128 * 1024, maxMessageSize: 16 * 1024 };
const text = (body: Uint8Array) => Buffer.from(body).toString();

test('messages come back in the order of the log, over its files, from any of them on', async ({
  directory,
}) => {
  const store = openStore({ directory, options: SMALL });
  const bodies = Array.from({ length: 40 }, (_, i) => `${i}:`.padEnd(5000, 'x'));
  const appended = bodies.map((body, i) => store.append({ topic: 'orders', queueId: i % 2, body }));
  assert.equal([...store.messages()], [], 'nothing is visible before dispatch');
  store.flush();
  store.dispatch();
  const all = [...store.messages()];
  assert.equal(
    all.map(({ body }) => text(body)),
    bodies,
  );
  assert.equal(
    all.map(({ physicalOffset, queueOffset }) => ({ queueOffset, physicalOffset })),
    appended,
  );
  assert.ok((all.at(-1)?.physicalOffset ?? 0) > SMALL.mappedFileSizeCommitLog, 'several files');
  const from = all[30]?.physicalOffset as number;
  assert.is([...store.messages(from)].length, 10);
  assert.throws(() => [...store.messages(from + 1)], /No record starts at position/);
  assert.is(await store.close(), true);
});

test('a message has what it was given, and queues their offsets', async ({ directory }) => {
  const store = openStore({ directory, options: SMALL });
  store.append({
    topic: 'orders',
    queueId: 3,
    body: Uint8Array.of(1, 2, 3),
    properties: { TAGS: 'paid', KEYS: 'a b', 'own property': 'ü' },
    bornTimestamp: 1_700_000_000_000,
    flag: 7,
  });
  for (let i = 0; i < 600; i++) store.append({ topic: 'jobs', body: `job ${i}` });
  store.dispatch();
  const [message] = [...store.queueMessages('orders', 3)];
  assert.equal([...(message?.body ?? [])], [1, 2, 3]);
  assert.equal(
    [...(message?.properties ?? [])],
    [
      ['TAGS', 'paid'],
      ['KEYS', 'a b'],
      ['own property', 'ü'],
    ],
  );
  assert.equal([message?.topic, message?.queueId, message?.flag], ['orders', 3, 7]);
  assert.is(message?.bornTimestamp, 1_700_000_000_000);
  const jobs = [...store.queueMessages('jobs', 0, 590)].map(({ body }) => text(body));
  assert.equal(
    jobs,
    ['590', '591', '592', '593', '594', '595', '596', '597', '598', '599'].map((n) => `job ${n}`),
  );
  assert.is([...store.queueMessages('jobs', 0)].length, 600);
  assert.equal([...store.queueMessages('jobs', 9)], []);
  assert.equal(store.queues(), [
    { topic: 'orders', queueId: 3, minOffset: 0, maxOffset: 1 },
    { topic: 'jobs', queueId: 0, minOffset: 0, maxOffset: 600 },
  ]);
  store.deleteTopic('jobs');
  assert.equal(
    store.queues().map(({ topic }) => topic),
    ['orders'],
  );
  await store.close();
});

test('everything is there when it is opened again; meanwhile nobody else may open it', async ({
  directory,
}) => {
  const first = openStore({ directory, options: SMALL });
  first.append({ topic: 'orders', body: 'kept' });
  let code = '';
  try {
    openStore({ directory, options: SMALL });
  } catch (error) {
    code = error instanceof RingMQError ? error.code : String(error);
  }
  assert.is(code, 'RINGMQ_STORE_IN_USE');
  assert.is(await first.close(), true);
  assert.is(await first.close(), true, 'twice is fine');
  assert.throws(() => first.flush(), /is closed/);
  const second = openStore({ directory, options: SMALL });
  assert.equal(
    [...second.messages()].map(({ body }) => text(body)),
    ['kept'],
  );
  await second[Symbol.asyncDispose]();
  assert.throws(() => second.messages(), /is closed/);
});

test('what cannot be stored is refused with a sentence', async ({ directory }) => {
  const store = openStore({ directory, options: SMALL });
  assert.throws(() => store.append({ topic: 'a b', body: '' }), /illegal characters/);
  assert.throws(() => store.append({ topic: 'a', queueId: -1, body: '' }), /queueId: -1 is not possible/);
  assert.throws(() => store.append({ topic: 'a', body: Buffer.alloc(20_000) }), /longer than maxMessageSize/);
  assert.throws(
    () => store.append({ topic: 'a', body: '', properties: { x: 'y'.repeat(40_000) } }),
    /at most 32767/,
  );
  assert.equal(store.queues(), []);
  await store.close();
});

/** The messages with which `call` refuses, or what it throws else. */
function refusal(call: () => unknown): string {
  try {
    call();
    return 'nothing was refused';
  } catch (error) {
    if (!(error instanceof RingMQError)) throw error;
    assert.is(error.code, 'RINGMQ_BAD_OPTION');
    return error.message;
  }
}

test('append takes only what is a message, and says what is not', async ({ directory }) => {
  const store = openStore({ directory, options: SMALL });
  const good = { topic: 'a', body: 'x' };
  for (const [message, expected] of [
    [undefined, /^append: message is undefined, and must be an object\.$/],
    [{ body: 'x' }, /^append: message\.topic is missing\.$/],
    [{ topic: 'a' }, /^append: message\.body is missing\.$/],
    [{ ...good, topic: 5 }, /^append: message\.topic: 5 cannot be a topic: /],
    [{ ...good, topic: '' }, /message\.topic: '' cannot be a topic: .*blank/],
    [{ ...good, queueid: 1 }, /no option message\.queueid: did you mean message\.queueId\?$/],
    [{ ...good, queueId: 1.5 }, /message\.queueId: 1\.5 is not possible: allowed is 0 to /],
    [{ ...good, queueId: '1' }, /message\.queueId: '1' is not possible: allowed is .*, as a number\.$/],
    [{ ...good, body: 5 }, /message\.body: 5 is not possible: allowed is a string or a Uint8Array\.$/],
    [{ ...good, body: [1, 2] }, /allowed is a string or a Uint8Array\.$/],
    [{ ...good, body: null }, /allowed is a string or a Uint8Array\.$/],
    [{ ...good, properties: new Map([['TAGS', 'x']]) }, /allowed is an object of strings\.$/],
    [{ ...good, properties: [] }, /allowed is an object of strings\.$/],
    [{ ...good, properties: { TAGS: 5 } }, /message\.properties\['TAGS'\]: 5 .* allowed is a string\.$/],
    [{ ...good, properties: { '': 'x' } }, /message\.properties: a property has no name\.$/],
    [{ ...good, properties: { a: 'x\x00' } }, /properties\['a'\]: .* cannot stand in/],
    [{ ...good, properties: { a: 'x\x02b\x01y' } }, /properties\['a'\]: .* cannot stand in/],
    [{ ...good, properties: { 'a\x01': 'x' } }, / cannot stand in names and values of properties\.$/],
    [{ ...good, flag: 2 ** 31 }, /message\.flag: 2147483648 is not possible/],
    [{ ...good, flag: 0.5 }, /message\.flag: 0\.5 is not possible/],
    [{ ...good, bornTimestamp: -1 }, /message\.bornTimestamp: -1 .* allowed is a whole number from 0\.$/],
    [{ ...good, bornTimestamp: new Date() }, /message\.bornTimestamp: .* is not possible/],
    [{ ...good, bornTimestamp: Object.create(null) }, /message\.bornTimestamp: .* is not possible/],
  ] as const) {
    assert.match(
      refusal(() => store.append(message as never)),
      expected,
    );
  }
  assert.equal(store.queues(), [], 'nothing was stored');
  store.append({ ...good, flag: -1, queueId: undefined, properties: { TAGS: undefined, own: 'y' } } as never);
  store.dispatch();
  const [message] = [...store.messages()];
  assert.equal([message?.flag, [...(message?.properties ?? [])]], [-1, [['own', 'y']]]);
  await store.close();
});

test('walks begin at whole numbers, and topics are named by what can be one', async ({ directory }) => {
  const store = openStore({ directory, options: SMALL });
  for (const from of [-1, 0.5, Number.NaN, '0', null, {}] as never[]) {
    assert.match(
      refusal(() => store.messages(from)),
      /^messages: from: .* allowed is a whole number from 0/,
    );
    assert.match(
      refusal(() => store.queueMessages('a', 0, from)),
      /^queueMessages: fromOffset: /,
    );
    assert.match(
      refusal(() => store.queueMessages('a', from)),
      /^queueMessages: queueId: /,
    );
  }
  assert.match(
    refusal(() => store.queueMessages(undefined as never, 0)),
    /^queueMessages: topic: undefined cannot/,
  );
  assert.match(
    refusal(() => store.deleteTopic('../commitlog')),
    /^deleteTopic: topic: .* cannot be a topic/,
  );
  await store.close();
});

test('a walk that is under way when the store is closed ends with that', async ({ directory }) => {
  const store = openStore({ directory, options: SMALL });
  for (let i = 0; i < 3; i++) store.append({ topic: 'a', body: `${i}` });
  store.dispatch();
  const walks = [store.messages(), store.queueMessages('a', 0)];
  for (const walk of walks) assert.is(text(walk.next().value.body), '0');
  walks.push(store.messages(), store.queueMessages('a', 0));
  await store.close();
  for (const walk of walks) {
    let code = '';
    try {
      walk.next();
    } catch (error) {
      code = error instanceof RingMQError ? error.code : String(error);
    }
    assert.is(code, 'RINGMQ_CLOSED');
    assert.equal(walk.next(), { value: undefined, done: true });
  }
});

test.run();
