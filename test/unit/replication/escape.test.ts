/** Messages of a slave that acts for its master go to other masters, each once, and never to its own name. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Escape } from '../../../src/broker/follow/escape.ts';
import { RequestCode, ResponseCode } from '../../../src/protocol/codes.ts';
import { type RemotingCommand, responseTo } from '../../../src/protocol/command.ts';
import { type CommandServer, startCommandServer } from '../../../src/remoting/command-server.ts';
import type { RouteAnswer } from '../../../src/remoting/topic-routes.ts';
import type { PutResult } from '../../../src/store/put/put-message.ts';
import { message } from '../broker/support.ts';

interface Context {
  asked: RemotingCommand[];
  code: number;
  servers: CommandServer[];
  route: RouteAnswer;
  routeOf: (topic: string) => RouteAnswer;
  escape: Escape;
}

const test = suite<Context>('escape');

test.before.each(async (context) => {
  context.asked = [];
  context.code = ResponseCode.SUCCESS;
  context.servers = [];
  const handler = (request: RemotingCommand) => {
    context.asked.push(request);
    return Promise.resolve(responseTo(request, context.code, 'as the test wants'));
  };
  for (let i = 0; i < 2; i++)
    context.servers.push(await startCommandServer({ host: '127.0.0.1', port: 0, handler }));
  const [one, two] = context.servers.map(({ port }) => `127.0.0.1:${port}`) as [string, string];
  context.route = [
    { brokerName: 'own', readQueues: 4, written: { master: '127.0.0.1:1', queues: 4 } },
    { brokerName: 'one', readQueues: 2, written: { master: one, queues: 2 } },
    { brokerName: 'read-only', readQueues: 2 },
    { brokerName: 'two', readQueues: 2, written: { master: two, queues: 2 } },
  ];
  context.routeOf = () => context.route;
  context.escape = new Escape({
    routes: { queuesOf: (topic) => Promise.resolve(context.routeOf(topic)) },
    ...{ brokerName: 'own', clusterName: 'cluster' },
    tls: () => undefined,
  });
});

test.after.each(async ({ servers, escape: sent }) => {
  sent.close();
  for (const server of servers) await server.close();
});

function put(context: Context, more = {}): Promise<PutResult> {
  return new Promise((resolve) => context.escape.put(message(more), resolve));
}

test('other masters that may be written have turns, and what has waited does not wait again', async (context) => {
  const properties = new Map([
    ['DELAY', '3'],
    ['TIMER_DELAY_SEC', '7'],
    ['KEYS', 'k'],
  ]);
  for (let queueId = 3; queueId < 7; queueId++)
    assert.is((await put(context, { queueId, properties, reconsumeTimes: 2 })).status, 0);
  const sent = context.asked.map(({ code, fields }) => [code, fields['n'], fields['e'], fields['j']]);
  const { SEND_MESSAGE_V2: SEND } = RequestCode;
  assert.equal(sent, [
    [SEND, 'one', '1', '2'],
    [SEND, 'two', '0', '2'],
    [SEND, 'one', '1', '2'],
    [SEND, 'two', '0', '2'],
  ]);
  assert.is(context.asked[0]?.fields['i'], 'KEYS\x01k\x02');
  assert.is(context.asked[0]?.fields['b'], message().topic);
  assert.equal(Buffer.from(context.asked[0]?.body ?? []), Buffer.from(message().body));
});

test('a message that is stored, if not as safely as was asked, is not sent again', async (context) => {
  for (const code of [ResponseCode.FLUSH_DISK_TIMEOUT, ResponseCode.SLAVE_NOT_AVAILABLE]) {
    context.code = code;
    assert.is((await put(context)).status, code);
  }
});

const REFUSED = [ResponseCode.TOPIC_NOT_EXIST, ResponseCode.MESSAGE_ILLEGAL, ResponseCode.SYSTEM_ERROR];
for (const code of REFUSED) {
  test(`${code} of another master is no reason to give the message up`, async (context) => {
    context.code = code;
    const { status, remark } = await put(context);
    const isIllegal = code === ResponseCode.MESSAGE_ILLEGAL;
    assert.is(status, isIllegal ? code : ResponseCode.SERVICE_NOT_AVAILABLE);
    assert.match(remark ?? '', /^(one|two) answers [A-Z_]+ as the test wants$/);
  });
}

test('without another master it fails with the reason', async (context) => {
  for (const route of ['unknown', [], (context.route as object[]).slice(0, 1)] as RouteAnswer[]) {
    context.route = route;
    const { status, remark } = await put(context);
    assert.is(status, ResponseCode.TOPIC_NOT_EXIST);
    assert.is(remark, `no other master has the topic ${message().topic}`);
  }
});

test('where no name server answers it is to be tried again', async (context) => {
  context.route = undefined;
  const { status, remark } = await put(context);
  assert.is(status, ResponseCode.SERVICE_NOT_AVAILABLE);
  assert.is(remark, 'no name server answers');
});

test('a retry topic that no other master has is made by one of the cluster', async (context) => {
  const { route } = context;
  const asked: string[] = [];
  context.routeOf = (topic) => {
    asked.push(topic);
    return topic === 'cluster' ? route : 'unknown';
  };
  assert.is((await put(context, { topic: '%RETRY%group_topic' })).status, 0);
  assert.equal(asked, ['%RETRY%group_topic', 'cluster']);
  assert.is(context.asked[0]?.fields['b'], '%RETRY%group_topic');
  assert.is((await put(context, { topic: 'plain' })).status, ResponseCode.TOPIC_NOT_EXIST);
});

test('what waits on in the timer topic waits for the same time at another master', async (context) => {
  const parked = [
    ['TIMER_OUT_MS', '5000'],
    ['TIMER_ROLL_TIMES', '1'],
    ['TIMER_DELAY_SEC', '9'],
    ['REAL_TOPIC', 'T'],
    ['REAL_QID', '3'],
    ['KEYS', 'k'],
  ] as const;
  const timed = { topic: 'rmq_sys_wheel_timer', queueId: 0 };
  assert.is((await put(context, { ...timed, properties: new Map(parked) })).status, 0);
  const at = new Map([...parked, ['TIMER_DELIVER_MS', '4321'] as const]);
  assert.is((await put(context, { ...timed, properties: at })).status, 0);
  assert.equal(
    context.asked.map(({ fields }) => [fields['b'], fields['e'], fields['i']]),
    [
      ['T', '1', 'KEYS\x01k\x02TIMER_DELIVER_MS\x015000\x02'],
      ['T', '1', 'KEYS\x01k\x02TIMER_DELIVER_MS\x014321\x02'],
    ],
  );
  const recall = new Map([...parked, ['TIMER_DEL_UNIQKEY', 'u'] as const]);
  assert.is((await put(context, { ...timed, properties: recall })).status, ResponseCode.TOPIC_NOT_EXIST);
  assert.is(context.asked.length, 2, 'a recall is none');
});

test('a master that is gone fails what was for it', async (context) => {
  for (const server of context.servers) await server.close();
  const results = await Promise.all(Array.from({ length: 5 }, () => put(context)));
  assert.ok(results.every(({ status }) => status === ResponseCode.SERVICE_NOT_AVAILABLE));
});

test('what waits for the queues of its topic when it is closed opens no connection', async (context) => {
  const route = context.route;
  let answer: (route: RouteAnswer) => void = () => {};
  const closed = new Escape({
    routes: {
      queuesOf: () =>
        new Promise((resolve) => {
          answer = resolve;
        }),
    },
    ...{ brokerName: 'own', clusterName: 'cluster' },
    tls: () => undefined,
  });
  const result = new Promise<PutResult>((resolve) => closed.put(message(), resolve));
  closed.close();
  answer(route);
  assert.is((await result).status, ResponseCode.SERVICE_NOT_AVAILABLE);
  assert.is(context.asked.length, 0);
});

test.run();
