import { setImmediate as turn } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type TopicClient, TopicMaker } from '../../../src/embed/topics.ts';
import { ResponseCode } from '../../../src/protocol/codes.ts';
import { type RemotingCommand, requestCommand } from '../../../src/protocol/command.ts';

const test = suite('topics of an embedded broker');

interface Peers {
  clients: { broker: TopicClient; nameServer: TopicClient };
  /** What the broker was asked for, as `topic/queues`. */
  asked: string[];
}

/** A broker that takes all, and a name server that shows of each topic what `route` says. */
function peers(
  route: (topic: string, asked: number) => number | undefined,
  taken: () => Promise<unknown> = async () => {},
): Peers {
  const asked: string[] = [];
  const queues = new Map<string, number>();
  const client = (answer: (fields: Record<string, string>) => Promise<RemotingCommand>): TopicClient => ({
    request: (command) => answer(command.fields as Record<string, string>),
    close: () => {},
  });
  const reply = (code: number, body?: object): RemotingCommand => ({
    ...requestCommand(code, {}),
    body: Buffer.from(JSON.stringify(body ?? {})),
  });
  const broker = client(async ({ topic = '', writeQueueNums }) => {
    asked.push(`${topic}/${writeQueueNums}`);
    queues.set(topic, Number(writeQueueNums));
    await taken();
    return reply(ResponseCode.SUCCESS);
  });
  const nameServer = client(async ({ topic = '' }) => {
    const shown = route(topic, queues.get(topic) ?? 0);
    if (shown === undefined) return reply(ResponseCode.TOPIC_NOT_EXIST);
    return reply(ResponseCode.SUCCESS, { queueDatas: [{ brokerName: 'b', writeQueueNums: shown }] });
  });
  return { clients: { broker, nameServer }, asked };
}

async function failure(promise: Promise<unknown>): Promise<string> {
  return await promise.then(
    () => 'it succeeded',
    (error) => error.message,
  );
}

test('a route that never shows the topic as it was made ends the wait with what it shows', async () => {
  const changed = new TopicMaker(peers(() => 2).clients, 'b', 0);
  assert.match(await failure(changed.make('a', 4)), /taken a with 4 queues, .* the route shows 2\. /);
  const deleted = new TopicMaker(peers(() => undefined).clients, 'b', 0);
  assert.match(await failure(deleted.make('a', 4)), /the name server has no route to it\. /);
  const other = new TopicMaker(peers(() => 4).clients, 'another', 0);
  assert.match(await failure(other.make('a', 4)), /the name server has no route to it\. /);
});

test('the route is looked at until it shows the topic', async () => {
  let looks = 0;
  const maker = new TopicMaker(peers((_, asked) => (++looks < 3 ? undefined : asked)).clients, 'b');
  await maker.make('a', 4);
  assert.is(looks, 3);
});

test('calls for one topic go one after the other, those for others do not wait for them', async () => {
  let release = () => {};
  const taken = new Promise<void>((resolve) => {
    release = resolve;
  });
  const { clients, asked } = peers(
    (_, queues) => queues,
    () => taken,
  );
  const maker = new TopicMaker(clients, 'b', 0);
  const calls = [maker.make('a', 1), maker.make('a', 2), maker.make('b', 3), maker.make('a', 4)];
  await turn();
  assert.equal(asked, ['a/1', 'b/3']);
  release();
  await Promise.all(calls);
  assert.equal(asked, ['a/1', 'b/3', 'a/2', 'a/4']);
});

test('a call that fails does not fail those behind it', async () => {
  let shown = 9;
  const maker = new TopicMaker(peers(() => shown).clients, 'b', 0);
  const first = failure(maker.make('a', 1)).then((message) => {
    shown = 2;
    return message;
  });
  assert.match(await first, /shows 9/);
  await maker.make('a', 2);
});

test('a close ends a wait for the route, and calls that wait for their turn', async () => {
  const maker = new TopicMaker(peers(() => undefined).clients, 'b');
  const calls = [failure(maker.make('a', 1)), failure(maker.make('a', 2))];
  await turn();
  maker.close();
  assert.equal(await Promise.all(calls), ['the broker is closed.', 'the broker is closed.']);
  assert.ok(maker.closed);
});

test.run();
