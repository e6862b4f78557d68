// The Java 5.5.0 client in order: queue locks, hand-over of locks, retries that hold the queue.

import { orderedRetry, orderedSharing } from './scenarios/ordered.ts';
import { java55 } from './support/clients.ts';
import { clusterSuite } from './support/suite.ts';

const { test, cluster } = clusterSuite('Java 5.5.0 client: ordered messages');

test('two members keep the order of every shard; one takes over the locks of the other', () =>
  orderedSharing(java55, cluster(), 2_000));
test('a failing listener holds its queue and nothing overtakes', () => orderedRetry(java55, cluster()));

test.run();
