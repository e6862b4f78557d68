// The Java 5.5.0 client in order: queue locks, hand-over of locks, retries that hold the queue.

import { suite } from 'uvu';
import { orderedRetry, orderedSharing } from './scenarios/ordered.ts';
import { java55 } from './support/clients.ts';
import { stopEverything } from './support/program.ts';
import { type Cluster, startCluster } from './support/target.ts';

const test = suite('Java 5.5.0 client: ordered messages');
let cluster: Cluster;

test.before(async () => {
  cluster = await startCluster();
});
test.after(async () => {
  await cluster?.stop();
  await stopEverything();
});

test('two members keep the order of every shard; one takes over the locks of the other', () =>
  orderedSharing(java55, cluster, 2_000));
test('a failing listener holds its queue and nothing overtakes', () => orderedRetry(java55, cluster));

test.run();
