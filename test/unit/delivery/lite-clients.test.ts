// Who has subscribed to which lite topics.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { LiteClient } from '../../../src/delivery/lite/lite-client.ts';
import { FORGOTTEN_MS, LiteClients } from '../../../src/delivery/lite/lite-clients.ts';
import { FakeTime } from '../metadata/support.ts';

const test = suite('clients of lite topics');

function setUp(most = 100) {
  const time = new FakeTime();
  const clients = new LiteClients({ clock: time, timers: time, most: () => most });
  const watchers = (queue: string) => [...clients.watchers(queue)].map(({ clientId }) => clientId);
  return { time, clients, watchers };
}

test('a client is one of its group', () => {
  const { clients, watchers } = setUp();
  const [a, b] = [clients.of('c', 'g') as LiteClient, clients.of('c', 'h') as LiteClient];
  assert.is.not(a, b);
  assert.is(clients.of('c', 'g'), a);
  clients.add(a, 'x');
  assert.equal(watchers('x'), ['c']);
  clients.add(b, 'x');
  clients.forgetGroup('g');
  assert.equal([...clients.watchers('x')], [b]);
  assert.is(clients.find('c', 'g'), undefined);
});

test('there are only so many subscriptions, and those given up make room', () => {
  const { clients, watchers } = setUp(3);
  const client = clients.of('c', 'g') as LiteClient;
  assert.ok(clients.add(client, 'x') && clients.add(client, 'y'));
  assert.not.ok(clients.add(client, 'z'));
  assert.ok(clients.add(client, 'x'), 'it has that already');
  assert.is(clients.of('d', 'g'), undefined);
  assert.ok(clients.remove(client, 'x'));
  assert.not.ok(clients.remove(client, 'x'));
  assert.not.ok(clients.isWatched('x'));
  assert.ok(clients.add(client, 'z'));
  assert.equal(watchers('z'), ['c']);
  clients.forget(client);
  assert.is(clients.size, 0);
  assert.not.ok(clients.isWatched('z'));
});

test('a client that says nothing for long is forgotten', async () => {
  const { time, clients } = setUp();
  const [a, b] = [clients.of('a', 'g') as LiteClient, clients.of('b', 'g') as LiteClient];
  for (const client of [a, b]) clients.add(client, 'x');
  for (let waited = 0; waited < 2 * FORGOTTEN_MS; waited += 30_000) {
    await time.advance(30_000);
    clients.find('b', 'g');
  }
  assert.equal([...clients.watchers('x')], [b]);
});

test.run();
