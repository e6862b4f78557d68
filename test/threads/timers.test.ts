// Timed messages by a broker in threads of its own: delivered across a kill, and a clean stop.
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CommandClient } from '../../src/remoting/command-client.ts';
import {
  pullRequest,
  readQueue,
  sendRequest,
  startBrokerProcess,
  temporaryStore,
} from '../support/broker-process.ts';

const test = suite('timers in threads');

/** A broker on the store, and what is asked of it. */
async function start(directory: string) {
  const broker = await startBrokerProcess(directory);
  const client = new CommandClient({ address: broker.broker });
  return {
    broker,
    send: async (key: string, properties: [string, string][]) => {
      const reply = await client.request(sendRequest('T', 0, key, Buffer.from(key), properties), 10_000);
      assert.is(reply.code, 0, reply.remark);
    },
    /** What is in the queue when a message has come. */
    bodies: async (last: string) => {
      let bodies = await readQueue(client, 'T', 0);
      while (!bodies.includes(last)) {
        await client.request(pullRequest('T', 0, bodies.length, 5_000), 10_000);
        bodies = await readQueue(client, 'T', 0);
      }
      return bodies;
    },
    end: async (signal: 'SIGTERM' | 'SIGKILL') => {
      client.close();
      broker.child.kill(signal);
      const code = await broker.ended;
      if (signal === 'SIGTERM') assert.is(code, 0, broker.log());
    },
  };
}

test('timed messages are delivered across a kill and a clean stop', async () => {
  const { directory, remove } = temporaryStore();
  try {
    const first = await start(directory);
    await first.send('plain', []);
    assert.not(existsSync(join(directory, 'timerwheel')), 'a wheel is made with the first timer');
    await first.send('b', [['TIMER_DELAY_MS', '900']]);
    await first.send('a', [['TIMER_DELIVER_MS', String(Date.now() + 300)]]);
    assert.equal(await first.bodies('b'), ['plain', 'a', 'b']);
    assert.is(statSync(join(directory, 'timerwheel')).size, 38_707_200);
    await first.send('d', [['TIMER_DELAY_SEC', '8']]);
    await first.send('c', [['TIMER_DELIVER_MS', String(Date.now() + 3_500)]]);
    await first.end('SIGKILL');
    const second = await start(directory);
    const after = await second.bodies('c');
    await second.end('SIGTERM');
    const third = await start(directory);
    // What was delivered right before the kill may have come once more; nothing has after the stop.
    assert.equal(await third.bodies('d'), [...after, 'd']);
    assert.equal([...new Set(after)], ['plain', 'a', 'b', 'c']);
    await third.end('SIGTERM');
  } finally {
    remove();
  }
});

test.run();
