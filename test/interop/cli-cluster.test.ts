// The commands on a cluster of two masters: whether they see both, say which one they mean, and reach both.

import * as assert from 'uvu/assert';
import { CommandLine, linesOf } from './support/command-line.ts';
import { RawConnection } from './support/raw.ts';
import type { Broker, NameServer } from './support/servers.ts';
import { interopSuite } from './support/suite.ts';
import { startBroker, startNameServer, target } from './support/target.ts';

const CONSUMER_SEND_MSG_BACK = 36;
/** Past all delays: at once to the dead-letter queue. */
const DEAD = -1;

let nameServer: NameServer;
let a: Broker;
let b: Broker;

const test = interopSuite('command line: two brokers', async () => {
  nameServer = await startNameServer();
  [a, b] = await Promise.all([
    startBroker(nameServer, { conf: { brokerName: 'broker-a' } }),
    startBroker(nameServer, { conf: { brokerName: 'broker-b' } }),
  ]);
  const { brokers } = await ringmq().until(['cluster'], ({ brokers }) => brokers.length === 2);
  assert.equal(
    brokers.map(({ name }: { name: string }) => name),
    ['broker-a', 'broker-b'],
  );
  return { stop: async () => void (await Promise.all([a.kill(), b.kill()]).then(() => nameServer.stop())) };
});

const ringmq = () => new CommandLine({ nameServer });

interface Message {
  id: string;
  broker: string;
  queue: number;
  offset: number;
  offsetId: string;
  body: string;
}

interface Outcome {
  id: string;
  ok: boolean;
  skipped: boolean;
  topic: string;
  broker: string;
}

/** A topic of one queue on each broker with these messages, the first on broker-a, by turns. */
async function spread(
  topic: string,
  bodies: readonly string[],
  ...options: readonly string[]
): Promise<Message[]> {
  await ringmq().does(['topic', 'create', topic, '--queues', '1']);
  await ringmq().until(['topic', 'show', topic], ({ queues }) => queues.length === 2);
  const args = bodies.flatMap((body) => ['-m', body]);
  const sent = (await ringmq().lines(['produce', topic, ...args, ...options])) as Message[];
  // What is stored on different brokers is answered in any order.
  sent.sort((x, y) => x.offset - y.offset || (x.broker < y.broker ? -1 : 1));
  await ringmq().until(
    ['topic', 'show', topic],
    ({ queues }) => queues.reduce((sum: number, { max }: { max: number }) => sum + max, 0) === bodies.length,
  );
  return sent;
}

const bodiesOf = (messages: readonly Message[]) => messages.map(({ body }) => body).sort();

test('the cluster has both', async () => {
  const { brokers } = await ringmq().json(['cluster']);
  assert.equal(
    brokers.map(({ name, address, role }: { name: string; address: string; role: string }) => [
      name,
      address,
      role,
    ]),
    [
      ['broker-a', a.address, 'master'],
      ['broker-b', b.address, 'master'],
    ],
  );
  assert.match(await ringmq().does(['cluster']), /^2 brokers registered at /m);
});

test('topics are made, listed and shown on both, or on one', async () => {
  assert.is(
    await ringmq().does(['topic', 'create', 'both', '--queues', '2']),
    'Made topic both on broker-a, broker-b.\n',
  );
  await ringmq().does(['topic', 'create', 'one', '--queues', '1', '--on', 'broker-b']);
  await ringmq().until(['topic', 'show', 'both'], ({ queues }) => queues.length === 4);
  await ringmq().until(['topic', 'show', 'one'], ({ queues }) => queues.length === 1);
  const rows = async () =>
    (await ringmq().does(['topic', 'list']))
      .split('\n')
      .map((line) => line.trim().replaceAll(/ {2,}/g, ' | '));
  assert.ok((await rows()).includes('both | NORMAL | 2 | read+write | broker-a broker-b'));
  assert.ok((await rows()).includes('one | NORMAL | 1 | read+write | broker-b'));
  assert.match(
    await ringmq().does(['topic', 'show', 'both']),
    /^broker-a\/0 [\s\S]*^broker-a\/1 [\s\S]*^broker-b\/0 [\s\S]*^broker-b\/1 /m,
  );
  await ringmq().does(['topic', 'change', 'both', '--queues', '3', '--perm', 'r', '--on', 'broker-b']);
  assert.ok((await rows()).includes('both | NORMAL | 2, 3 | read+write, read | broker-a broker-b'));
  await ringmq().until(['topic', 'show', 'both'], ({ queues }) => queues.length === 5);
  assert.match(await ringmq().does(['topic', 'show', 'both']), /^may +read\+write, read$/m);
  await ringmq().fails(['topic', 'create', 'one'], 1, /^Broker broker-b has a topic one already/);
  await ringmq().fails(
    ['topic', 'create', 'x', '--on', 'broker-c'],
    1,
    /there are DefaultCluster, broker-a, broker-b/,
  );
});

test('messages go to both, are found on both, and are said to lie there', async () => {
  const sent = await spread('found', ['0', '1', '2', '3'], '--key', 'k', '--tag', 't');
  assert.equal(
    sent.map(({ broker, offset }) => [broker, offset]),
    [
      ['broker-a', 0],
      ['broker-b', 0],
      ['broker-a', 1],
      ['broker-b', 1],
    ],
  );
  await ringmq().lineCount(['message', 'find', 'found', '--key', 'k'], 4);
  for (const how of [
    ['message', 'find', 'found', '--key', 'k'],
    ['message', 'find', 'found', '--since', '1h'],
    ['consume', 'found', '--since', 'earliest', '--until-end'],
  ]) {
    const found = (await ringmq().lines(how)) as Message[];
    const places = found.map(({ broker, offset, body }) => `${body} ${broker}/${offset}`).sort();
    assert.equal(places, ['0 broker-a/0', '1 broker-b/0', '2 broker-a/1', '3 broker-b/1'], how.join(' '));
    assert.match(await ringmq().does(how), / {2}broker-b\/0\/1 {2}/);
  }
  for (const [i, message] of sent.entries())
    for (const args of [[message.id, 'found'], [message.offsetId]]) {
      const shown = (await ringmq().json(['message', 'show', ...args])) as Message;
      assert.equal([shown.broker, shown.id, shown.body], [message.broker, message.id, String(i)]);
    }
  const last = sent[3] as Message;
  assert.match(await ringmq().does(['message', 'show', last.id]), /^broker +broker-b$/m);
  const again = await ringmq().json(['message', 'resend', last.id, 'found', '--yes']);
  assert.equal([again.broker, again.offset], ['broker-b', 2], 'where it lay');
});

test('followed live on both', async () => {
  await spread('live', []);
  const tail = ringmq().start(['message', 'tail', 'live', '--since', 'earliest', '--count', '4', '--body']);
  await ringmq().does(['produce', 'live', '-m', '0', '-m', '1', '-m', '2', '-m', '3']);
  assert.is(await tail.waitForEnd(30_000), 0);
  assert.equal(linesOf(tail).sort(), ['0', '1', '2', '3']);
});

test('a group consumes from both; its lag and its resets are those of both', async () => {
  await spread('lagging', ['0', '1', '2']);
  const consume = async (...options: string[]) =>
    bodiesOf((await ringmq().lines(['consume', 'lagging', '-g', 'both', ...options])) as Message[]);
  assert.equal(await consume('--until-end'), ['0', '1', '2']);
  await ringmq().does(['produce', 'lagging', '-m', '3', '-m', '4', '-m', '5']);
  const { lag } = await ringmq().until(['offset', 'lag', 'both', 'lagging'], ({ lag }) => lag === 3);
  assert.is(lag, 3);
  assert.match(
    await ringmq().does(['offset', 'lag', 'both']),
    /^lagging +broker-a\/0 +2 +4 +2 [\s\S]*^lagging +broker-b\/0 +1 +2 +1 /m,
  );
  const { queues } = await ringmq().json(['offset', 'reset', 'both', 'lagging', '--to', 'earliest', '--yes']);
  assert.equal(
    queues.map(({ broker, from, to, repeated }: Record<string, unknown>) => [broker, from, to, repeated]),
    [
      ['broker-a', 2, 0, 2],
      ['broker-b', 1, 0, 1],
    ],
  );
  assert.equal(await consume('--until-end'), ['0', '1', '2', '3', '4', '5']);
  const shown = await ringmq().json(['group', 'show', 'both']);
  assert.equal(shown.brokers, ['broker-a', 'broker-b']);
});

test('a broker on which a group has committed nothing counts in its lag, and is reset too', async () => {
  await ringmq().does(['topic', 'create', 'grown', '--queues', '1', '--on', 'broker-a']);
  await ringmq().until(['topic', 'show', 'grown'], ({ queues }) => queues.length === 1);
  await ringmq().does(['produce', 'grown', '-m', '0']);
  await ringmq().until(['topic', 'show', 'grown'], ({ queues }) => queues[0].max === 1);
  await ringmq().does(['consume', 'grown', '-g', 'grower', '--until-end']);
  await ringmq().does(['topic', 'create', 'grown', '--queues', '1', '--on', 'broker-b']);
  await ringmq().until(['topic', 'show', 'grown'], ({ queues }) => queues.length === 2);
  const sent = (await ringmq().lines([
    'produce',
    'grown',
    '-m',
    '1',
    '-m',
    '2',
    '-m',
    '3',
    '-m',
    '4',
  ])) as Message[];
  const onB = sent.filter(({ broker }) => broker === 'broker-b').length;
  assert.is(onB, 2);
  for (const args of [['grower'], ['grower', 'grown']]) {
    const { queues } = await ringmq().until(['offset', 'lag', ...args], ({ lag }) => lag === 4);
    const own = queues.filter(({ topic }: { topic: string }) => topic === 'grown');
    assert.equal(
      own.map(({ broker, lag }: { broker: string; lag: number }) => [broker, lag]),
      [
        ['broker-a', 2],
        ['broker-b', 2],
      ],
    );
  }
  await ringmq().does(['offset', 'reset', 'grower', 'grown', '--to', 'latest', '--yes']);
  assert.is((await ringmq().json(['offset', 'lag', 'grower', 'grown'])).lag, 0);
  assert.equal((await ringmq().json(['group', 'show', 'grower'])).brokers, ['broker-a', 'broker-b']);
});

test('dead letters of both are listed in their order, and each is given back once', async () => {
  await spread('deadly', ['0', '1', '2', '3']);
  await ringmq().does(['consume', 'deadly', '-g', 'mourner', '--until-end']);
  const messages = (await ringmq().lines(['message', 'find', 'deadly', '--since', '1h'])) as Message[];
  messages.sort((x, y) => Number(x.body) - Number(y.body));
  for (const { id, broker, offsetId } of messages) {
    const connection = await RawConnection.open(broker === 'broker-a' ? a.address : b.address);
    const offset = Number.parseInt(offsetId.slice(-16), 16);
    const ext = { offset, group: 'mourner', delayLevel: DEAD, originMsgId: id, originTopic: 'deadly' };
    assert.is((await connection.request({ code: CONSUMER_SEND_MSG_BACK, ext })).code, 0);
    connection.destroy();
  }
  await ringmq().lineCount(['dlq', 'list', 'mourner', '--json'], 4);
  const listed = async (...options: string[]) =>
    ((await ringmq().lines(['dlq', 'list', 'mourner', ...options])) as Message[]).map(({ body, broker }) => [
      body,
      broker,
    ]);
  const all = [
    ['0', 'broker-a'],
    ['1', 'broker-b'],
    ['2', 'broker-a'],
    ['3', 'broker-b'],
  ];
  assert.equal(await listed(), all);
  assert.equal(await listed('--count', '3'), all.slice(0, 3), 'the first that died, wherever');
  const resend = async (...options: string[]) =>
    (await ringmq().json(['dlq', 'resend', 'mourner', ...options, '--yes'])) as Outcome[];
  const one = await resend(messages[1]?.id ?? '');
  assert.equal(
    one.map(({ ok, broker }) => [ok, broker]),
    [[true, 'broker-b']],
    'on the broker on which it died',
  );
  assert.equal(
    (await resend('--all')).map(({ ok, skipped, broker }) => [ok, skipped, broker]),
    [
      [true, false, 'broker-a'],
      [true, true, 'broker-b'],
      [true, false, 'broker-a'],
      [true, false, 'broker-b'],
    ],
  );
  assert.equal(
    (await resend('--all')).map(({ skipped }) => skipped),
    [true, true, true, true],
  );
  const read = (await ringmq().lines(['consume', 'deadly', '-g', 'mourner', '--until-end'])) as Message[];
  assert.equal(bodiesOf(read), ['0', '1', '2', '3']);
});

test('a purge, with and without making the topic again, and a deletion reach both', async () => {
  await spread('purged', ['0', '1', '2']);
  await ringmq().does(['consume', 'purged', '-g', 'purger', '--count', '1']);
  const before = (await ringmq().json(['offset', 'lag', 'purger', 'purged'])).lag;
  const {
    messages,
    brokers: purging,
    cannot,
    skipped,
  } = await ringmq().json(['topic', 'purge', 'purged', '--yes']);
  const isOurs = target === 'ringmq';
  assert.equal(
    purging.map(({ broker }: Record<string, unknown>) => broker),
    isOurs ? ['broker-a', 'broker-b'] : [],
  );
  assert.equal(
    { messages, cannot, skipped },
    isOurs
      ? { messages: 3, cannot: [], skipped: {} }
      : { messages: 0, cannot: ['broker-a', 'broker-b'], skipped: { purger: before } },
  );
  assert.is((await ringmq().json(['offset', 'lag', 'purger', 'purged'])).lag, 0);
  await ringmq().does(['topic', 'change', 'purged', '--queues', '2', '--on', 'broker-b']);
  await ringmq().until(['topic', 'show', 'purged'], ({ queues }) => queues.length === 3);
  await ringmq().does(['topic', 'purge', 'purged', '--recreate', '--yes']);
  const { queues } = await ringmq().until(['topic', 'show', 'purged'], ({ queues }) => queues.length === 3);
  assert.equal(
    queues.map(({ broker, queue, max }: Record<string, unknown>) => `${broker}/${queue} ${max}`),
    ['broker-a/0 0', 'broker-b/0 0', 'broker-b/1 0'],
  );
  await ringmq().fails(['topic', 'delete', 'purged'], 2, /deleted on broker-a, broker-b; /);
  await ringmq().does(['topic', 'delete', 'purged', '--yes']);
  await ringmq().fails(['topic', 'show', 'purged'], 1, /^There is no topic purged/);
  const { brokers } = await ringmq().json(['topic', 'retention', 'found']);
  assert.equal(
    brokers.map(({ broker, oldest }: Record<string, unknown>) => [broker, oldest !== null]),
    [
      ['broker-a', true],
      ['broker-b', true],
    ],
  );
});

test('the configuration is read from both, and changed on both or one', async () => {
  assert.equal(await ringmq().json(['config', 'get', 'brokerName']), {
    'broker-a': { brokerName: 'broker-a' },
    'broker-b': { brokerName: 'broker-b' },
  });
  assert.is(
    await ringmq().does(['config', 'set', 'fileReservedTime', '80', '--on', 'broker-a']),
    'broker-a: fileReservedTime 72 hours -> 80 hours\nSet fileReservedTime on broker-a.\n',
  );
  await ringmq().fails(
    ['config', 'set', 'fileReservedTime', '60'],
    2,
    /messages older than 60 hours are lost .* --yes/,
  );
  assert.is(
    await ringmq().does(['config', 'set', 'fileReservedTime', '60', '--yes']),
    'broker-a: fileReservedTime 80 hours -> 60 hours\nbroker-b: fileReservedTime 72 hours -> 60 hours\n' +
      'Set fileReservedTime on broker-a, broker-b.\n',
  );
  assert.is(
    await ringmq().does(['config', 'get', 'fileReservedTime']),
    'broker-a:\n  fileReservedTime  60\nbroker-b:\n  fileReservedTime  60\n',
  );
});

test('bench uses both', async () => {
  const { sent, received, failed } = await ringmq().json([
    'bench',
    '--seconds',
    '1',
    '--size',
    '100',
    '--rate',
    '100',
  ]);
  assert.equal([failed, received.messages], [0, sent.messages]);
});

test('when one is gone the commands go on with the other', async () => {
  await spread('orphaned', ['0', '1']);
  await b.kill();
  await ringmq().until(['topic', 'show', 'orphaned'], ({ queues }) => queues.length === 1);
  assert.is(await ringmq().does(['topic', 'create', 'late']), 'Made topic late on broker-a.\n');
  const read = (await ringmq().lines([
    'consume',
    'orphaned',
    '--since',
    'earliest',
    '--until-end',
  ])) as Message[];
  assert.equal(
    read.map(({ body, broker }) => [body, broker]),
    [['0', 'broker-a']],
  );
  assert.match(await ringmq().does(['cluster']), /^1 broker registered at /m);
});

test.run();
