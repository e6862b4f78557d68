// The Java 5.5.0 client and tools ask and administer: queries, DefaultMQAdminExt, and the real mqadmin.

import { rm } from 'node:fs/promises';
import * as assert from 'uvu/assert';
import { Consumer, createTopic, introduceGroup, Producer } from './scenarios/actors.ts';
import { queries } from './scenarios/queries.ts';
import { java55 } from './support/clients.ts';
import { Dialogue } from './support/dialogue.ts';
import { Ledger } from './support/ledger.ts';
import { clusterSuite } from './support/suite.ts';

const { test, cluster } = clusterSuite('Java 5.5.0 client: queries and administration');

interface StatsRow {
  readonly topic: string;
  readonly queueId: number;
  readonly broker: number;
  readonly consumer: number;
}

function admin(): Dialogue {
  const { nameServer, broker } = cluster();
  return new Dialogue(
    java55.start('Admin', { namesrv: nameServer.address, 'broker-address': broker.address }),
  );
}

test('messages are found by key, unique key and offset id; offsets by time', () =>
  queries(java55, cluster()));

test('topics are made, changed, shown, deleted', async () => {
  const dialogue = admin();
  await dialogue.ask('create-topic made 6');
  assert.equal(await dialogue.ask('topic-config made'), { read: 6, write: 6, perm: 6 });
  const route = (await dialogue.ask('route made')) as { brokers: unknown; queues: unknown };
  const { broker } = cluster();
  assert.equal(route.brokers, [
    { cluster: 'DefaultCluster', broker: broker.name, addresses: { 0: broker.address } },
  ]);
  assert.equal(route.queues, [{ broker: broker.name, read: 6, write: 6, perm: 6 }]);
  await dialogue.ask('create-topic made 10');
  assert.equal(await dialogue.ask('topic-config made'), { read: 10, write: 10, perm: 6 });
  const topics = (await dialogue.ask('topics')) as string[];
  assert.ok(topics.includes('made') && topics.includes('TBW102'), topics.join(' '));
  const stats = (await dialogue.ask('topic-stats made')) as unknown[];
  assert.is(stats.length, 10);
  await dialogue.ask('delete-topic made');
  assert.is((await dialogue.refused('route made')).code, 17);
  assert.is((await dialogue.refused('topic-stats made')).code, 17);
  assert.is(
    (await dialogue.refused('create-topic TBW102 4')).code,
    29,
    'system topics are not for everybody',
  );
  await dialogue.end();
});

test('groups are made, shown, deleted; the cluster is listed', async () => {
  const dialogue = admin();
  await dialogue.ask('create-group made-group 7');
  assert.equal(await dialogue.ask('group made-group'), {
    retryMaxTimes: 7,
    retryQueueNums: 1,
    consumeEnable: true,
  });
  await dialogue.ask('delete-group made-group');
  const { broker } = cluster();
  assert.equal(await dialogue.ask('cluster'), {
    brokers: { [broker.name]: { 0: broker.address } },
    clusters: { DefaultCluster: [broker.name] },
  });
  const runtime = (await dialogue.ask('runtime')) as Record<string, string>;
  assert.ok(Number(runtime['bootTimestamp']) > 0 && runtime['brokerVersionDesc'] !== undefined);
  await dialogue.end();
});

test('progress and connections of a group are shown; a reset moves it back', async () => {
  const topic = 'progress';
  const group = 'progress-group';
  await createTopic(java55, cluster(), topic);
  await introduceGroup(java55, cluster(), topic, group);
  const ledger = new Ledger();
  await new Producer(java55, cluster(), { topic, count: 50, prefix: 'pr' }, ledger).finish();
  const consumer = new Consumer(java55, cluster(), { topic, group }, ledger);
  await consumer.receives(ledger);
  const dialogue = admin();
  const connections = (await dialogue.ask(`connections ${group}`)) as {
    clients: { clientId: string; language: string }[];
    subscriptions: Record<string, string>;
    model: string;
  };
  assert.is(connections.clients.length, 1);
  assert.is(connections.clients[0]?.language, 'JAVA');
  assert.equal(connections.subscriptions, { [`%RETRY%${group}`]: '*', [topic]: '*' });
  assert.is(connections.model, 'CLUSTERING');
  await consumer.stop(); // which commits

  const rows = ((await dialogue.ask(`consume-stats ${group}`)) as StatsRow[]).filter(
    (row) => row.topic === topic,
  );
  assert.is(rows.length, 4);
  const total = rows.reduce((sum, row) => sum + row.consumer, 0);
  assert.ok(total >= 50, `${total} consumed`);
  for (const row of rows) assert.is(row.consumer, row.broker, 'everything is consumed');

  await dialogue.ask(`reset-offset ${topic} ${group} 0`);
  const again = new Ledger();
  for (const key of ledger.sent) again.send(key);
  const repeated = new Consumer(java55, cluster(), { topic, group }, again);
  await repeated.receives(again);
  await repeated.stop();
  await dialogue.end();
});

test('mqadmin works', async () => {
  const { nameServer, broker } = cluster();
  const dialogue = new Dialogue(java55.start('MqAdmin', { namesrv: nameServer.address }));
  const run = async (...words: string[]): Promise<string> => {
    const line = [words[0], '-n', nameServer.address, ...words.slice(1)].join('\t');
    const text = String(await dialogue.ask(line));
    assert.not.match(text, /Exception|command failed/, line);
    return text;
  };
  assert.match(
    await run('updateTopic', '-b', broker.address, '-t', 'by-tool', '-r', '2', '-w', '2'),
    /success/,
  );
  assert.match(await run('updateSubGroup', '-b', broker.address, '-g', 'tool-group'), /success/);
  assert.match(await run('clusterList'), new RegExp(`${broker.name}.*${broker.address}`));
  assert.match(await run('topicList'), /by-tool/);
  assert.match(await run('topicRoute', '-t', 'by-tool'), new RegExp(broker.address));
  const [sent] = await new Producer(java55, cluster(), {
    topic: 'by-tool',
    tags: 'x',
    prefix: 'tool',
  }).finish();
  assert.match(
    await run('topicStatus', '-t', 'by-tool'),
    new RegExp(`${broker.name}\\s+${sent?.queueId}\\s+0\\s+1`),
  );
  assert.match(await run('queryMsgByKey', '-t', 'by-tool', '-k', 'tool-0'), new RegExp(sent?.msgId ?? ''));
  const shown = await run('queryMsgById', '-t', 'by-tool', '-i', sent?.offsetMsgId ?? '');
  assert.match(shown, /tool-0/);
  assert.match(await run('queryMsgByUniqueKey', '-t', 'by-tool', '-i', sent?.msgId ?? ''), /tool-0/);
  assert.match(await run('sendMessage', '-t', 'by-tool', '-p', 'hello', '-k', 'sent-by-tool'), /SEND_OK/);
  assert.match(await run('printMsg', '-t', 'by-tool'), /sent-by-tool/);
  assert.match(await run('consumeMessage', '-t', 'by-tool', '-g', 'tool-group'), /sent-by-tool/);
  assert.match(await run('brokerStatus', '-b', broker.address), /bootTimestamp/);
  assert.match(await run('consumerProgress', '-g', 'progress-group'), /Consume Diff Total: 0/);
  const reset = await run('resetOffsetByTime', '-g', 'progress-group', '-t', 'progress', '-s', '0');
  for (const queue of [0, 1, 2, 3]) assert.match(reset, new RegExp(`${broker.name}\\s+${queue}\\s+0\\s`));
  const unknown = [
    'resetOffsetByTime',
    '-n',
    nameServer.address,
    '-g',
    'nobody',
    '-t',
    'progress',
    '-s',
    '0',
  ];
  assert.match(String(await dialogue.ask(unknown.join('\t'))), /CODE: 26/);
  assert.match(await run('deleteTopic', '-c', 'DefaultCluster', '-t', 'by-tool'), /success/);
  assert.not.match(await run('topicList'), /by-tool/);
  await rm(/Message Body Path: +(\S+)/.exec(shown)?.[1] ?? '', { force: true }); // the tool left the body in a file
  await dialogue.end();
});

test.run();
