import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RequestCode, ResponseCode } from '../../../src/protocol/codes.ts';
import { type RemotingCommand, responseTo } from '../../../src/protocol/command.ts';
import { type CommandServer, startCommandServer } from '../../../src/remoting/command-server.ts';
import type { ClientConnection } from '../../../src/remoting/connection.ts';
import { RemotingError } from '../../../src/remoting/errors.ts';
import { reasonOf } from '../../../src/remoting/name-server-news.ts';
import { NameServerRegistrar } from '../../../src/remoting/name-server-registrar.ts';
import { type LoggedLine, logInto } from '../../support/recording-log.ts';
import { FakeTime } from '../metadata/support.ts';
import { eventually, textOf } from './support.ts';

/** A name server that remembers what brokers tell it and answers as the test wants. */
class FakeNameServer {
  readonly requests: RemotingCommand[] = [];
  readonly connections = new Set<ClientConnection>();
  answer: { code: number; body?: Buffer } = { code: 0 };
  /** Who is in the routes under the broker's name, by id; undefined for a name server that cannot tell. */
  members: Record<string, string> | undefined = {};
  /** Keeps that question without an answer. */
  isSilent = false;
  /** How often that was asked. */
  asked = 0;
  #held: Promise<void> | undefined;
  #server: CommandServer | undefined;

  get address(): string {
    return `127.0.0.1:${this.#server?.port}`;
  }

  async listen(port = 0): Promise<this> {
    this.#server = await startCommandServer({
      host: '127.0.0.1',
      port,
      handler: async (request, connection) => {
        if (request.code === RequestCode.GET_BROKER_MEMBER_GROUP) {
          if (this.isSilent) await new Promise(() => {});
          return this.#memberGroup(request);
        }
        this.requests.push(request);
        this.connections.add(connection);
        await this.#held;
        const { code, body } = this.answer;
        return responseTo(request, code, undefined, {}, body);
      },
    });
    return this;
  }

  #memberGroup(request: RemotingCommand): RemotingCommand {
    this.asked += 1;
    if (this.members === undefined) return responseTo(request, ResponseCode.REQUEST_CODE_NOT_SUPPORTED);
    const { clusterName, brokerName } = request.fields;
    const addresses = Object.entries(this.members).map(([id, address]) => `${id}:"${address}"`);
    const group = `"brokerAddrs":{${addresses}},"brokerName":"${brokerName}","cluster":"${clusterName}"`;
    return responseTo(request, 0, undefined, {}, Buffer.from(`{"brokerMemberGroup":{${group}}}`));
  }

  /** Answers wait until the function that this returns is called. */
  hold(): () => void {
    let release = (): void => {};
    this.#held = new Promise((resolve) => {
      release = resolve;
    });
    return release;
  }

  /** Names of the topics of each registration so far. */
  registered(): string[][] {
    return this.requests
      .filter((request) => request.code === RequestCode.REGISTER_BROKER)
      .map((request) => {
        const body = JSON.parse(textOf(request.body));
        return Object.keys(body.topicConfigSerializeWrapper.topicConfigTable);
      });
  }

  async close(): Promise<number> {
    const port = this.#server?.port ?? 0;
    await this.#server?.close();
    return port;
  }
}

interface Context {
  server: FakeNameServer;
  registrar: NameServerRegistrar;
  topics: Set<string>;
  orders: ReadonlyMap<string, string>[];
  lines: LoggedLine[];
}

const broker = {
  clusterName: 'c',
  brokerName: 'b',
  brokerId: 0,
  brokerAddr: '10.0.0.1:10911',
  haServerAddr: '10.0.0.1:10912',
  enableActingMaster: false,
};

const test = suite<Context>('name server registrar');

test.before.each(async (context) => {
  const topics = new Set(['t1', 't2']);
  context.topics = topics;
  context.orders = [];
  context.lines = [];
  context.server = await new FakeNameServer().listen();
  context.registrar = new NameServerRegistrar({
    addresses: [context.server.address],
    broker,
    topics: (names) => {
      const wanted = [...(names ?? topics)].filter((name) => topics.has(name));
      const table = Object.fromEntries(wanted.map((topicName) => [topicName, { topicName }]));
      return {
        topicConfigTable: table,
        topicQueueMappingInfoMap: {},
        dataVersion: { counter: topics.size, stateVersion: 0, timestamp: 1 },
      };
    },
    onOrderTopicConfig: (table) => context.orders.push(table),
    retryMs: 10,
  });
});

test.after.each(async ({ registrar, server }) => {
  await registrar.close();
  await server.close();
});

test('registers everything at the start', async ({ registrar, server }) => {
  assert.is(await registrar.start(), 1);
  const [request] = server.requests;
  assert.equal(
    { ...request?.fields, bodyCrc32: '' },
    { ...broker, brokerId: '0', enableActingMaster: 'false', compressed: 'false', bodyCrc32: '' },
  );
  assert.is(
    textOf(request?.body),
    '{"filterServerList":[],"topicConfigSerializeWrapper":{"dataVersion":{"counter":2,"stateVersion":0,' +
      '"timestamp":1},"topicConfigTable":{"t1":{"topicName":"t1"},"t2":{"topicName":"t2"}},"topicQueueMappingInfoMap":{}}}',
  );
});

test('changes of one turn travel together, deleted topics not at all', async ({
  registrar,
  server,
  topics,
}) => {
  await registrar.start();
  for (const name of ['n1', 'n2', 'n3']) topics.add(name);
  await Promise.all([registrar.topicsChanged(['n1']), registrar.topicsChanged(['n2', 'n3', 'deleted'])]);
  assert.equal(server.registered().slice(1), [['n1', 'n2', 'n3']]);
});

test('changes during a registration share the next one', async ({ registrar, server, topics }) => {
  await registrar.start();
  const release = server.hold();
  const first = registrar.topicsChanged(['t1']);
  await eventually(() => server.requests.length === 2);
  const later: Promise<void>[] = [];
  for (const name of ['n1', 'n2', 'n3']) {
    topics.add(name);
    later.push(registrar.topicsChanged([name]));
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
  release();
  await Promise.all([first, ...later]);
  assert.equal(server.registered().slice(1), [['t1'], ['n1', 'n2', 'n3']]);
});

test('very many changes become a full registration', async ({ registrar, server, topics }) => {
  await registrar.start();
  const names = Array.from({ length: 1001 }, (_, index) => `n${index}`);
  for (const name of names) topics.add(name);
  await registrar.topicsChanged(names);
  assert.is(server.registered()[1]?.length, 1003);
});

test('a name server that is down is tried until it is back, and then told everything', async (context) => {
  const { registrar, server, topics } = context;
  const port = await server.close();
  assert.is(await registrar.start(), 0);
  topics.add('n1');
  await registrar.topicsChanged(['n1']);
  await server.listen(port);
  await eventually(() => server.registered().length > 0);
  assert.equal(server.registered()[0], ['n1', 't1', 't2']);
});

test('a refused registration is repeated', async ({ registrar, server }) => {
  server.answer.code = 1;
  assert.is(await registrar.start(), 0);
  server.answer.code = 0;
  const before = server.requests.length;
  await eventually(() => server.requests.length > before);
});

test('after a lost connection everything is registered again', async ({ registrar, server }) => {
  await registrar.start();
  for (const connection of server.connections) connection.close();
  await eventually(() => server.registered().length === 2);
  assert.equal(server.registered()[1], ['t1', 't2']);
});

test('name servers are independent of each other', async ({ server }) => {
  const registrar = new NameServerRegistrar({
    addresses: ['127.0.0.1:1', server.address],
    broker,
    topics: () => ({ topicConfigTable: {}, topicQueueMappingInfoMap: {}, dataVersion: {} }),
  });
  assert.is(await registrar.registerNow(), 1);
  await registrar.close();
});

test('order configuration is passed on', async (context) => {
  context.server.answer.body = Buffer.from('{"table":{"t1":"b:4"}}');
  await context.registrar.start();
  assert.equal([...(context.orders[0] ?? [])], [['t1', 'b:4']]);
});

test('goodbye', async ({ registrar, server }) => {
  await registrar.start();
  await registrar.close();
  const last = server.requests.at(-1);
  assert.is(last?.code, RequestCode.UNREGISTER_BROKER);
  assert.equal(
    { ...last?.fields },
    { clusterName: 'c', brokerName: 'b', brokerId: '0', brokerAddr: '10.0.0.1:10911' },
  );
  const count = server.requests.length;
  await registrar.topicsChanged(['t1']);
  assert.is(server.requests.length, count);
});

test('where a slave may act for its master, name servers hear so, and every second that the broker lives', async ({
  server,
}) => {
  const time = new FakeTime();
  const told: number[][] = [];
  const other = await new FakeNameServer().listen();
  server.members = { 1: '10.0.0.2:10911', 2: '10.0.0.3:10911' };
  other.members = { 0: broker.brokerAddr };
  const registrar = new NameServerRegistrar({
    addresses: [server.address, other.address],
    broker: { ...broker, enableActingMaster: true },
    topics: () => ({ topicConfigTable: {}, topicQueueMappingInfoMap: {}, dataVersion: {} }),
    onMembers: (ids) => told.push([...ids.keys()].sort()),
    timers: time,
  });
  await registrar.start();
  const [first] = server.requests;
  assert.equal(
    [first?.fields['enableActingMaster'], first?.fields['heartbeatTimeoutMillis']],
    ['true', '10000'],
  );
  await time.advance(1_000);
  const beats = () => server.requests.filter(({ code }) => code === RequestCode.BROKER_HEARTBEAT);
  await eventually(() => beats().length === 1);
  assert.equal(
    [beats()[0]?.fields['brokerAddr'], beats()[0]?.fields['heartbeatTimeoutMills']],
    [broker.brokerAddr, '10000'],
  );
  await eventually(() => told.at(-1)?.join() === '0,1,2');
  // A name server that is gone says nothing any more.
  await other.close();
  await eventually(async () => {
    await time.advance(1_000);
    return told.at(-1)?.join() === '1,2';
  });
  await registrar.close();
});

/** A slave at two name servers, where slaves may act for their master. */
async function twice({ server }: Context) {
  const time = new FakeTime();
  const told: string[] = [];
  const other = await new FakeNameServer().listen();
  for (const one of [server, other]) one.members = { 1: broker.brokerAddr };
  const registrar = new NameServerRegistrar({
    addresses: [server.address, other.address],
    broker: { ...broker, brokerId: 1, enableActingMaster: true },
    topics: () => ({ topicConfigTable: {}, topicQueueMappingInfoMap: {}, dataVersion: {} }),
    onMembers: (members) => told.push([...members.keys()].sort().join()),
    timers: time,
  });
  const beats = ({ requests }: FakeNameServer) =>
    requests.filter(({ code }) => code === RequestCode.BROKER_HEARTBEAT).length;
  /** Seconds pass until the condition holds. */
  const pass = (condition: () => boolean) =>
    eventually(async () => {
      await time.advance(1_000);
      return condition();
    });
  const end = async () => {
    await registrar.close();
    await other.close();
  };
  return { registrar, other, time, told, beats, pass, end };
}

test('who is registered is told once a second, however many name servers there are', async (context) => {
  const { registrar, time, told, pass, end } = await twice(context);
  context.server.members = { 1: broker.brokerAddr, 3: '10.0.0.9:10911' };
  await registrar.start();
  await pass(() => told.at(-1) === '1,3');
  const [count, before] = [told.length, time.monotonic()];
  await pass(() => told.length >= count + 5);
  assert.ok(time.monotonic() - before >= 5_000);
  await end();
});

test('a name server that answers no more has no say, and keeps no other from hearing of the broker', async (context) => {
  const { registrar, other, told, beats, pass, end } = await twice(context);
  other.members = { 0: '10.0.0.9:10911', 1: broker.brokerAddr };
  await registrar.start();
  await pass(() => told.at(-1) === '0,1');
  other.isSilent = true;
  const before = beats(context.server);
  await pass(() => told.at(-1) === '1' && beats(context.server) >= before + 5);
  await end();
});

test('a name server that cannot tell who is registered hears that the broker lives all the same', async (context) => {
  const { registrar, beats, pass, end } = await twice(context);
  context.server.members = undefined;
  await registrar.start();
  await pass(() => beats(context.server) >= 3 && context.server.asked === 1);
  await end();
});

test('a name server that does not know heartbeats is spared them', async (context) => {
  const { registrar, other, beats, pass, end } = await twice(context);
  await registrar.start();
  context.server.answer = { code: ResponseCode.REQUEST_CODE_NOT_SUPPORTED };
  await pass(() => beats(context.server) >= 1);
  const [own, others] = [context.server, other].map(beats) as [number, number];
  await pass(() => beats(other) >= others + 5 && beats(context.server) === own);
  await end();
});

/** A registrar that looks around when the test lets time pass. */
function watched({ server, topics, lines }: Context) {
  const time = new FakeTime();
  const registrar = new NameServerRegistrar({
    addresses: [server.address],
    broker,
    topics: () => ({
      topicConfigTable: Object.fromEntries([...topics].map((topicName) => [topicName, { topicName }])),
      topicQueueMappingInfoMap: {},
      dataVersion: { counter: 1, stateVersion: 0, timestamp: 1 },
    }),
    timers: time,
    clock: time,
    log: logInto(lines),
  });
  /** One round: the question is answered, and what follows from it done. */
  const round = async () => {
    const { asked } = server;
    await time.advance(1_000);
    if (server.members !== undefined) await eventually(() => server.asked > asked);
    await eventually(() => time.waiting === 2);
  };
  return { registrar, round, time };
}

test('a rival of the same name is told of once, and its end too', async (context) => {
  const { server, lines } = context;
  const { registrar, round } = watched(context);
  await registrar.start();
  server.members = { 0: broker.brokerAddr, 1: '10.9.9.9:1' };
  await round();
  assert.equal(
    lines.splice(0).map(({ message }) => message),
    ['registered with the name server'],
  );
  server.members = { 0: '10.0.0.2:10911' };
  for (let i = 0; i < 3; i++) await round();
  assert.is(lines.length, 1);
  const rivals = [lines[0]?.level, lines[0]?.fields['other'], lines[0]?.fields['address']];
  assert.equal(rivals, ['warn', '10.0.0.2:10911', broker.brokerAddr]);
  assert.match(lines[0]?.message ?? '', /set another brokerName/);
  server.members = { 0: broker.brokerAddr };
  for (let i = 0; i < 3; i++) await round();
  assert.is(lines.length, 2);
  assert.match(lines[1]?.message ?? '', /leads clients to this broker again/);
  assert.is(server.registered().length, 1, 'watching does not register');
  await registrar.close();
});

test('a rival that is there already is told of before the first registration', async (context) => {
  const { server, lines } = context;
  const { registrar } = watched(context);
  server.members = { 0: '10.0.0.2:10911' };
  await registrar.start();
  assert.equal(
    lines.map(({ level }) => level),
    ['warn', 'info'],
  );
  assert.is(server.registered().length, 1);
  await registrar.close();
});

test('a place that a rival has left empty is taken at once, and then ever more rarely', async (context) => {
  const { server } = context;
  const { registrar, round } = watched(context);
  server.members = { 0: '10.0.0.2:10911' };
  await registrar.start();
  server.members = {};
  await round();
  assert.is(server.registered().length, 2);
  // This name server never has us in its routes.
  for (let i = 0; i < 19; i++) await round();
  assert.is(server.registered().length, 6, 'after 2, 3, 5 and 9 more rounds');
  server.members = { 0: broker.brokerAddr };
  await round();
  server.members = {};
  await round();
  assert.is(server.registered().length, 7);
  await registrar.close();
});

test('a name server that answers nonsense is registered with all the same, and not asked again', async (context) => {
  const { server } = context;
  const { registrar, round } = watched(context);
  server.members = { 'x"': 'y' };
  assert.is(await registrar.start(), 1);
  assert.is(server.registered().length, 1);
  server.members = undefined;
  await round();
  assert.is(server.asked, 1);
  await registrar.close();
});

test('a name server that cannot tell is not asked again', async (context) => {
  const { server } = context;
  const { registrar, round } = watched(context);
  server.members = undefined;
  await registrar.start();
  for (let i = 0; i < 3; i++) await round();
  assert.is(server.asked, 1);
  await registrar.close();
});

const REGISTRATION = 'registered with the name server';
const tell = ({ level, message, fields }: LoggedLine) => [level, message, fields['reason'] ?? ''];

test('a registration is told once, the loss of the connection once, and the return with how long it took', async (context) => {
  const { server, lines } = context;
  const { registrar, time } = watched(context);
  await registrar.start();
  for (let i = 0; i < 5; i++) await registrar.registerNow();
  assert.equal(lines.splice(0).map(tell), [['info', REGISTRATION, '']]);
  const port = await server.close();
  await eventually(() => lines.length > 0);
  await time.advance(0);
  assert.equal(lines.splice(0).map(tell), [
    ['warn', 'the connection to the name server was lost: registering again when it is back', ''],
  ]);
  for (let i = 0; i < 20; i++) {
    await registrar.registerNow();
    await time.advance(3_000);
  }
  const [first, second, ...more] = lines.splice(0).map(tell);
  const refused = 'nothing listens there (ECONNREFUSED)';
  assert.equal(first, ['warn', 'cannot register with the name server, trying on', refused]);
  assert.equal(second, undefined, 'nobody is told again within the minute');
  assert.equal(more, []);
  await registrar.registerNow();
  const [reminder] = lines.splice(0);
  assert.match(reminder?.message ?? '', /^still not registered/);
  assert.is(reminder?.fields['reason'], refused);
  await server.listen(port);
  await registrar.registerNow();
  const [back] = lines.splice(0);
  assert.match(back?.message ?? '', /^registered again after \d+ s: the name server is there$/);
  assert.ok(Number(back?.fields['seconds']) >= 60, JSON.stringify(back));
  await registrar.close();
});

test('a name server whose host name nobody knows: the reason is in words', () => {
  for (const [code, words] of [
    ['ENOTFOUND', 'its host name is not known (ENOTFOUND)'],
    ['ETIMEDOUT', 'its host does not answer (ETIMEDOUT)'],
    ['EODD', 'cannot connect to a:1 (EODD)'],
  ] as const) {
    const cause = Object.assign(new Error('system'), { code });
    assert.is(reasonOf(new RemotingError('CONNECT', 'cannot connect to a:1', { cause })), words);
  }
  const slow = new RemotingError('CONNECT', 'cannot connect to a:1', {
    cause: new Error('no connection within 3000 ms'),
  });
  assert.is(reasonOf(slow), 'no connection within 3000 ms');
  assert.is(reasonOf(new Error('registration refused')), 'registration refused');
});

test.run();
