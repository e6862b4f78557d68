// Two network threads: what one connection does must be seen by clients on the other.

import { broadcasting, everyModeExactlyOnce, joinAndLeave } from './scenarios/produce-consume.ts';
import { retryToDeadLetter } from './scenarios/retry-delay.ts';
import { go2 } from './support/clients.ts';
import { clusterSuite } from './support/suite.ts';

const { test, cluster } = clusterSuite('two network threads', { networkThreads: 2 });

test('every mode reaches a group of two exactly once', () => everyModeExactlyOnce(go2, cluster(), 2_000));
test('a member joins and leaves', () => joinAndLeave(go2, cluster()));
test('broadcasting', () => broadcasting(go2, cluster(), 200));
test('retries and the dead-letter queue', () => retryToDeadLetter(go2, cluster()));

test.run();
