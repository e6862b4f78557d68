// `ringmq produce`, `consume` and `message` against the target.

import * as assert from 'uvu/assert';
import { allIntact, Consumer, Producer } from './scenarios/actors.ts';
import { java55 } from './support/clients.ts';
import { CommandLine, linesOf } from './support/command-line.ts';
import { clusterSuite } from './support/suite.ts';

const { test, cluster } = clusterSuite('command line: messages');
const ringmq = () => new CommandLine(cluster());

interface Message {
  id: string;
  offsetId: string;
  queue: number;
  offset: number;
  body: unknown;
  bodyIs: string;
  keys: string[];
  tag?: string;
  properties: Record<string, string>;
}

/** A topic with these messages, which can be read. */
async function topicWith(
  name: string,
  bodies: readonly string[],
  ...options: readonly string[]
): Promise<Message[]> {
  await ringmq().topic(name, '--queues', '1');
  const args = bodies.flatMap((body) => ['-m', body]);
  const sent = (await ringmq().lines(['produce', name, ...args, ...options])) as Message[];
  await ringmq().until(['topic', 'show', name], ({ queues }) => queues[0].max === bodies.length);
  return sent;
}

test('lines of stdin become messages, by turns in all queues; a reader sees all of them', async () => {
  await ringmq().topic('lines', '--queues', '3');
  const lines = Array.from({ length: 100 }, (_, i) => `line ${i}`);
  assert.match(await ringmq().does(['produce', 'lines'], `${lines.join('\n')}\n`), /^Sent 100 messages in /m);
  await ringmq().until(['topic', 'show', 'lines'], ({ queues }) =>
    queues.every(({ max }: { max: number }) => max >= 33),
  );
  const read = await ringmq().lines(['consume', 'lines', '--since', 'earliest', '--count', '100']);
  assert.equal(read.map(({ body }) => body).sort(), [...lines].sort());
});

test('key, tag, properties; a Java consumer gets them', async () => {
  await topicWith(
    'typed',
    ['{"n": 1}'],
    '--key',
    'k1',
    '--key',
    'k2',
    '--tag',
    'new',
    '--property',
    'region=eu',
  );
  const consumer = new Consumer(java55, cluster(), { topic: 'typed', group: 'typed-java', from: 'first' });
  await consumer.count(1);
  const [message] = consumer.delivered;
  assert.equal(
    [message?.tag, message?.properties['region'], message?.properties['KEYS']],
    ['new', 'eu', 'k1 k2'],
  );
  await consumer.stop();
});

test('found by key, by unique id and by offset id; shown decoded', async () => {
  const [sent] = (await topicWith('found', ['{"n": 1}', 'other'], '--key', 'order-1')) as [Message, Message];
  await ringmq().lineCount(['message', 'find', 'found', '--key', 'order-1'], 2);
  const byKey = (await ringmq().lines(['message', 'find', 'found', '--key', 'order-1'])) as Message[];
  assert.equal(
    byKey.map(({ body }) => body),
    [{ n: 1 }, 'other'],
  );
  for (const args of [[sent.id, 'found'], [sent.id], [sent.offsetId], [sent.id.toLowerCase(), 'found']]) {
    const shown = (await ringmq().json(['message', 'show', ...args])) as Message;
    assert.equal(
      [shown.id, shown.offsetId, shown.body, shown.bodyIs],
      [sent.id, sent.offsetId, { n: 1 }, 'json'],
    );
  }
  assert.match(await ringmq().does(['message', 'show', sent.id, 'found']), /\n\{\n {2}"n": 1\n\}/);
  assert.match(
    await ringmq().does(['message', 'show', sent.id, 'found', '--as', 'hex']),
    /^00000000 {2}7b 22 6e 22 3a/m,
  );
  await ringmq().fails(
    ['message', 'find', 'found', '--key', 'order-2'],
    1,
    /found has no message with the key order-2/,
  );
  await ringmq().fails(['message', 'show', 'ABCD', 'found'], 1, /found has no message ABCD/);
  await ringmq().fails(['message', 'find', 'found'], 2, /Say what to look for/);
});

test('found by the time at which they were stored', async () => {
  await topicWith('timed', ['first']);
  const [first] = (await ringmq().lines(['message', 'find', 'timed', '--since', '1h'])) as {
    stored: string;
  }[];
  const stored = Date.parse(first?.stored ?? '');
  const find = (...args: string[]) => ringmq().lines(['message', 'find', 'timed', ...args]);
  assert.is((await find('--since', String(stored), '--until', String(stored))).length, 1);
  await ringmq().fails(
    ['message', 'find', 'timed', '--until', String(stored - 1)],
    1,
    /no message of that time/,
  );
  await ringmq().fails(
    ['message', 'find', 'timed', '--since', String(stored + 1)],
    1,
    /no message of that time/,
  );
  await ringmq().fails(
    ['message', 'find', 'timed', '--since', 'soon'],
    2,
    /--since soon is not possible: give a time/,
  );
});

test('what a Java producer has compressed is shown unpacked, and sent on as it was', async () => {
  await ringmq().topic('packed', '--queues', '1');
  const size = 20_000;
  const methods = ['LZ4', 'ZSTD', 'ZLIB'];
  for (const compress of methods)
    await new Producer(java55, cluster(), {
      topic: 'packed',
      body: size,
      prefix: compress,
      compress,
    }).finish();
  await ringmq().until(['topic', 'show', 'packed'], ({ queues }) => queues[0].max === methods.length);
  const read = async () =>
    (await ringmq().lines(['consume', 'packed', '--since', 'earliest', '--until-end'])) as Message[];
  const whole = 'message 0 '.repeat(size / 10);
  for (const [i, { id, keys, body, bodyIs }] of (await read()).entries()) {
    assert.equal([keys, bodyIs], [[`${methods[i]}-0`], 'text']);
    assert.ok(body === whole, `${methods[i]}: ${String(body).slice(0, 40)}`);
    assert.match(await ringmq().does(['message', 'show', id, 'packed']), /^body +20000 bytes$/m);
    await ringmq().does(['message', 'resend', id, 'packed', '--yes']);
  }
  const consumer = new Consumer(java55, cluster(), { topic: 'packed', group: 'unpacker', from: 'first' });
  await consumer.count(2 * methods.length);
  allIntact(consumer.delivered);
  const methodBits = consumer.delivered.map(({ sysFlag }) => sysFlag & 0x700).sort((a, b) => a - b);
  assert.equal(methodBits, [0x100, 0x100, 0x200, 0x200, 0x300, 0x300]);
  assert.ok(
    consumer.delivered.every(({ storeSize }) => storeSize < size / 2),
    'stored as they were packed',
  );
  await consumer.stop();
});

test('followed live, by tag', async () => {
  await ringmq().topic('live', '--queues', '2');
  const tail = ringmq().start([
    'message',
    'tail',
    'live',
    '--tag',
    'wanted',
    '--count',
    '2',
    '--since',
    'earliest',
    '--body',
  ]);
  for (const [body, tag] of [
    ['a', 'wanted'],
    ['b', 'other'],
    ['c', 'wanted'],
  ] as const)
    await ringmq().does(['produce', 'live', '-m', body, '--tag', tag]);
  assert.is(await tail.waitForEnd(30_000), 0);
  assert.equal(linesOf(tail).sort(), ['a', 'c']);
});

test('sent once more: another message with the same content', async () => {
  const [sent] = (await topicWith('again', ['body'], '--key', 'k', '--tag', 't')) as [Message];
  await ringmq().lineCount(['message', 'find', 'again', '--key', 'k'], 1);
  await ringmq().fails(
    ['message', 'resend', sent.id, 'again'],
    2,
    /sent to again once more; all groups .* add --yes/,
  );
  const once = await ringmq().json(['message', 'resend', sent.id, 'again', '--yes']);
  assert.equal([once.of, once.topic], [sent.id, 'again']);
  assert.is.not(once.id, sent.id);
  await ringmq().lineCount(['message', 'find', 'again', '--key', 'k'], 2);
  const found = (await ringmq().lines(['message', 'find', 'again', '--key', 'k'])) as Message[];
  assert.equal(
    found.map(({ body, tag, keys }) => [body, tag, keys]),
    [
      ['body', 't', ['k']],
      ['body', 't', ['k']],
    ],
  );
});

test('a delayed message comes later', async () => {
  await ringmq().topic('late', '--queues', '1');
  await ringmq().does(['produce', 'late', '-m', 'delayed', '--delay', '2s']);
  const [message] = (await ringmq().lines([
    'consume',
    'late',
    '--since',
    'earliest',
    '--count',
    '1',
  ])) as Message[];
  assert.is(message?.body, 'delayed');
  await ringmq().fails(
    ['produce', 'late', '-m', 'x', '--delay', 'soon'],
    2,
    /--delay soon is not possible: give a span/,
  );
});

test('a group goes on where it was', async () => {
  await topicWith('shared', ['1', '2', '3']);
  const bodies = async (...args: string[]) =>
    ((await ringmq().lines(['consume', 'shared', '--group', 'sharer', ...args])) as Message[]).map(
      ({ body }) => body,
    );
  assert.equal(await bodies('--count', '2'), ['1', '2']);
  assert.equal(await bodies('--until-end'), ['3']);
  assert.equal(await bodies('--until-end'), []);
});

test('a member shares the queues with a Java consumer', async () => {
  await ringmq().topic('halved', '--queues', '4');
  const args = { topic: 'halved', group: 'halves', from: 'first' };
  const consumer = new Consumer(java55, cluster(), args);
  await consumer.holds(4);
  const member = ringmq().start(['consume', 'halved', '--group', 'halves', '--json']);
  await consumer.holds(2, 60_000);
  const sent = await ringmq().lines(['produce', 'halved', '-m', 'x', '--count', '8', '--key', 'k']);
  await consumer.count(4);
  await member.waitFor('its half', () => (member.text.length >= 4 ? true : undefined), 30_000);
  assert.is(await member.terminate(10_000), 0);
  const own = linesOf(member).map((line) => JSON.parse(line) as Message);
  const theirs = consumer.delivered;
  const ids = [...own.map(({ id }) => id), ...theirs.map(({ msgId }) => msgId)];
  assert.equal(ids.sort(), sent.map(({ id }) => id).sort(), 'each once');
  await consumer.holds(4);
  await consumer.stop();
  assert.is((await ringmq().json(['offset', 'lag', 'halves', 'halved'])).lag, 0, 'all is committed');
});

test('members that want something else are not let into a group', async () => {
  await ringmq().topic('apart', '--queues', '1');
  await ringmq().topic('together', '--queues', '1');
  const consumer = new Consumer(java55, cluster(), { topic: 'together', group: 'strict' });
  await consumer.holds(1);
  await ringmq().fails(
    ['consume', 'apart', '-g', 'strict'],
    1,
    /Group strict has members online that are subscribed to together/,
  );
  await consumer.stop();
});

test('wrong use ends with 2, what is not there with 1', async () => {
  await topicWith('right', ['x']);
  await ringmq().fails(['produce', 'rihgt', '-m', 'x'], 1, /no topic rihgt: did you mean right\?/);
  await ringmq().fails(
    ['produce', 'right', '-m', 'x', '--queue', '7'],
    2,
    /right has no queue of this number/,
  );
  await ringmq().fails(['produce', 'right', '-m', 'x', '--property', 'no'], 2, /give name=value/);
  await ringmq().fails(
    ['consume', 'right', '--as', 'jsno'],
    2,
    /--as jsno is not possible: did you mean json\?/,
  );
  await ringmq().fails(['consume', 'right', '--tag', 'a', '--sql', 'b = 1'], 2, /two filters/);
  await ringmq().fails(
    ['consume', 'right', '-g', 'g', '--since', '1h'],
    2,
    /--since is not possible with --group/,
  );
});

test.run();
