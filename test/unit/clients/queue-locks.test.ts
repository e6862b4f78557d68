import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { QueueLocks } from '../../../src/clients/queue-locks.ts';
import { FakeTime } from '../metadata/support.ts';

const test = suite('queue locks');

const queues = [0, 1].map((queueId) => ({ brokerName: 'b', queueId, topic: 't' }));

test('a lock belongs to one client until it lets go or falls silent for a minute', async () => {
  const time = new FakeTime();
  const locks = new QueueLocks(time);
  assert.equal(locks.lock('g', queues, 'x'), queues);
  assert.equal(locks.lock('g', queues, 'y'), []);
  assert.equal(locks.lock('other', queues, 'y'), queues);
  locks.unlock('g', queues, 'y');
  assert.equal(locks.lock('g', queues, 'y'), []);
  locks.unlock('g', queues.slice(0, 1), 'x');
  assert.equal(locks.lock('g', queues, 'y'), queues.slice(0, 1));
  await time.advance(50_000);
  locks.lock('g', queues.slice(1), 'x');
  await time.advance(10_001);
  assert.equal(locks.lock('g', queues, 'z'), queues.slice(0, 1));
  assert.ok(locks.anyHeld('g'));
  await time.advance(60_001);
  assert.not.ok(locks.anyHeld('g'));
  locks.sweep();
  assert.equal(locks.lock('g', queues, 'z'), queues);
});

test.run();
