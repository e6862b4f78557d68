/** What name servers tell of a topic's queues: whom is asked, how often, and what is given meanwhile. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_ROUTED_TOPICS } from '../../../src/lib/limits.ts';
import { RequestCode, ResponseCode } from '../../../src/protocol/codes.ts';
import { type RemotingCommand, responseTo } from '../../../src/protocol/command.ts';
import { type CommandServer, startCommandServer } from '../../../src/remoting/command-server.ts';
import { type RouteAnswer, TopicRoutes } from '../../../src/remoting/topic-routes.ts';
import { FakeTime } from '../metadata/support.ts';
import { eventually } from './support.ts';

const test = suite('routes of topics');

/** A name server that answers as the test wants. */
class FakeNameServer {
  readonly asked: string[] = [];
  answer: { code: number; body?: string } = { code: 0 };
  readonly #server: CommandServer;

  private constructor(server: CommandServer) {
    this.#server = server;
  }

  static async listen(): Promise<FakeNameServer> {
    let serve: (request: RemotingCommand) => RemotingCommand = (request) => responseTo(request, 1);
    const server = await startCommandServer({
      host: '127.0.0.1',
      port: 0,
      handler: (request) => serve(request),
    });
    const fake = new FakeNameServer(server);
    serve = (request) => fake.#serve(request);
    return fake;
  }

  get address(): string {
    return `127.0.0.1:${this.#server.port}`;
  }

  close(): Promise<void> {
    return this.#server.close();
  }

  tells(...queues: [brokerName: string, readQueueNums: number, perm: number][]): void {
    const queueDatas = queues.map(([brokerName, readQueueNums, perm]) => ({
      brokerName,
      readQueueNums,
      perm,
    }));
    this.answer = { code: 0, body: JSON.stringify({ queueDatas, brokerDatas: [] }) };
  }

  #serve(request: RemotingCommand): RemotingCommand {
    assert.is(request.code, RequestCode.GET_ROUTEINFO_BY_TOPIC);
    this.asked.push(request.fields['topic'] ?? '');
    const { code, body } = this.answer;
    return responseTo(request, code, undefined, {}, body === undefined ? undefined : Buffer.from(body));
  }
}

function routesOf(time: FakeTime, ...servers: FakeNameServer[]): TopicRoutes {
  const addresses = servers.map(({ address }) => address);
  return new TopicRoutes({ addresses, tls: () => undefined, clock: time, lifetimeMs: () => 30_000 });
}

const names = (answer: RouteAnswer) =>
  Array.isArray(answer) ? answer.map(({ brokerName, readQueues }) => `${brokerName} ${readQueues}`) : answer;

test('readable queues of all brokers, kept for a while and asked for again behind the answer', async () => {
  const time = new FakeTime();
  const server = await FakeNameServer.listen();
  const routes = routesOf(time, server);
  server.tells(['a', 4, 6], ['b', 2, 4], ['writeOnly', 4, 2], ['none', 0, 6]);
  assert.equal(names(await routes.queuesOf('t')), ['a 4', 'b 2']);
  server.tells(['a', 8, 6]);
  await time.advance(29_999);
  assert.equal(names(await routes.queuesOf('t')), ['a 4', 'b 2']);
  assert.equal(server.asked, ['t']);
  await time.advance(1);
  assert.equal(names(await routes.queuesOf('t')), ['a 4', 'b 2'], 'nobody waits for the new answer');
  await eventually(async () => names(await routes.queuesOf('t'))?.[0] === 'a 8');
  assert.equal(server.asked, ['t', 't']);
  routes.close();
  await server.close();
});

test('who asks at the same time shares a question; a topic that is gone is forgotten', async () => {
  const time = new FakeTime();
  const server = await FakeNameServer.listen();
  const routes = routesOf(time, server);
  server.tells(['a', 4, 6]);
  await Promise.all([routes.queuesOf('t'), routes.queuesOf('t'), routes.queuesOf('t')]);
  assert.equal(server.asked, ['t']);
  server.answer = { code: ResponseCode.TOPIC_NOT_EXIST };
  assert.is(await routes.queuesOf('other'), 'unknown');
  await time.advance(30_000);
  assert.equal(names(await routes.queuesOf('t')), ['a 4']);
  await eventually(async () => (await routes.queuesOf('t')) === 'unknown');
  routes.close();
  await server.close();
});

test('a name server that fails is passed over, the one that answers is asked from then on', async () => {
  const time = new FakeTime();
  const [bad, good] = [await FakeNameServer.listen(), await FakeNameServer.listen()];
  const routes = routesOf(time, bad, good);
  good.tells(['a', 4, 6]);
  for (const answer of [{ code: 1 }, { code: 0, body: '{' }, { code: 0, body: '[]' }, { code: 0 }]) {
    bad.answer = answer;
    bad.asked.length = 0;
    const fresh = routesOf(time, bad, good);
    assert.equal(names(await fresh.queuesOf('t')), ['a 4'], JSON.stringify(answer));
    assert.equal(names(await fresh.queuesOf('u')), ['a 4']);
    assert.equal(bad.asked, ['t']);
    fresh.close();
  }
  routes.close();
  await Promise.all([bad.close(), good.close()]);
});

test('when none answers nothing is told, nobody is asked for a while, and what was known stays', async () => {
  const time = new FakeTime();
  const server = await FakeNameServer.listen();
  const routes = routesOf(time, server);
  server.tells(['a', 4, 6]);
  await routes.queuesOf('t');
  server.answer = { code: 1 };
  assert.is(await routes.queuesOf('u'), undefined);
  assert.is(await routes.queuesOf('u'), undefined);
  assert.equal(server.asked, ['t', 'u']);
  await time.advance(30_000);
  assert.equal(names(await routes.queuesOf('t')), ['a 4']);
  await eventually(() => server.asked.length === 3);
  assert.equal(names(await routes.queuesOf('t')), ['a 4']);
  await server.close();
  assert.is(await routes.queuesOf('u'), undefined);
  routes.close();
  assert.is(await routesOf(time).queuesOf('t'), undefined, 'without name servers');
});

test('the oldest answers make room', async () => {
  const time = new FakeTime();
  const server = await FakeNameServer.listen();
  const routes = routesOf(time, server);
  server.tells(['a', 4, 6]);
  const topics = Array.from({ length: MAX_ROUTED_TOPICS + 1 }, (_, i) => `t${i}`);
  for (let i = 0; i < topics.length; i += 64) {
    await Promise.all(topics.slice(i, i + 64).map((topic) => routes.queuesOf(topic)));
  }
  assert.is(server.asked.length, topics.length);
  await routes.queuesOf(topics.at(-1) ?? '');
  assert.is(server.asked.length, topics.length);
  await routes.queuesOf('t0');
  assert.is(server.asked.length, topics.length + 1);
  routes.close();
  await server.close();
});

test.run();
