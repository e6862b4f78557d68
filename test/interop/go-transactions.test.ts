// Transactional messages with the Go client v2, read by Go and by Java consumers. Its listener has no way to fail, and
// it sends plain messages by another producer.

import { CHECK_CONF } from './scenarios/transacting.ts';
import { checkLimit, filtered, outcomes, returning, vanishing } from './scenarios/transactions.ts';
import { go2, java55 } from './support/clients.ts';
import { clusterSuite } from './support/suite.ts';

const { test, cluster } = clusterSuite('Go client v2: transactions', { conf: CHECK_CONF });

test('committed messages come once and whole, rolled back ones never, unknown ones are checked', () =>
  outcomes(go2, cluster(), { throwing: false }));
test('Java reads what Go has committed', () =>
  outcomes(go2, cluster(), { throwing: false, reader: java55, suffix: '-for-java' }));
test('Go reads what Java has committed', () =>
  outcomes(java55, cluster(), { reader: go2, suffix: '-for-go' }));
test('a message that stays unknown is checked to the limit, then lies in a topic of its own', () =>
  checkLimit(go2, cluster()));
test('another member of the group is asked when the producer has vanished', () => vanishing(go2, cluster()));
test('a group that was away is asked when it is back', () => returning(go2, cluster()));
test('a consumer of one tag gets the committed messages of that tag', () => filtered(go2, cluster()));

test.run();
