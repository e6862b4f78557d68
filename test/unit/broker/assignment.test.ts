/** Which queues of a topic a client gets, and whether to pull or pop them: requests 400 to 402. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { allocateForPop, strategies } from '../../../src/broker/assignment/allocate.ts';
import { MAX_REQUEST_MODES } from '../../../src/lib/limits.ts';
import { type RequestMode, RequestModes } from '../../../src/metadata/request-modes.ts';
import { newTopicConfig } from '../../../src/metadata/topic-config.ts';
import { RequestCode, ResponseCode } from '../../../src/protocol/codes.ts';
import type { BrokerQueues, RouteAnswer } from '../../../src/remoting/topic-routes.ts';
import { FakeConnection, temporaryDirectory } from '../metadata/support.ts';
import { bodyJson, bodyText, join as joins, request, type Setup, setUp } from './support.ts';

const test = suite('assignment of queues');

const QUESTION = {
  topic: 't',
  consumerGroup: 'g',
  clientId: 'c1',
  strategyName: 'AVG',
  messageModel: 'CLUSTERING',
};

/** A broker with topic `t` whose routes are `route`, and members of group `g`. */
function withMembers(members: readonly string[], route?: RouteAnswer, changes: object = {}): Setup {
  const setup = setUp(changes);
  setup.context.topics.createIfAbsent(newTopicConfig('t', 4));
  for (const member of members) joins(setup, member, new FakeConnection(member));
  Object.assign(setup.context, { routes: { queuesOf: () => Promise.resolve(route) } });
  return setup;
}

/** `broker:queue ...` and the modes; undefined for no list. */
async function asked({ ask }: Setup, changes: object = {}): Promise<string | undefined> {
  const reply = await ask(request(RequestCode.QUERY_ASSIGNMENT, {}, { ...QUESTION, ...changes }));
  assert.is(reply?.code, 0, reply?.remark);
  const list = bodyJson(reply)['messageQueueAssignments'];
  if (list === undefined) return undefined;
  const assignments = list as unknown as { messageQueue: Record<string, string>; mode: string }[];
  return assignments
    .map(({ messageQueue: { brokerName, queueId, topic }, mode }) => {
      assert.is(topic, changes === undefined ? 't' : ((changes as typeof QUESTION).topic ?? 't'));
      return `${mode} ${brokerName}:${queueId}`;
    })
    .join(', ');
}

const TWO_BROKERS: readonly BrokerQueues[] = [
  { brokerName: 'b2', readQueues: 1 },
  { brokerName: 'b1', readQueues: 4 },
];

const ALL_POP = 'POP b1:0, POP b1:1, POP b1:2, POP b1:3, POP b2:0';

async function setMode({ ask }: Setup, mode: string, popShareQueueNum = 0, changes: object = {}) {
  const body = { topic: 't', consumerGroup: 'g', mode, popShareQueueNum, ...changes };
  return ask(request(RequestCode.SET_MESSAGE_REQUEST_MODE, {}, body));
}

test('AVG gives runs, AVG_BY_CIRCLE deals, others and unknown groups get no list', async () => {
  const setup = withMembers(['c2', 'c1'], TWO_BROKERS);
  assert.is(await asked(setup), 'PULL b1:0, PULL b1:1, PULL b1:2');
  assert.is(await asked(setup, { clientId: 'c2' }), 'PULL b1:3, PULL b2:0');
  assert.is(await asked(setup, { strategyName: 'AVG_BY_CIRCLE' }), 'PULL b1:0, PULL b1:2, PULL b2:0');
  assert.is(await asked(setup, { clientId: 'stranger' }), '');
  for (const nothing of [{ strategyName: 'CONFIG' }, { consumerGroup: 'other' }, { clientId: '' }]) {
    assert.is(await asked(setup, nothing), undefined, JSON.stringify(nothing));
  }
});

test('each queue belongs to one member, for any numbers of both', () => {
  for (const strategy of strategies.values()) {
    for (let count = 1; count <= 13; count++) {
      const queues = Array.from({ length: count }, (_, queueId) => ({
        brokerName: 'b',
        queueId,
        topic: 't',
      }));
      for (let members = 1; members <= 15; members++) {
        const all = Array.from({ length: members }, (_, index) => strategy(queues, members, index));
        assert.equal(
          all
            .flat()
            .map(({ queueId }) => queueId)
            .sort((a, b) => a - b),
          queues.map(({ queueId }) => queueId),
        );
        const sizes = all.map(({ length }) => length);
        assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1);
      }
    }
  }
});

test('with POP all queues of a broker are one while it is shared by all', async () => {
  const setup = withMembers(['c1', 'c2', 'c3', 'c4'], TWO_BROKERS);
  assert.is((await setMode(setup, 'POP'))?.code, 0);
  assert.is(await asked(setup), 'POP b1:-1, POP b2:-1');
  assert.is(await asked(setup, { clientId: 'stranger' }), 'POP b1:-1, POP b2:-1');
  await setMode(setup, 'POP', 3);
  assert.is(await asked(setup), 'POP b1:-1, POP b2:-1');
  await setMode(setup, 'POP', 1);
  assert.is(await asked(setup), 'POP b1:0, POP b1:1, POP b1:2');
  assert.is(await asked(setup, { clientId: 'c4' }), 'POP b2:0, POP b1:0, POP b1:1');
  assert.is(await asked(setup, { topic: '%RETRY%g' }), 'PULL b1:0, PULL b1:1');
  assert.is(await asked(setup, { messageModel: 'BROADCASTING' }), ALL_POP);
});

test('with POP more members than queues have one queue each', () => {
  const queues = [0, 1].map((queueId) => ({ brokerName: 'b', queueId, topic: 't' }));
  const members = ['c1', 'c2', 'c3', 'c4', 'c5'];
  const strategy = strategies.get('AVG');
  assert.ok(strategy);
  const all = members.map((clientId) => allocateForPop({ queues, members, clientId, strategy }, 1));
  assert.equal(
    all.map((own) => own.map(({ queueId }) => queueId)),
    [[0], [1], [0], [1], [0]],
  );
});

test('defaults, the switch for all queues, and broadcasting', async () => {
  const members = ['c1', 'c2', 'c3', 'c4'];
  const changes = { defaultMessageRequestMode: 'POP', defaultPopShareQueueNum: 1 };
  const setup = withMembers(members, [{ brokerName: 'b', readQueues: 4 }], changes);
  assert.is(await asked(setup), 'POP b:0, POP b:1');
  setup.settings.defaultPopShareQueueNum = -1;
  assert.is(await asked(setup), 'POP b:-1');
  await setMode(setup, 'PULL');
  assert.is(await asked(setup), 'PULL b:0');
  setup.settings.serverLoadBalancerEnable = false;
  assert.is(await asked(setup), 'PULL b:0, PULL b:1, PULL b:2, PULL b:3');
  setup.settings.serverLoadBalancerEnable = true;
  const everything = { messageModel: 'BROADCASTING', consumerGroup: 'nobody' };
  assert.is(await asked(setup, { ...everything }), 'POP b:0, POP b:1, POP b:2, POP b:3');
});

test('a topic that the name servers do not know, and no name server', async () => {
  assert.is(await asked(withMembers(['c1'], 'unknown')), undefined);
  const alone = withMembers(['c1']);
  assert.match((await asked(alone)) ?? '', /^PULL (.+):0, PULL \1:1, PULL \1:2, PULL \1:3$/);
  assert.is(await asked(alone, { topic: 'other' }), undefined);
  alone.context.topics.update({ ...newTopicConfig('t', 4), perm: 2 });
  assert.is(await asked(alone), undefined, 'nothing may be read');
  const huge = withMembers(['c1'], [{ brokerName: 'b', readQueues: 2 ** 31 - 1 }]);
  const reply = await huge.ask(request(RequestCode.QUERY_ASSIGNMENT, {}, QUESTION));
  assert.is(reply?.code, ResponseCode.SYSTEM_ERROR);
  assert.match(reply?.remark ?? '', /MAX_QUEUES_ASSIGNED/);
});

test('questions that nobody can answer', async () => {
  const setup = withMembers(['c1'], TWO_BROKERS);
  for (const [name, what] of [
    ['topic', /topic is missing/],
    ['consumerGroup', /consumerGroup is missing/],
    ['messageModel', /messageModel is missing/],
  ] as const) {
    const reply = await setup.ask(
      request(RequestCode.QUERY_ASSIGNMENT, {}, { ...QUESTION, [name]: undefined }),
    );
    assert.is(reply?.code, ResponseCode.SYSTEM_ERROR);
    assert.match(reply?.remark ?? '', what);
  }
  for (const body of [undefined, '[]', '{', { ...QUESTION, topic: 'x'.repeat(300) }]) {
    const reply = await setup.ask(request(RequestCode.QUERY_ASSIGNMENT, {}, body));
    assert.is(reply?.code, ResponseCode.SYSTEM_ERROR);
  }
});

test('a mode is set, shown, kept in the file and read again', async () => {
  const setup = withMembers(['c1'], TWO_BROKERS);
  assert.is((await setMode(setup, 'POP', 2))?.code, 0);
  const shown = { consumerGroup: 'g', mode: 'POP', popShareQueueNum: 2, topic: 't' };
  const text = `{"messageRequestModeMap":{"t":{"g":${JSON.stringify(shown)}}}}`;
  assert.is(bodyText(await setup.ask(request(RequestCode.GET_ALL_MESSAGE_REQUEST_MODE))), text);
  const file = join(setup.directory, 'messageRequestMode.json');
  assert.is(readFileSync(file, 'utf8').replaceAll(/\s/g, ''), text);
  const again = new RequestModes(setup.directory);
  again.load();
  assert.equal(again.get('t', 'g'), shown);
  setup.context.topics.delete('t');
  setup.context.groups.delete('g');
  assert.equal(setup.context.requestModes.get('t', 'g'), shown, 'as in RocketMQ');
});

test('what cannot be set', async () => {
  const setup = withMembers(['c1'], TWO_BROKERS);
  setup.settings.autoCreateSubscriptionGroup = false;
  const refusals: [changes: object, code: number, remark: RegExp][] = [
    [{ topic: '%RETRY%g' }, ResponseCode.NO_PERMISSION, /retry topic/],
    [{ topic: 'other' }, ResponseCode.TOPIC_NOT_EXIST, /'?other'? does not exist/],
    [{ consumerGroup: 'other' }, ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST, /other/],
    [{ topic: undefined }, ResponseCode.SYSTEM_ERROR, /topic is missing/],
    [{ consumerGroup: undefined }, ResponseCode.SYSTEM_ERROR, /consumerGroup is missing/],
    [{ mode: 'PUSH' }, ResponseCode.SYSTEM_ERROR, /PULL, POP/],
    [{ mode: 7 }, ResponseCode.SYSTEM_ERROR, /PULL, POP/],
    [{ popShareQueueNum: 2 ** 31 }, ResponseCode.SYSTEM_ERROR, /popShareQueueNum/],
    [{ popShareQueueNum: 'x' }, ResponseCode.SYSTEM_ERROR, /popShareQueueNum/],
  ];
  for (const [changes, code, remark] of refusals) {
    const reply = await setMode(setup, 'POP', 0, changes);
    assert.is(reply?.code, code, `${JSON.stringify(changes)} ${reply?.remark}`);
    assert.match(reply?.remark ?? '', remark);
  }
  assert.is(setup.context.requestModes.size, 0);
  assert.is((await setMode(setup, 'POP', -1, { mode: undefined }))?.code, 0);
  assert.is(setup.context.requestModes.get('t', 'g')?.mode, 'PULL', 'the default of its body in RocketMQ');
});

test('a full table takes no more, unless names in it are gone', () => {
  const modes = new RequestModes(temporaryDirectory());
  const mode = (topic: string): RequestMode => ({
    consumerGroup: 'g',
    mode: 'POP',
    popShareQueueNum: 0,
    topic,
  });
  for (let i = 0; i < MAX_REQUEST_MODES; i++) modes.set(mode(`t${i}`), () => true);
  modes.set(mode('t0'), () => true);
  assert.throws(() => modes.set(mode('more'), () => true), /limit MAX_REQUEST_MODES/);
  modes.set(mode('more'), ({ topic }) => topic !== 't7');
  assert.is(modes.size, MAX_REQUEST_MODES);
  assert.is(modes.get('t7', 'g'), undefined);
  assert.is(modes.get('more', 'g')?.mode, 'POP');
});

test('entries of the file that are no modes are left out', () => {
  const directory = temporaryDirectory();
  const table = {
    t: { g: { mode: 'POP', popShareQueueNum: 1 }, h: { mode: 'PUSH' }, i: 7 },
    u: { g: { popShareQueueNum: 'x' }, h: {} },
    v: [],
  };
  writeFileSync(join(directory, 'messageRequestMode.json'), JSON.stringify({ messageRequestModeMap: table }));
  const said: string[] = [];
  const modes = new RequestModes(directory);
  modes.load((text) => said.push(text));
  assert.equal(modes.get('t', 'g'), { consumerGroup: 'g', mode: 'POP', popShareQueueNum: 1, topic: 't' });
  assert.equal([modes.size, modes.get('u', 'h')?.mode], [2, 'PULL']);
  assert.match(said.join(), /3 entries are no modes/);
});

test.run();
