// Request and reply with real clients: Java 5.5 and 4.9, Go, and each with the other.

import { everyRequestIsAnswered, lateReply, requesterGone } from './scenarios/request-reply.ts';
import { go2, java49, java55, java55Binary, type Kit } from './support/clients.ts';
import { clusterSuite } from './support/suite.ts';

const { test, cluster } = clusterSuite('request and reply');

const MIB = 1 << 20;
/** The Go client marks larger bodies as compressed, and sends those of replies as they are. */
const GO_BODY = 4_000;

const pairs: readonly [asking: Kit, replying: Kit, large: number][] = [
  [java55, java55, 2 * MIB],
  [java49, java49, 2 * MIB],
  [java55Binary, java49, 100_000],
  [java49, java55Binary, 100_000],
  [go2, go2, GO_BODY],
  [go2, java55, 100_000],
  [java55, go2, GO_BODY],
];

for (const [index, [asking, replying, large]] of pairs.entries()) {
  test(`${asking.name} asks, ${replying.name} replies (${index})`, () =>
    everyRequestIsAnswered(asking, replying, cluster(), { topic: `asked-${index}`, many: 1_000, large }));
}

for (const [index, kit] of [java55, java49, go2].entries()) {
  test(`${kit.name}: a reply that comes too late`, () => lateReply(kit, cluster(), `late-${index}`));
  test(`${kit.name}: a requester that has gone`, () => requesterGone(kit, cluster(), `gone-${index}`));
}

test.run();
