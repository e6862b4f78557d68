// The last 4.9 client: the same essentials as with 5.5.0, smaller.

import { orderlyDeadLetters, retriesByPolicy } from './scenarios/dead-letters.ts';
import { orderedRetry, orderedSharing } from './scenarios/ordered.ts';
import {
  bigBodies,
  broadcasting,
  everyModeExactlyOnce,
  joinAndLeave,
  tagFilter,
} from './scenarios/produce-consume.ts';
import { litePulling, pulling } from './scenarios/pulling.ts';
import { queries } from './scenarios/queries.ts';
import { delayLevels, retryToDeadLetter } from './scenarios/retry-delay.ts';
import { java49 } from './support/clients.ts';
import { clusterSuite } from './support/suite.ts';

const COUNT = 2_500;
const { test, cluster } = clusterSuite('Java 4.9 client');

test(`${COUNT} messages sync, async, one-way and in batches reach a group of two exactly once`, () =>
  everyModeExactlyOnce(java49, cluster(), COUNT));
test('a member joins and leaves', () => joinAndLeave(java49, cluster()));
test('broadcasting', () => broadcasting(java49, cluster(), 200));
test('pull consumer', () => pulling(java49, cluster(), 200));
test('lite pull consumer', () => litePulling(java49, cluster(), 200));
test('tag expressions', () => tagFilter(java49, cluster(), 90));
test('compressed and large bodies', () => bigBodies(java49, cluster()));
test('ordered messages', () => orderedSharing(java49, cluster(), 400));
test('ordered retries', () => orderedRetry(java49, cluster()));
test('retries and the dead-letter queue', () => retryToDeadLetter(java49, cluster()));
test('delay levels', () => delayLevels(java49, cluster()));
test('retries by the policy of the group', () => retriesByPolicy(java49, cluster()));
test('what an orderly consumer gives up is dead, in order', () =>
  orderlyDeadLetters(java49, cluster(), { tries: 2, reason: /^given up by an orderly consumer/ }));
test('queries', () => queries(java49, cluster()));

test.run();
