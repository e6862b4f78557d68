/** The diary of topics and groups, and what is told of requests that fail. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createHandlers } from '../../../src/broker/handlers.ts';
import { keepJournal } from '../../../src/broker/journal.ts';
import { noLog } from '../../../src/lib/log.ts';
import { RequestCode } from '../../../src/protocol/codes.ts';
import type { RemotingCommand } from '../../../src/protocol/command.ts';
import { RequestError } from '../../../src/protocol/request-fields.ts';
import { Unreadable } from '../../../src/store/disk/errors.ts';
import { recordingLog } from '../../support/recording-log.ts';
import { FakeConnection } from '../metadata/support.ts';
import { request, setUp } from './support.ts';

const test = suite('journal');

function rig() {
  const { context, refused } = setUp();
  const { log, lines } = recordingLog();
  const told = { ...context, log };
  keepJournal(told, log);
  const handlers = createHandlers(told, { audit: noLog, slowMillis: 0 });
  const connection = new FakeConnection('client');
  const ask = async (command: RemotingCommand) => handlers.get(command.code)?.(command, connection);
  return { context: told, lines, ask, connection, refused };
}

const topic = (name: string, more: Record<string, string | number> = {}) =>
  request(RequestCode.UPDATE_AND_CREATE_TOPIC, {
    topic: name,
    defaultTopic: 'TBW102',
    readQueueNums: 4,
    writeQueueNums: 4,
    perm: 6,
    topicFilterType: 'SINGLE_TAG',
    ...more,
  });

test('a topic that is made, changed and deleted is told, and who asked', async () => {
  const { lines, ask, connection } = rig();
  await ask(topic('orders'));
  await ask(topic('orders'));
  await ask(topic('orders', { perm: 4 }));
  await ask(request(RequestCode.DELETE_TOPIC_IN_BROKER, { topic: 'orders' }));
  await ask(request(RequestCode.DELETE_TOPIC_IN_BROKER, { topic: 'orders' }));
  const client = connection.remoteAddress;
  assert.equal(
    lines.map(({ level, message, fields }) => [
      level,
      message,
      fields['topic'],
      fields['perm'],
      fields['request'],
    ]),
    [
      ['info', 'topic made', 'orders', 6, 'UPDATE_AND_CREATE_TOPIC'],
      ['info', 'topic changed', 'orders', 4, 'UPDATE_AND_CREATE_TOPIC'],
      ['info', 'topic deleted', 'orders', undefined, 'DELETE_TOPIC_IN_BROKER'],
    ],
  );
  assert.ok(lines.every(({ fields }) => fields['client'] === client));
});

const beat = (clientId: string, groups: { consumer?: string; producer?: string }) =>
  request(
    RequestCode.HEART_BEAT,
    {},
    {
      clientID: clientId,
      consumerDataSet:
        groups.consumer === undefined
          ? []
          : [
              {
                groupName: groups.consumer,
                consumeType: 'CONSUME_PASSIVELY',
                messageModel: 'CLUSTERING',
                consumeFromWhere: 'CONSUME_FROM_LAST_OFFSET',
                subscriptionDataSet: [],
                unitMode: false,
              },
            ],
      producerDataSet: groups.producer === undefined ? [] : [{ groupName: groups.producer }],
    },
  );

test('groups of clients come with their first member and go with their last one', async () => {
  const { lines, ask, connection, context } = rig();
  await ask(beat('c1', { consumer: 'readers', producer: 'writers' }));
  await ask(beat('c1', { consumer: 'readers', producer: 'writers' }));
  const made = lines.splice(0).map(({ message, fields }) => [message, fields['group'] ?? fields['topic']]);
  assert.equal(made, [
    ['group made', 'readers'],
    ['topic made', '%RETRY%readers'],
    ['consumer group online: its first client is here', 'readers'],
    ['producer group online: its first client is here', 'writers'],
  ]);
  context.clients.connectionClosed(connection.id);
  assert.equal(
    lines.map(({ message, fields }) => [message, fields['group'], fields['clientId'], fields['client']]),
    [
      ['producer group offline: its last client has gone', 'writers', 'c1', connection.remoteAddress],
      ['consumer group offline: its last client has gone', 'readers', 'c1', connection.remoteAddress],
    ],
  );
});

test('what a client does wrong it is told; the log of the operator has no word of it', async () => {
  const { lines, ask } = rig();
  const impossible = [
    topic('orders', { attributes: '+message.type=NONSENSE' }),
    topic('orders', { attributes: 'no sign' }),
    topic('orders', { readQueueNums: 'many' }),
    topic('a b'),
    request(RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP, {}, '{"groupName":"g","attributes":{"+x":"y"}}'),
    request(RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP, {}, '{'),
    request(RequestCode.INVOKE_BROKER_TO_RESET_OFFSET, {
      topic: 'none',
      group: 'g',
      timestamp: '9007199254740991',
    }),
    request(RequestCode.HEART_BEAT, {}, 'no JSON'),
  ];
  for (const command of impossible) {
    const reply = await ask(command);
    assert.ok(reply !== undefined && reply.code !== 0, `${command.code} ${JSON.stringify(command.fields)}`);
  }
  assert.equal(lines, []);
});

test('what the disk refuses is an error in words, a fault of ours one with its stack, a plain wait a warning', async () => {
  const { lines, ask, context } = rig();
  const failing = async (error: unknown) => {
    Object.assign(context.store, {
      maxOffset: () => {
        throw error;
      },
    });
    context.topics.createInternal('t', 1);
    lines.splice(0);
    const reply = await ask(request(RequestCode.GET_MAX_OFFSET, { topic: 't', queueId: 0 }));
    assert.ok(reply !== undefined && reply.code !== 0);
    return lines.map(({ level, fields }) => [
      level,
      'err' in fields,
      fields['reason'] ?? '',
      fields['request'],
    ]);
  };
  const noRoom = Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC', errno: -28 });
  assert.equal(await failing(noRoom), [['error', false, 'ENOSPC: no space left', 'GET_MAX_OFFSET']]);
  assert.equal(await failing(new Unreadable('the log', 5)), [
    ['error', false, 'the log cannot be read (EIO)', 'GET_MAX_OFFSET'],
  ]);
  assert.equal(await failing(new TypeError('x is undefined')), [['error', true, '', 'GET_MAX_OFFSET']]);
  assert.equal(await failing(new Error('the broker stops')), [
    ['warn', false, 'the broker stops', 'GET_MAX_OFFSET'],
  ]);
  assert.equal(await failing(new RequestError(17, 'no such topic')), []);
});

test('a send that control refuses is counted too', async () => {
  const { ask, refused } = rig();
  const fields = { a: 'g', b: '%RETRY%g', d: 4, e: 0, f: 0, g: 1, h: 0, i: 'a\0', j: 0 };
  await ask(request(RequestCode.SEND_MESSAGE_V2, fields, 'body'));
  assert.equal(
    refused.map(({ reason, count, topic }) => [reason, count, topic]),
    [['illegal', 1, '%RETRY%g']],
  );
});

test('an offset reset is told with where it led, whatever number was asked for', async () => {
  const { lines, ask, context } = rig();
  await ask(topic('orders'));
  context.groups.findOrCreate('g');
  lines.splice(0);
  for (const timestamp of ['1700000000000', '-1', '9007199254740991']) {
    const reset = { topic: 'orders', group: 'g', timestamp };
    assert.is((await ask(request(RequestCode.INVOKE_BROKER_TO_RESET_OFFSET, reset)))?.code, 0);
  }
  assert.equal(
    lines.map(({ message, fields }) => [message, fields['to'], fields['queues']]),
    [
      ['offsets reset', '2023-11-14T22:13:20.000Z', 4],
      ['offsets reset', 'the end', 4],
      ['offsets reset', '9007199254740991 ms', 4],
    ],
  );
});

test.run();
