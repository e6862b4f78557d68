// Two network threads: connections are handed from one to the other, and each knows at once what the other's clients
// did.

import { readdirSync, readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startBroker } from '../../src/index.ts';
import { MAX_SUBSCRIPTIONS } from '../../src/lib/limits.ts';
import { RequestCode } from '../../src/protocol/codes.ts';
import { requestCommand } from '../../src/protocol/command.ts';
import { CommandClient } from '../../src/remoting/command-client.ts';
import { pullRequest, readQueue, sendRequest, temporaryStore } from '../support/broker-process.ts';

const test = suite('two network threads');
const CLIENTS = 6;
const PER_CLIENT = 300;

/** What `top -H` shows of this process. */
function threadNames(): string[] {
  return readdirSync('/proc/self/task').map((id) =>
    readFileSync(`/proc/self/task/${id}/comm`, 'latin1').trim(),
  );
}

/** A send is answered when its message is in the log; its queue entry may come later. This pull waits for that. */
async function isDispatched(client: CommandClient, topic: string, queue: number, offset: number) {
  assert.is((await client.request(pullRequest(topic, queue, offset, 5_000), 10_000)).code, 0);
}

function heartbeat(group: string, ...topics: string[]) {
  const body = {
    clientID: `test@${group}`,
    consumerDataSet: [
      {
        groupName: group,
        consumeType: 'CONSUME_PASSIVELY',
        messageModel: 'CLUSTERING',
        consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
        subscriptionDataSet: topics.map((topic) => ({
          topic,
          subString: '*',
          expressionType: 'TAG',
          subVersion: 1,
        })),
      },
    ],
    producerDataSet: [],
  };
  return requestCommand(RequestCode.HEART_BEAT, {}, Buffer.from(JSON.stringify(body)));
}

test('the system shows the threads by their names', async () => {
  const broker = await startBroker({ networkThreads: 2 });
  const names = threadNames();
  for (const name of ['control', 'network-0', 'network-1', 'writer', 'flusher'])
    assert.is(names.filter((one) => one === name).length, 1, `${name}: ${names}`);
  await broker.close();
});

test('clients of both threads send to one topic; every message is stored once', async () => {
  const broker = await startBroker({ networkThreads: 2 });
  const clients = Array.from({ length: CLIENTS }, () => new CommandClient({ address: broker.broker }));
  await Promise.all(
    clients.map(async (client, c) => {
      const sends = Array.from({ length: PER_CLIENT }, (_, i) =>
        client.request(sendRequest('both', i % 4, `c${c}-${i}`, Buffer.from('body')), 10_000),
      );
      for (const reply of await Promise.all(sends)) assert.is(reply.code, 0, reply.remark);
    }),
  );
  const [reader] = clients as [CommandClient];
  for (const queue of [0, 1, 2, 3]) await isDispatched(reader, 'both', queue, (CLIENTS * PER_CLIENT) / 4 - 1);
  const found = (await Promise.all([0, 1, 2, 3].map((queue) => readQueue(reader, 'both', queue)))).flat();
  assert.is(new Set(found).size, CLIENTS * PER_CLIENT);
  assert.is(found.length, CLIENTS * PER_CLIENT);
  for (const client of clients) client.close();
  await broker.close();
});

test('a heartbeat over one connection holds for a pull over any other as soon as it is answered', async () => {
  const broker = await startBroker({ networkThreads: 2 });
  const clients = Array.from({ length: 4 }, () => new CommandClient({ address: broker.broker }));
  const [first] = clients as [CommandClient];
  assert.is((await first.request(sendRequest('told', 0, 'k', Buffer.from('x')), 5_000)).code, 0);
  await isDispatched(first, 'told', 0, 0);
  for (let round = 0; round < 20; round++) {
    const group = `group-${round}`;
    assert.is((await first.request(heartbeat(group, 'told'), 5_000)).code, 0);
    const replies = await Promise.all(
      clients.map((client) => {
        const pull = pullRequest('told', 0, 0);
        pull.fields['consumerGroup'] = group;
        pull.fields['sysFlag'] = '0';
        pull.fields['subVersion'] = '1';
        return client.request(pull, 5_000);
      }),
    );
    for (const reply of replies) assert.is(reply.code, 0, `${group}: ${reply.remark}`);
  }
  for (const client of clients) client.close();
  await broker.close();
});

/** A pull that commits `offset`, as a push consumer's do. */
function committingPull(offset: number) {
  const pull = pullRequest('told', 0, 0);
  Object.assign(pull.fields, { sysFlag: '5', commitOffset: String(offset) });
  return pull;
}

function commit(offset: number) {
  return requestCommand(RequestCode.UPDATE_CONSUMER_OFFSET, {
    consumerGroup: 'test-consumers',
    topic: 'told',
    queueId: '0',
    commitOffset: String(offset),
  });
}

test('what a pull or a request commits holds for the next request, and outlives a stop', async () => {
  const { directory, remove } = temporaryStore();
  let broker = await startBroker({ store: directory });
  let client = new CommandClient({ address: broker.broker });
  const committed = async () => {
    const query = { consumerGroup: 'test-consumers', topic: 'told', queueId: '0' };
    const reply = await client.request(requestCommand(RequestCode.QUERY_CONSUMER_OFFSET, query), 5_000);
    return Number(reply.fields['offset']);
  };
  assert.is((await client.request(sendRequest('told', 0, 'k', Buffer.from('x')), 5_000)).code, 0);
  await isDispatched(client, 'told', 0, 0);
  for (let offset = 1; offset <= 300; offset++) {
    assert.is((await client.request(committingPull(offset), 5_000)).code, 0);
    assert.is(await committed(), offset);
    const [, found] = await Promise.all([client.request(commit(offset + 1000), 5_000), committed()]);
    assert.is(found, offset + 1000);
  }
  // Nothing follows that would make control look.
  assert.is((await client.request(committingPull(77), 5_000)).code, 0);
  await broker.close();
  client.close();
  broker = await startBroker({ store: directory });
  client = new CommandClient({ address: broker.broker });
  assert.is(await committed(), 77);
  client.close();
  await broker.close();
  remove();
});

test('a group with thousands of subscriptions is known to all threads', async () => {
  const broker = await startBroker({ networkThreads: 2 });
  const clients = Array.from({ length: 4 }, () => new CommandClient({ address: broker.broker }));
  const [first] = clients as [CommandClient];
  try {
    assert.is((await first.request(sendRequest('told', 0, 'k', Buffer.from('x')), 5_000)).code, 0);
    await isDispatched(first, 'told', 0, 0);
    const names = Array.from({ length: MAX_SUBSCRIPTIONS - 1 }, (_, i) => `${'a-long-name-'.repeat(9)}${i}`);
    const beat = await first.request(heartbeat('many', ...names, 'told'), 10_000);
    assert.is(beat.code, 0, beat.remark);
    for (const client of clients) {
      const pull = pullRequest('told', 0, 0);
      Object.assign(pull.fields, { consumerGroup: 'many', sysFlag: '0', subVersion: '1' });
      const reply = await client.request(pull, 5_000);
      assert.is(reply.code, 0, reply.remark);
    }
  } finally {
    for (const client of clients) client.close();
    await broker.close();
  }
});

test.run();
