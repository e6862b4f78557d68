/** The links between control and the network threads: nothing waits that nobody wakes, nobody pays for others. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { RemoteConnection } from '../../../src/broker/link/remote-connection.ts';
import {
  MAX_CHANNEL_BACKLOG_BYTES,
  MAX_CONTROL_REQUESTS,
  MAX_CONTROL_REQUESTS_PER_CONNECTION,
  MAX_CONTROL_SHARE_BYTES,
} from '../../../src/lib/limits.ts';
import { ResponseCode } from '../../../src/protocol/codes.ts';
import { type RemotingCommand, responseTo } from '../../../src/protocol/command.ts';
import { type LinkClient, LinkRig } from '../../support/link-rig.ts';

const test = suite('link');
const MIB = 1024 * 1024;
const ECHO = 1;
const LARGE = 2;
const LATER = 3;
const NEWS = 4;

/** Answers at once, with a body of so many bytes. */
const answering = (bytes: number) => (request: RemotingCommand) => ({
  ...responseTo(request, 0),
  body: new Uint8Array(bytes),
});

function rigWith(networks = 1): LinkRig {
  const rig = new LinkRig(networks);
  rig.handlers.set(ECHO, (request) => responseTo(request, 0));
  return rig;
}

const upTo = (end: number) => [...Array(end).keys()];

test('one large answer after another arrives, each whole and in order, with no one to push', async () => {
  const rig = rigWith();
  rig.handlers.set(LARGE, answering(10 * MIB));
  const [client, other] = [rig.connect(0), rig.connect(1)];
  for (let i = 0; i < 20; i++) client.ask(LARGE, i);
  for (let i = 0; i < 20; i++) other.ask(ECHO, i);
  rig.read();
  await rig.run();
  assert.equal([client.opaques, other.opaques], [upTo(20), upTo(20)]);
  for (const { body, code } of client.answers) assert.equal([body?.length, code], [10 * MIB, 0]);
});

test('an answer that fits no frame says so, and the ones behind it come', async () => {
  const rig = rigWith();
  rig.handlers.set(LARGE, answering(16 * MIB));
  const client = rig.connect(0);
  client.ask(LARGE, 1);
  client.ask(ECHO, 2);
  rig.read();
  await rig.run();
  assert.equal(client.opaques, [1, 2]);
  assert.is(client.answers[0]?.code, ResponseCode.SYSTEM_ERROR);
  assert.match(client.answers[0]?.remark ?? '', /no answer/);
});

test('handlers that throw or reject, and frames that are none, cost their own connection', async () => {
  const rig = rigWith();
  rig.handlers.set(7, () => {
    throw new Error('thrown');
  });
  rig.handlers.set(8, () => Promise.reject(new Error('rejected')));
  const clients = upTo(4).map((slot) => rig.connect(slot));
  const [thrown, rejected, unreadable, good] = clients as [LinkClient, LinkClient, LinkClient, LinkClient];
  thrown.ask(7, 1);
  rejected.ask(8, 1);
  unreadable.sendFrame(Buffer.from('\0\0\0\x04{{{{'));
  good.ask(ECHO, 1);
  good.ask(99, 2);
  rig.read();
  await rig.run();
  assert.equal(
    clients.map(({ closed }) => closed),
    [true, true, true, false],
  );
  assert.equal(good.opaques, [1, 2]);
  assert.is(good.answers[1]?.code, ResponseCode.REQUEST_CODE_NOT_SUPPORTED);
  assert.is(rig.logged.length, 3);
});

test('a thousand clients that do wrong are a line of each kind in the log', async () => {
  const rig = rigWith();
  rig.handlers.set(7, (request) => {
    throw new Error(`thrown for ${request.opaque}`);
  });
  const clients = upTo(1000).map((slot) => rig.connect(slot));
  for (const [i, client] of clients.entries()) {
    if (i % 2 === 0) client.ask(7, i);
    else client.sendFrame(Buffer.from(`\0\0\0\x04{${i}{{`));
  }
  rig.read();
  await rig.run();
  assert.ok(clients.every(({ closed }) => closed));
  assert.is(rig.logged.length, 2, rig.logged.join(', '));
});

test('news that fails closes nobody: it is of no connection', async () => {
  const rig = rigWith();
  rig.onEnsure = () => {
    throw new Error('of a table');
  };
  const client = rig.connect(0);
  rig.read();
  rig.ends[0]?.link.ensure({ what: 'group', name: 'g', remoteAddress: '10.0.0.1:5000' });
  rig.ends[0]?.link.publish();
  client.ask(ECHO, 1);
  rig.read();
  await rig.run();
  assert.equal([client.closed, client.opaques, rig.logged.length], [false, [1], 1]);
});

test('who floods has a share; who asks now and then waits for one round at most', async () => {
  const rig = rigWith();
  const handled: string[] = [];
  rig.handlers.set(ECHO, (request, connection) => {
    handled.push((connection as RemoteConnection).id);
    return responseTo(request, 0);
  });
  // Together they fill the ring several times over.
  const flooders = upTo(30).map((slot) => rig.connect(slot));
  const asker = rig.connect(99);
  for (const flooder of flooders) for (let i = 0; i < 500; i++) flooder.ask(ECHO, i);
  rig.read();
  for (let i = 0; i < 5; i++) {
    const before = handled.length;
    asker.ask(ECHO, i);
    rig.read();
    while (asker.waiting.length > 0) {
      // Control takes what is in the ring: one round.
      rig.server.drain();
      rig.read();
    }
    rig.server.drain();
    const round = handled.slice(before);
    const mine = round.indexOf('0-99-1');
    for (let slot = 0; slot < 30; slot++) {
      const ahead = round.slice(0, mine).filter((id) => id === `0-${slot}-1`).length;
      assert.ok(ahead * 16 * 1024 <= 2 * MAX_CONTROL_SHARE_BYTES, `${ahead} of one came first`);
    }
  }
  await rig.run();
  assert.is(handled.length, 30 * 500 + 5);
  assert.equal(asker.opaques, upTo(5));
  for (const flooder of flooders) assert.ok(flooder.opaques.every((opaque, i) => opaque === i));
});

test('who asks for large answers is ahead of others by one of them, once its answers are known', async () => {
  const rig = rigWith();
  const handled: string[] = [];
  const noting = (bytes: number) => (request: RemotingCommand, connection: unknown) => {
    handled.push((connection as RemoteConnection).id);
    return answering(bytes)(request);
  };
  rig.handlers.set(LARGE, noting(MIB));
  rig.handlers.set(ECHO, noting(0));
  const [greedy, asker] = [rig.connect(0), rig.connect(1)];
  for (let i = 0; i < 200; i++) greedy.ask(LARGE, i);
  rig.read();
  const ahead: number[] = [];
  for (let i = 0; i < 10; i++) {
    const before = handled.length;
    asker.ask(ECHO, i);
    rig.read();
    while (asker.answers.length <= i) {
      rig.server.drain();
      rig.read();
    }
    ahead.push(handled.slice(before).indexOf('0-1-1'));
  }
  assert.ok((ahead[0] as number) <= 16, `${ahead}`);
  assert.ok(
    ahead.slice(2).every((count) => count >= 0 && count <= 2),
    `${ahead}`,
  );
  await rig.run();
  assert.equal(greedy.opaques, upTo(200));
});

test('frames wait in the ring while control may not take, and go on when it is rung', async () => {
  const rig = rigWith();
  const client = rig.connect(0);
  rig.read();
  await rig.run();
  rig.mayTake = false;
  for (let i = 0; i < 2000; i++) client.ask(ECHO, i);
  rig.read();
  await rig.run();
  assert.is(client.answers.length, 0);
  assert.ok(client.waiting.length > 1000, 'it is not read on');
  rig.mayTake = true;
  rig.server.drain();
  await rig.run();
  assert.is(client.answers.length, 2000);
});

test('answers that a network thread does not take stop the requests, not the memory', async () => {
  const rig = rigWith();
  let made = 0;
  rig.handlers.set(LARGE, (request) => {
    made++;
    return { ...responseTo(request, 0), body: new Uint8Array(2 * MIB) };
  });
  const client = rig.connect(0);
  for (let i = 0; i < 100; i++) client.ask(LARGE, i);
  rig.read();
  const [end] = rig.ends;
  if (end === undefined) throw new Error('no end');
  end.stuck = true;
  await rig.run();
  assert.ok(made * 2 * MIB <= MAX_CHANNEL_BACKLOG_BYTES + 12 * MIB, `${made} answers were made`);
  end.stuck = false;
  await rig.run();
  assert.equal(client.opaques, upTo(100));
});

test('answers held back for another thread count too', async () => {
  const rig = rigWith(2);
  let made = 0;
  rig.handlers.set(LARGE, (request) => {
    made++;
    return { ...responseTo(request, 0), body: new Uint8Array(2 * MIB) };
  });
  const client = rig.connect(0);
  const [, slow] = rig.ends;
  if (slow === undefined) throw new Error('no end');
  slow.stuck = true;
  rig.server.publish({ kind: 'groupDeleted', name: 'g' });
  for (let i = 0; i < 100; i++) client.ask(LARGE, i);
  rig.read();
  await rig.run();
  assert.is(client.answers.length, 0);
  assert.ok(made * 2 * MIB <= MAX_CHANNEL_BACKLOG_BYTES + 4 * MIB, `${made} answers were made`);
  slow.stuck = false;
  await rig.run();
  assert.equal(client.opaques, upTo(100));
});

test('an answer leaves when every thread has applied what came before it', async () => {
  const rig = rigWith(2);
  rig.handlers.set(NEWS, (request) => {
    rig.server.publish({ kind: 'groupDeleted', name: 'g' });
    return responseTo(request, 0);
  });
  const [first, second] = [rig.connect(0, 0), rig.connect(0, 1)];
  const [, slow] = rig.ends;
  if (slow === undefined) throw new Error('no end');
  first.ask(ECHO, 1);
  rig.read();
  await rig.run();
  assert.equal(first.opaques, [1], 'nothing to wait for');
  slow.stuck = true;
  first.ask(NEWS, 2);
  first.ask(ECHO, 3);
  rig.read();
  await rig.run();
  assert.equal(first.opaques, [1]);
  slow.stuck = false;
  await rig.run();
  assert.equal([first.opaques, slow.applied.length], [[1, 2, 3], 1]);
  second.ask(ECHO, 4);
  rig.read();
  await rig.run();
  assert.equal(second.opaques, [4]);
});

test('a change too long to be told is an error for who makes it, and holds nobody up', async () => {
  const rig = rigWith(2);
  rig.handlers.set(NEWS, (request) => {
    rig.server.publish({ kind: 'groupDeleted', name: 'x'.repeat(17 * MIB) });
    return responseTo(request, 0);
  });
  const [maker, other] = [rig.connect(0), rig.connect(1)];
  maker.ask(NEWS, 1);
  other.ask(ECHO, 2);
  rig.read();
  await rig.run();
  assert.equal([maker.closed, other.opaques], [true, [2]]);
  await rig.server.applied();
});

test('the links have equal time, however much one of them brings', async () => {
  const rig = rigWith(2);
  const handled: string[] = [];
  rig.handlers.set(ECHO, (request, connection) => {
    rig.now += 1;
    handled.push((connection as RemoteConnection).id);
    return responseTo(request, 0);
  });
  for (const [thread, client] of [rig.connect(0, 0), rig.connect(0, 1)].entries()) {
    for (let i = 0; i < (thread === 0 ? 100 : 20); i++) client.ask(ECHO, i);
  }
  rig.read();
  await rig.run();
  const second = handled.lastIndexOf('1-0-1');
  assert.ok(second < 45, `${second - 19} of the other link came before its last`);
  assert.is(handled.length, 120);
});

test('requests answered later are limited for one connection and for all, and go on when some are', async () => {
  const rig = rigWith();
  const waiting: ((answer: RemotingCommand) => void)[] = [];
  let taken = 0;
  rig.handlers.set(LATER, (request) => {
    taken++;
    return new Promise((resolve) => waiting.push(() => resolve(responseTo(request, 0))));
  });
  const clients = upTo(6).map((slot) => rig.connect(slot));
  const [first] = clients as [LinkClient];
  for (let i = 0; i <= MAX_CONTROL_REQUESTS_PER_CONNECTION; i++) first.ask(LATER, i);
  rig.read();
  await rig.run();
  assert.is(taken, MAX_CONTROL_REQUESTS_PER_CONNECTION);
  assert.is(first.answers[0]?.code, ResponseCode.SYSTEM_BUSY);
  assert.match(first.answers[0]?.remark ?? '', /limit MAX_CONTROL_REQUESTS_PER_CONNECTION/);
  for (const client of clients.slice(1)) for (let i = 0; i < 4000; i++) client.ask(LATER, i);
  rig.read();
  await rig.run();
  assert.is(taken, MAX_CONTROL_REQUESTS);
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    next({} as RemotingCommand);
    if (waiting.length === 0) await rig.run();
  }
  assert.is(taken, MAX_CONTROL_REQUESTS_PER_CONNECTION + 5 * 4000);
  assert.is(
    clients.reduce((sum, { answers }) => sum + answers.length, 0),
    taken + 1,
  );
});

test('what is late for a closed connection reaches nobody, least of all who has its slot now', async () => {
  const rig = rigWith();
  let resolve: () => void = () => {};
  let rejected = '';
  let remote: RemoteConnection | undefined;
  rig.handlers.set(LATER, (request, connection) => {
    remote = connection as RemoteConnection;
    remote.request(request, 60_000).catch((error: Error) => {
      rejected = error.message;
    });
    return new Promise((done) => {
      resolve = () => done(responseTo(request, 0));
    });
  });
  const old = rig.connect(0);
  old.ask(LATER, 1);
  rig.read();
  await rig.run();
  assert.is(remote?.underWay, 1);
  rig.disconnect(old);
  const next = rig.connect(0, 0, 2);
  next.ask(ECHO, 5);
  rig.read();
  await rig.run();
  resolve();
  await rig.run();
  assert.match(rejected, /has ended/);
  assert.equal([rig.closed, next.opaques, old.answers.length], [['0-0-1'], [5], 1]);
  assert.is(remote?.underWay, 0);
});

test('what is said outside of a turn is seen without anybody asking', async () => {
  const rig = rigWith();
  let remote: RemoteConnection | undefined;
  rig.handlers.set(NEWS, (_, connection) => {
    remote = connection as RemoteConnection;
    return undefined;
  });
  const client = rig.connect(0);
  client.ask(NEWS, 1);
  rig.read();
  await rig.run();
  // As a timer does.
  remote?.close();
  rig.server.publish({ kind: 'groupDeleted', name: 'g' });
  await rig.run();
  assert.equal([client.closed, rig.ends[0]?.applied], [true, ['groupDeleted']]);
});

test('who waits for threads to apply something hears of it when they will not', async () => {
  const rig = rigWith(2);
  for (const end of rig.ends) end.stuck = true;
  rig.server.publish({ kind: 'groupDeleted', name: 'g' });
  const waiting = rig.server.applied().then(
    () => 'applied',
    (error: Error) => error.message,
  );
  const client = rig.connect(0);
  rig.server.end();
  assert.match(await waiting, /has ended/);
  client.ask(ECHO, 1);
  for (const end of rig.ends) end.stuck = false;
  rig.read();
  await rig.run();
  assert.equal(client.opaques, [], 'nothing is taken any more');
});

test('connections that come and go while control takes nothing are bounded news', async () => {
  const rig = rigWith();
  const [end] = rig.ends;
  if (end === undefined) throw new Error('no end');
  rig.mayTake = false;
  let count = 0;
  while (end.link.mayOpen && count < 200_000) {
    rig.disconnect(rig.connect(0, 0, ++count));
  }
  assert.ok(count < 50_000, `${count} connections came and went`);
  rig.mayTake = true;
  rig.server.drain();
  await rig.run();
  assert.ok(end.link.mayOpen);
  assert.is(rig.closed.length, count);
  const client = rig.connect(0, 0, count + 1);
  client.ask(ECHO, 1);
  rig.read();
  await rig.run();
  assert.equal(client.opaques, [1]);
});

test('a fetch from the disk is told to control', async () => {
  const rig = rigWith();
  const [end] = rig.ends;
  assert.ok(end?.link.coldRead({ group: 'g', bytes: 7 }));
  rig.read();
  await rig.run();
  assert.equal(rig.coldReads, [{ group: 'g', bytes: 7 }]);
});

test('frames that find news waiting for room go on as soon as there is some', async () => {
  const rig = rigWith();
  const [end] = rig.ends;
  if (end === undefined) throw new Error('no end');
  const client = rig.connect(0);
  rig.read();
  await rig.run();
  rig.mayTake = false;
  for (let i = 1; i < 30_000; i++) end.link.resetTaken('group', 'topic', i);
  client.ask(ECHO, 1);
  rig.read();
  await rig.run();
  assert.is(client.waiting.length, 1);
  rig.mayTake = true;
  rig.server.drain();
  await rig.run();
  assert.equal(client.opaques, [1]);
});

test.run();
