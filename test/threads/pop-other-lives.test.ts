// Checkpoints outlive what they are about: a topic that is deleted and made again, an offset that an operator has set.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startBroker } from '../../src/index.ts';
import { RequestCode } from '../../src/protocol/codes.ts';
import { temporaryStore } from '../support/broker-process.ts';
import { PopClient, type PoppedMessage } from '../support/pop-client.ts';

const test = suite('pops of other lives');
const OLD = 40;
const SHORT = { invisibleTime: '3000' };

interface Life {
  topic: PopClient;
  /** Its message comes back after all that were popped before. */
  clock: PopClient;
}

async function live(
  store: string,
  run: (life: Life) => Promise<void>,
  settings: { reviveQueueNum?: number } = {},
): Promise<void> {
  const broker = await startBroker({ store, topics: ['T', 'C'], settings });
  const clients = ['T', 'C'].map((topic) => new PopClient(broker.broker, topic, 'G'));
  const [topic, clock] = clients as [PopClient, PopClient];
  try {
    await run({ topic, clock });
  } finally {
    for (const client of clients) client.close();
    await broker.close();
  }
}

async function inTwoLives(
  end: (life: Life, popped: PoppedMessage[]) => Promise<void>,
  next: (life: Life) => Promise<void>,
) {
  const { directory, remove } = temporaryStore();
  try {
    await live(directory, async (life) => {
      for (let i = 0; i < OLD; i++) await life.topic.send(`old ${i}`);
      await life.clock.send('clock');
      const popped = [...(await life.topic.pop(SHORT)), ...(await life.topic.pop(SHORT))];
      assert.is(popped.length, OLD);
      assert.is((await life.clock.pop(SHORT)).length, 1);
      await end(life, popped);
    });
    await live(directory, async (life) => {
      await next(life);
    });
  } finally {
    remove();
  }
}

async function allBodies(client: PopClient): Promise<string[]> {
  const bodies = [];
  for (;;) {
    const popped = await client.pop();
    if (popped.length === 0) return bodies;
    bodies.push(...popped.map(({ body }) => body));
  }
}

async function oldOnesAreOver({ clock }: Life): Promise<void> {
  while ((await clock.pop({ pollTime: '10000' })).length === 0);
}

test('a topic that was made again is popped from its beginning, and nothing of it twice', () =>
  inTwoLives(
    async ({ topic }) => {
      const answer = await topic.request(RequestCode.DELETE_TOPIC_IN_BROKER, { topic: 'T' });
      assert.is(answer.code, 0);
    },
    async (life) => {
      const sent = Array.from({ length: 5 }, (_, i) => `new ${i}`);
      for (const body of sent) await life.topic.send(body);
      const [first] = await life.topic.pop({ maxMsgNums: '1' });
      await oldOnesAreOver(life);
      assert.equal([first?.body, ...(await allBodies(life.topic))], sent);
    },
  ));

test('an offset that was set back stays there when older checkpoints come due', () =>
  inTwoLives(
    async ({ topic }, popped) => {
      // One of a pop is not: its checkpoint is over for no process that follows.
      for (const [i, message] of popped.entries()) if (i % 32 > 0) assert.is(await topic.ack(message), 0);
    },
    async (life) => {
      const reset = { topic: 'T', group: 'G', timestamp: '-1', isForce: 'true', offset: '0', queueId: '0' };
      const { code } = await life.topic.request(RequestCode.INVOKE_BROKER_TO_RESET_OFFSET, reset);
      assert.is(code, 0);
      const [first] = await life.topic.pop({ maxMsgNums: '1' });
      assert.is(first?.body, 'old 0');
      await oldOnesAreOver(life);
      const bodies = new Set(await allBodies(life.topic));
      for (let i = 1; i < OLD; i++) assert.ok(bodies.has(`old ${i}`), `old ${i}`);
    },
  ));

test('an offset behind the end passes no later message over', async () => {
  const { directory, remove } = temporaryStore();
  await live(directory, async ({ topic }) => {
    await topic.send('before');
    await topic.pop({ maxMsgNums: '1' });
    const fields = { topic: 'T', consumerGroup: 'G', queueId: '0', commitOffset: '1000' };
    assert.is((await topic.request(RequestCode.UPDATE_CONSUMER_OFFSET, fields)).code, 0);
    assert.is((await topic.pop()).length, 0);
    await topic.send('after');
    assert.equal(await allBodies(topic), ['after']);
  });
  remove();
});

test('what waits in revive queues that are not used any more comes again', async () => {
  const { directory, remove } = temporaryStore();
  const bodies = ['a', 'b', 'c', 'd'];
  await live(directory, async ({ topic }) => {
    for (const body of bodies) await topic.send(body);
    for (const body of bodies) assert.is((await topic.pop({ ...SHORT, maxMsgNums: '1' }))[0]?.body, body);
  });
  await live(
    directory,
    async ({ topic }) => {
      const back = new Set<string>();
      while (back.size < bodies.length)
        for (const { body } of await topic.pop({ pollTime: '5000' })) back.add(body);
      assert.equal([...back].sort(), bodies);
    },
    { reviveQueueNum: 1 },
  );
  remove();
});

test.run();
