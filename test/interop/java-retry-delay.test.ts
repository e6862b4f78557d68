// The Java 5.5.0 client: retries, the dead-letter queue, delay levels.

import { delayLevels, lateHeartbeat, retryOnce, retryToDeadLetter } from './scenarios/retry-delay.ts';
import { java55 } from './support/clients.ts';
import { clusterSuite } from './support/suite.ts';

const { test, cluster } = clusterSuite('Java 5.5.0 client: retry and delay');

test('a message that always fails comes three times, then lies in the dead-letter queue', () =>
  retryToDeadLetter(java55, cluster()));
test('a message that fails once comes twice', () => retryOnce(java55, cluster()));
test('delay levels: never early, not much late', () => delayLevels(java55, cluster()));
test('a consumer whose heartbeat is answered late gets its messages all the same', () =>
  lateHeartbeat(java55, cluster()));

test.run();
