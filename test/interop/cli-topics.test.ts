// `ringmq topic` against the target: what is made, shown, changed, purged and deleted, and what is refused.

import * as assert from 'uvu/assert';
import { CommandLine } from './support/command-line.ts';
import { clusterSuite } from './support/suite.ts';
import { target } from './support/target.ts';

const { test, cluster } = clusterSuite('command line: topics');
const ringmq = () => new CommandLine(cluster());

interface Listed {
  name: string;
  type: string;
  readQueues: number;
  writeQueues: number;
  brokers: string[];
}

test('made, listed, shown, changed', async () => {
  await ringmq().topic('made', '--queues', '3', '--type', 'fifo');
  const [made] = ((await ringmq().json(['topic', 'list'])) as Listed[]).filter(({ name }) => name === 'made');
  assert.equal(
    [made?.type, made?.readQueues, made?.writeQueues, made?.brokers],
    ['FIFO', 3, 3, [cluster().broker.name]],
  );
  await ringmq().does(['topic', 'change', 'made', '--queues', '5', '--perm', 'r']);
  const shown = await ringmq().until(['topic', 'show', 'made'], ({ queues }) => queues.length === 5);
  assert.equal([shown.configs[0].perm, shown.configs[0].type], [4, 'FIFO']);
  assert.match(await ringmq().does(['topic', 'show', 'made']), /^may +read$/m);
  await ringmq().fails(
    ['produce', 'made', '-m', 'x'],
    1,
    /^Nobody may send to made: "ringmq topic change made --perm rw"/,
  );
});

test('the list leaves out what brokers have made for themselves', async () => {
  const names = async (...options: string[]) =>
    ((await ringmq().json(['topic', 'list', ...options])) as Listed[]).map(({ name }) => name);
  assert.not.ok((await names()).includes('TBW102'));
  assert.ok((await names('--all')).includes('TBW102'));
});

test('a topic that is there is not made again, one that is not is not changed', async () => {
  await ringmq().topic('orders');
  await ringmq().fails(
    ['topic', 'create', 'orders'],
    1,
    /has a topic orders already: "ringmq topic change orders"/,
  );
  await ringmq().fails(
    ['topic', 'change', 'ordres', '--queues', '2'],
    1,
    /no topic ordres: did you mean orders\?/,
  );
  await ringmq().fails(['topic', 'show', 'ordesr'], 1, /no topic ordesr: did you mean orders\?/);
});

test('wrong use ends with 2', async () => {
  await ringmq().fails(['topic', 'create', 'no space'], 2, /illegal characters/);
  await ringmq().fails(
    ['topic', 'create', 'x', '--type', 'FIFFO'],
    2,
    /--type FIFFO is not possible: did you mean FIFO\?/,
  );
  await ringmq().fails(['topic', 'create', 'x', '--queues', '0'], 2, /--queues 0 is not possible: give 1 to/);
  await ringmq().fails(['topic', 'change', 'x'], 2, /Nothing is to be changed/);
  await ringmq().fails(['topic', 'lsit'], 2, /Did you mean list\?/);
  await ringmq().fails(['topic', 'list', '--jsno'], 2, /Did you mean --json\?/);
  await ringmq().fails(
    ['topic', 'create', 'x', '--on', 'nowhere'],
    1,
    /no cluster and no broker nowhere: there are/,
  );
});

test('deleted only when that is wanted', async () => {
  await ringmq().topic('doomed', '--queues', '1');
  await ringmq().does(['produce', 'doomed', '-m', 'one', '-m', 'two']);
  await ringmq().until(['topic', 'show', 'doomed'], ({ queues }) => queues[0].max === 2);
  await ringmq().fails(
    ['topic', 'delete', 'doomed'],
    2,
    /doomed and its 2 messages are going to be deleted .* add --yes/,
  );
  await ringmq().does(['topic', 'show', 'doomed']);
  await ringmq().does(['topic', 'delete', 'doomed', '--yes']);
  await ringmq().fails(['topic', 'show', 'doomed'], 1, /^There is no topic doomed/);
});

test('a person is asked; anything but yes, Ctrl-C and Ctrl-D leave all as it is', async () => {
  await ringmq().topic('asked', '--queues', '1');
  for (const [keys, code] of [
    ['\r', 1],
    ['no\r', 1],
    ['\x03', 1],
    ['\x04', 1],
    ['y\r', 0],
  ] as const) {
    await ringmq().does(['topic', 'show', 'asked']);
    const terminal = ringmq().terminal('topic delete asked');
    await terminal.shows(/asked and its 0 messages are going to be deleted.*\r?\nGo on\? \[y\/N\]/);
    terminal.type(keys);
    assert.is(await terminal.ended, code, terminal.screen);
    assert.match(terminal.screen, code === 0 ? /Deleted topic asked\./ : /Nothing was done\./);
  }
  await ringmq().fails(['topic', 'show', 'asked'], 1, /^There is no topic asked/);
});

test('a purge empties a topic; a broker that cannot lets each group go on at the end, and the command says so', async () => {
  await ringmq().topic('purged', '--queues', '1');
  await ringmq().does(['produce', 'purged', '-m', 'one']);
  await ringmq().until(['topic', 'show', 'purged'], ({ queues }) => queues[0].max === 1);
  await ringmq().does(['consume', 'purged', '--group', 'purger', '--until-end']);
  await ringmq().does(['produce', 'purged', '-m', 'two', '-m', 'three', '--key', 'k']);
  await ringmq().until(['offset', 'lag', 'purger', 'purged'], ({ lag }) => lag === 2);
  const { name } = cluster().broker;
  const can = target === 'ringmq';
  await ringmq().fails(
    ['topic', 'purge', 'purged'],
    2,
    can
      ? /Topic purged is going to be purged of 3 messages in 1 queue: .* Nothing was done/
      : /cannot purge, .* and has 3 messages of purged\. 1 group \(purger\) will skip/,
  );
  assert.is((await ringmq().lines(['message', 'find', 'purged', '--since', '1h'])).length, 3);
  const { messages, brokers, cannot, skipped } = await ringmq().json(['topic', 'purge', 'purged', '--yes']);
  const queue = { queue: 0, minOffset: 3, maxOffset: 3, messages: 3 };
  assert.equal(
    { messages, brokers, cannot, skipped },
    can
      ? { messages: 3, brokers: [{ broker: name, queues: [queue] }], cannot: [], skipped: {} }
      : { messages: 0, brokers: [], cannot: [name], skipped: { purger: 2 } },
  );
  assert.is((await ringmq().json(['offset', 'lag', 'purger', 'purged'])).lag, 0);
  const find = ['message', 'find', 'purged', '--since', '1h'];
  if (can) await ringmq().fails(find, 1, /purged has no message of that time/);
  else assert.is((await ringmq().lines(find)).length, 3);
  const [{ min, max }] = (await ringmq().json(['topic', 'show', 'purged'])).queues;
  assert.equal([min, max], [can ? 3 : 0, 3]);
});

// RocketMQ's broker has nothing to refuse: it cannot purge.
if (target === 'ringmq') {
  test('what waits in a system topic is not purged', () =>
    ringmq().fails(
      ['topic', 'purge', 'RMQ_SYS_TRANS_HALF_TOPIC', '--yes'],
      1,
      /refused to purge topic RMQ_SYS_TRANS_HALF_TOPIC: .* conflict with system topic/,
    ));
}

test('a purge that makes the topic again leaves no message', async () => {
  await ringmq().topic('remade', '--queues', '2', '--type', 'FIFO');
  await ringmq().does(['produce', 'remade', '-m', 'one', '-m', 'two']);
  await ringmq().until(['topic', 'show', 'remade'], ({ queues }) => queues[0].max + queues[1].max === 2);
  await ringmq().does(['topic', 'purge', 'remade', '--recreate', '--yes']);
  const shown = await ringmq().until(['topic', 'show', 'remade'], ({ queues }) => queues.length === 2);
  assert.equal(
    shown.queues.map(({ max }: { max: number }) => max),
    [0, 0],
  );
  assert.is(shown.configs[0].type, 'FIFO');
  await ringmq().does(['produce', 'remade', '-m', 'anew']);
  await ringmq().until(['topic', 'show', 'remade'], ({ queues }) => queues[0].max === 1);
});

test('retention is told as it is: the one of the broker', async () => {
  await ringmq().topic('kept', '--queues', '1');
  const { ownRetention, brokers } = await ringmq().json(['topic', 'retention', 'kept']);
  assert.equal([ownRetention, brokers[0].fileReservedTime, brokers[0].oldest], [false, '72', null]);
  assert.match(await ringmq().does(['topic', 'retention', 'kept']), /cannot have a retention of its own/);
});

test.run();
