/** The audit: which requests have a line, and what it says. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createHandlers } from '../../../src/broker/handlers.ts';
import { nameServerCodes } from '../../../src/namesrv/handlers.ts';
import { RequestCode, requestName } from '../../../src/protocol/codes.ts';
import { FLAG_ONEWAY, requestCommand, responseTo } from '../../../src/protocol/command.ts';
import { AUDITED, audited } from '../../../src/remoting/audit.ts';
import type { ControlHandler } from '../../../src/remoting/connection.ts';
import { recordingLog } from '../../support/recording-log.ts';
import { request, setUp } from '../broker/support.ts';
import { FakeConnection } from '../metadata/support.ts';

const test = suite('audit');

const CODE = RequestCode.DELETE_TOPIC_IN_BROKER;

function rig(handler: ControlHandler, code: number = CODE) {
  const { log, lines } = recordingLog();
  return { lines, handle: audited(code, handler, log), connection: new FakeConnection('client') };
}

test('every request that is served changes something by order and is told of, or is known not to be one', () => {
  // Clients send these by themselves, and brokers those of the last line.
  const clients = `
    HEART_BEAT UNREGISTER_CLIENT CHECK_CLIENT_CONFIG UPDATE_CONSUMER_OFFSET LOCK_BATCH_MQ UNLOCK_BATCH_MQ
    CONSUMER_SEND_MSG_BACK SEND_MESSAGE SEND_MESSAGE_V2 SEND_REPLY_MESSAGE SEND_REPLY_MESSAGE_V2
    RECALL_MESSAGE REGISTER_BROKER UNREGISTER_BROKER BROKER_HEARTBEAT
  `.split(/\s+/);
  const onlyReads = /^(GET|QUERY|VIEW|SEARCH)_|^INVOKE_BROKER_TO_GET_/;
  const forgotten = [...setUp().codes, ...nameServerCodes].filter(
    (code) =>
      !AUDITED.has(code) && !clients.includes(requestName(code)) && !onlyReads.test(requestName(code)),
  );
  assert.equal(forgotten.map(requestName), []);
  const served = new Set([...setUp().codes, ...nameServerCodes]);
  assert.equal(
    [...AUDITED].filter((code) => !served.has(code)),
    [],
  );
});

test('a line says who asked, from where, for what, and what came of it', async () => {
  const { lines, handle, connection } = rig((asked) => responseTo(asked, 0));
  const asked = { ...requestCommand(CODE, { topic: 'orders' }), language: 'GO', version: 513 };
  await handle(asked, connection);
  assert.equal(lines, [
    {
      level: 'info',
      message: 'audit: DELETE_TOPIC_IN_BROKER done',
      fields: {
        client: connection.remoteAddress,
        request: 'DELETE_TOPIC_IN_BROKER',
        by: 'GO v5_5_0',
        fields: { topic: 'orders' },
        result: 'SUCCESS',
      },
    },
  ]);
});

test('what was refused, failed, or is answered to nobody is told as that', async () => {
  const refused = rig((asked) => responseTo(asked, 16, 'not you'));
  await refused.handle(requestCommand(CODE, {}), refused.connection);
  assert.is(refused.lines[0]?.message, 'audit: DELETE_TOPIC_IN_BROKER refused');
  assert.is(refused.lines[0]?.fields['result'], 'NO_PERMISSION');
  assert.is(refused.lines[0]?.fields['remark'], 'not you');

  const late = rig(async (asked) => responseTo(asked, 0));
  const answer = late.handle(requestCommand(CODE, {}), late.connection);
  assert.is(late.lines.length, 0, 'not before its outcome is known');
  await answer;
  assert.is(late.lines.length, 1);

  const failing = rig(async () => {
    throw new Error('disk');
  });
  await (failing.handle(requestCommand(CODE, {}), failing.connection) as Promise<unknown>).then(
    () => assert.unreachable('the error goes on'),
    (error: Error) => assert.is(error.message, 'disk'),
  );
  assert.is(failing.lines[0]?.message, 'audit: DELETE_TOPIC_IN_BROKER failed');

  const oneway = rig(() => undefined);
  const asked = requestCommand(CODE, {});
  await oneway.handle({ ...asked, flag: asked.flag | FLAG_ONEWAY }, oneway.connection);
  assert.match(String(oneway.lines[0]?.message), /taken, the asker wants no answer$/);
});

test('requests that only read have none', () => {
  const handler: ControlHandler = (asked) => responseTo(asked, 0);
  assert.is(rig(handler, RequestCode.GET_BROKER_CONFIG).handle, handler);
});

test('bodies are shown where they say what is wanted, the first of their characters; those of configurations are not', async () => {
  const handler: ControlHandler = (asked) => responseTo(asked, 0);
  const list = rig(handler, RequestCode.UPDATE_AND_CREATE_TOPIC_LIST);
  const body = Buffer.from(JSON.stringify({ topicConfigList: ['x'.repeat(5_000)] }));
  await list.handle(requestCommand(RequestCode.UPDATE_AND_CREATE_TOPIC_LIST, {}, body), list.connection);
  const shown = String(list.lines[0]?.fields['body']);
  assert.ok(shown.startsWith('{"topicConfigList"') && shown.length === 512, `${shown.length}`);
  const config = rig(handler, RequestCode.UPDATE_BROKER_CONFIG);
  const secret = Buffer.from('tls.server.keyPassword=secret\n');
  await config.handle(requestCommand(RequestCode.UPDATE_BROKER_CONFIG, {}, secret), config.connection);
  assert.not.match(JSON.stringify(config.lines), /secret/);
});

test('what says which topic or group comes first, and no field can push it out of the line', async () => {
  const { lines, handle, connection } = rig((asked) => responseTo(asked, 0));
  const padding = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`a${i}`, 'x'.repeat(900)]));
  await handle(requestCommand(CODE, { ...padding, topic: 'orders', group: 'g'.repeat(120) }), connection);
  const fields = lines[0]?.fields['fields'] as Record<string, string>;
  assert.equal(Object.keys(fields).slice(0, 2), ['topic', 'group']);
  assert.equal([fields['topic'], fields['group']?.length], ['orders', 65]);
  assert.ok(JSON.stringify(fields).indexOf('orders') < 64 && Object.keys(fields).length === 10);
});

test('of a request that wants no answer the outcome is told nevertheless', async () => {
  const { log, lines } = recordingLog();
  const { context, connection } = setUp();
  const handlers = createHandlers(context, { audit: log, slowMillis: 0 });
  const asked = request(CODE, { topic: '' });
  await handlers.get(CODE)?.({ ...asked, flag: asked.flag | FLAG_ONEWAY }, connection);
  assert.is(lines[0]?.message, 'audit: DELETE_TOPIC_IN_BROKER refused');
});

test("a broker's handlers tell of what they were asked", async () => {
  const { log, lines } = recordingLog();
  const { context, connection } = setUp();
  const handlers = createHandlers(context, { audit: log, slowMillis: 0 });
  for (const asked of [request(CODE, { topic: 'nothing' }), request(RequestCode.GET_BROKER_CONFIG)])
    await handlers.get(asked.code)?.(asked, connection);
  assert.equal(
    lines.map(({ message }) => message.slice(0, 29)),
    ['audit: DELETE_TOPIC_IN_BROKER'],
  );
});

test.run();
