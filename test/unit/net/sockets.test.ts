/** Sockets of a network thread: peers that do not read, stop in the middle, come in crowds, or go in any way. */
import { openSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_UNSENT_BYTES } from '../../../src/lib/limits.ts';
import { addon } from '../../../src/native/addon.ts';
import type { Connection } from '../../../src/net/connection.ts';
import { CUT_ALL, CUT_BLOCKED, CUT_BROKEN } from '../../../src/protocol/frame-cutter.ts';
import { bytesTaken } from '../../../src/remoting/socket-progress.ts';
import {
  answerUnread,
  RigClient,
  type RigSetup,
  requestBytes,
  SocketsRig,
  until,
} from '../../support/sockets-rig.ts';

const test = suite('sockets');
const MIB = 1024 * 1024;
const IDLE_MS = 120_000;

const rigs: SocketsRig[] = [];
test.after.each(async () => {
  for (const rig of rigs.splice(0)) await rig.close();
});

async function listening(
  setup: RigSetup = {},
  handOver?: (descriptor: number) => boolean,
): Promise<SocketsRig> {
  const rig = new SocketsRig(setup);
  rigs.push(rig);
  await rig.listen(handOver);
  return rig;
}

/** A rig with one client and its connection. */
async function one(setup: RigSetup = {}): Promise<[SocketsRig, RigClient, Connection]> {
  const rig = await listening(setup);
  const [client] = (await rig.connectMany(1)) as [RigClient];
  return [rig, client, rig.connections[0] as Connection];
}

/** Numbers from 0 to `end`, without it. */
const upTo = (end: number) => [...Array(end).keys()];

test('a peer that does not read is not served on, and gets everything in order when it reads', async () => {
  const [rig, client, connection] = await one();
  client.socket.pause();
  for (let i = 0; i < 100; i++) client.ask(i, MIB);
  await until('its frames wait', () => connection.stalled);
  assert.ok(connection.unsent <= MAX_UNSENT_BYTES + 2 * MIB, `${connection.unsent} bytes are kept`);
  assert.ok(rig.handled.length < 60, `${rig.handled.length} requests were served`);
  // Others are served meanwhile.
  const [other] = (await rig.connectMany(1)) as [RigClient];
  other.ask(7);
  await until('the other is answered', () => other.answers.length === 1);
  client.socket.resume();
  await until('all answers have come', () => client.answers.length === 100);
  assert.equal(client.answers, upTo(100));
  assert.equal([connection.unsent, connection.paused, connection.stalled], [0, false, false]);
});

test('many small answers that a peer does not take keep about their own bytes, and leave by themselves', async () => {
  const [rig, client, connection] = await one();
  const kept = await answerUnread(rig, client, connection, 2_000);
  assert.ok(kept < 4 * MIB, `${kept} bytes for ${2_000 * 104} bytes of answers`);
  assert.ok(connection.unsent >= 2_000 * 104, 'they are counted');
  client.socket.resume();
  await until('all answers have come', () => client.answers.length === 2_001);
  assert.equal(client.answers, [-1, ...upTo(2_000)]);
  assert.is(connection.unsent, 0);
});

test('what was gathered for a peer that is behind leaves before the end of its connection', async () => {
  const [rig, client, connection] = await one();
  await answerUnread(rig, client, connection, 10);
  rig.sockets.close(connection);
  client.socket.resume();
  await until('the connection has ended', () => client.closed);
  assert.equal(client.answers, [-1, ...upTo(10)]);
});

test('memory for the next unfinished frame is given up after a while', async () => {
  const [rig, client, connection] = await one();
  const bytes = requestBytes(1, 8, 6_000);
  client.socket.write(bytes.subarray(0, 5_000));
  await until('its beginning has come', () => connection.cutter.keptBytes === 5_000);
  rig.now += 3_000;
  rig.sockets.closeStalled(IDLE_MS);
  assert.is(connection.cutter.keptBytes, 5_000, 'what is kept stays');
  client.socket.write(bytes.subarray(5_000));
  await until('it is answered', () => client.answers.length === 1);
  assert.ok(connection.cutter.heldBytes > 0);
  rig.sockets.closeStalled(IDLE_MS);
  assert.ok(connection.cutter.heldBytes > 0, 'not at once');
  rig.now += 3_000;
  rig.sockets.closeStalled(IDLE_MS);
  assert.is(connection.cutter.heldBytes, 0);
  client.ask(2);
  await until('it goes on', () => client.answers.length === 2);
});

test('what waited for a peer leaves in the turn in which it has read, however much that is', async () => {
  const [rig, client, connection] = await one();
  let next = 0;
  // As parked pulls do that waited for the peer: more than it is served on with, each time.
  rig.onDrained = () => {
    for (let n = 0; n < 6 && next < 60; n++) rig.answer(connection, next++, MIB);
  };
  rig.answer(connection, -1, 5 * MIB);
  rig.sockets.flush();
  await until('all answers have come', () => client.answers.length === 61);
  assert.equal(client.answers, [-1, ...upTo(60)]);
});

test('answers past the limit of one connection close it, and nobody else', async () => {
  const [rig, client, connection] = await one();
  const [other] = (await rig.connectMany(1)) as [RigClient];
  client.socket.pause();
  for (let i = 0; i < 20; i++) rig.answer(connection, i, 4 * MIB);
  rig.sockets.flush();
  await until('it is closed', () => rig.closed === 1);
  assert.match(rig.faults[0] ?? '', /MAX_OUTPUT_BYTES/);
  other.ask(7);
  await until('the other is answered', () => other.answers.length === 1);
});

test('who takes answers slowly is not idle; who takes none is, and so is who asks nothing', async () => {
  const [rig, slow, connection] = await one();
  const [idle] = (await rig.connectMany(1)) as [RigClient];
  slow.socket.pause();
  for (let i = 0; i < 60; i++) slow.ask(i, MIB);
  await until('it has more than it takes', () => connection.stalled);
  const half = IDLE_MS / 2 + 1;
  for (let i = 0; i < 8; i++) {
    rig.now += half;
    const before = bytesTaken(connection.socket);
    while (bytesTaken(connection.socket) === before) await slow.readSome(MIB);
    rig.sockets.closeStalled(IDLE_MS);
  }
  await until('the idle one is closed', () => idle.closed);
  assert.is(rig.closed, 1, rig.faults.join());
  for (let i = 0; i < 4; i++) {
    rig.now += half;
    rig.sockets.closeStalled(IDLE_MS);
  }
  await until('the slow one is closed too', () => rig.closed === 2);
});

test('an unfinished frame is held against its peer, not while it is we who do not read on', async () => {
  const [rig, client, connection] = await one();
  let blocks = true;
  rig.onFrame = () => (blocks ? CUT_BLOCKED : undefined);
  // A frame that finds a ring full, and half of another.
  client.socket.write(Buffer.concat([requestBytes(1), requestBytes(2).subarray(0, 6)]));
  await until('it is blocked', () => connection.blocked);
  rig.now += 11_000;
  rig.sockets.closeStalled(IDLE_MS);
  blocks = false;
  rig.sockets.unblock();
  rig.sockets.flush();
  rig.sockets.closeStalled(IDLE_MS);
  await until('the first is answered', () => client.answers.length === 1);
  assert.is(rig.closed, 0, 'half a frame that could not be read for 11 s is not old');

  // Congestion without a frame that waits: the rest of the half comes when it has read.
  client.socket.pause();
  for (let i = 0; i < 4; i++) rig.answer(connection, 10 + i, 4 * MIB);
  rig.sockets.flush();
  assert.ok(connection.paused);
  rig.now += 11_000;
  rig.sockets.closeStalled(IDLE_MS);
  client.socket.resume();
  await until('it has read', () => client.answers.length === 5);
  assert.is(rig.closed, 0, 'half a frame that we did not read on with');
  rig.now += 11_000;
  rig.sockets.closeStalled(IDLE_MS);
  await until('now it is old', () => rig.closed === 1);
  assert.match(rig.faults.join(), /without progress/);
});

test('what waits for a ring as long as an idle peer may is dropped: its peer has given up', async () => {
  const [rig, client, connection] = await one();
  let blocks = true;
  rig.onFrame = () => (blocks ? CUT_BLOCKED : undefined);
  client.ask(1);
  await until('it is blocked', () => connection.blocked);
  // Its turn comes all the time, and it stays blocked.
  for (let i = 0; i < 2; i++) {
    rig.now += IDLE_MS / 2;
    rig.sockets.unblock();
    rig.sockets.closeStalled(IDLE_MS);
    assert.is(connection.socket.destroyed, false);
  }
  for (let i = 0; i < 2; i++) {
    rig.now += IDLE_MS + 1;
    rig.sockets.unblock();
    rig.sockets.closeStalled(IDLE_MS);
  }
  await until('it is closed', () => rig.closed === 1);
  blocks = false;
  rig.sockets.unblock();
  assert.equal([rig.handled, rig.sockets.hasBlocked, rig.count.value], [[], false, 0]);
});

test('unfinished frames have a budget for all; whoever is left goes on', async () => {
  const rig = await listening({ threads: 256 });
  const clients = await rig.connectMany(30);
  const frame = requestBytes(5, 8, 200 * 1024);
  for (const client of clients) client.socket.write(frame.subarray(0, 150 * 1024));
  await until('there is room again', () => rig.closed >= 20);
  const left = () => rig.connections.reduce((sum, { cutter }) => sum + cutter.keptBytes, 0);
  await until('the limit holds', () => left() <= MIB);
  assert.match(rig.faults.join(), /MAX_UNFINISHED_BYTES/);
  for (const client of clients) if (!client.closed) client.socket.write(frame.subarray(150 * 1024));
  await until('the others are answered', () => rig.handled.length + rig.closed === clients.length);
  assert.ok(rig.handled.length > 0);
});

test('connections are limited, and counted out again whatever way they end', async () => {
  const rig = await listening({ limit: 8 });
  rig.onFrame = (_, opaque) => {
    if (opaque === 1) throw new Error('of a handler');
    return [CUT_BROKEN, undefined, CUT_BLOCKED, undefined][opaque];
  };
  const clients = await rig.connectMany(8);
  const extra = await rig.connect();
  await until('one too many is closed', () => extra.closed);
  assert.match(rig.faults[0] ?? '', /too many connections/);
  assert.is(rig.count.value, 8);
  const [broken, throwing, blocked, unread, ended, reset, halfway, told] = clients as RigClient[];
  for (const [opaque, client] of [broken, throwing, blocked].entries()) client?.ask(opaque);
  unread?.socket.pause();
  for (let i = 0; i < 20; i++) unread?.ask(3, MIB);
  ended?.socket.end();
  reset?.socket.resetAndDestroy();
  halfway?.socket.write(requestBytes(9).subarray(0, 7));
  await until('five are left', () => rig.sockets.connections.size === 4);
  await until('one is blocked', () => rig.sockets.hasBlocked);
  await until('one has too much', () => rig.connections.some((connection) => connection.stalled));
  const { localPort } = told?.socket as { localPort: number };
  const last = rig.connections.find(({ remoteAddress }) => remoteAddress.endsWith(`:${localPort}`));
  rig.sockets.close(last as Connection);
  await until('three are left', () => rig.count.value === 3);
  blocked?.socket.destroy();
  unread?.socket.destroy();
  halfway?.socket.destroy();
  await until('it may still be blocked', () => rig.count.value <= 1);
  // Who is blocked is not read: that it has gone is found when it goes on.
  rig.onFrame = undefined;
  rig.sockets.unblock();
  rig.sockets.flush();
  await until('none is left', () => rig.count.value === 0);
  assert.equal([rig.opened, rig.closed, rig.sockets.connections.size], [8, 8, 0]);
  assert.is((await rig.connectMany(8)).length, 8, 'as many as ever may come again');
});

test('a handler that throws costs its own connection, and is counted', async () => {
  const rig = await listening();
  const clients = await rig.connectMany(3);
  rig.onFrame = (_, opaque) => {
    if (opaque === 0) throw new Error('of a handler');
    return undefined;
  };
  for (const [i, client] of clients.entries())
    client.socket.write(Buffer.concat([requestBytes(i), requestBytes(i)]));
  await until('the others are answered', () => rig.handled.length === 4);
  await until('the first is closed', () => clients[0]?.closed === true);
  assert.equal([rig.closed, rig.faults.length], [1, 1]);
  assert.match(rig.faults[0] ?? '', /unexpected way.*of a handler/);
  rig.sockets.guarded(rig.connections[0] as Connection, () => {
    throw new Error('later');
  });
  await until('the second is closed', () => rig.closed === 2);
});

test('a thousand blocked connections go on in turn, as far as there is room', async () => {
  const rig = await listening();
  rig.tick = 1;
  let room = 0;
  rig.onFrame = () => (room-- > 0 ? undefined : CUT_BLOCKED);
  const clients = await rig.connectMany(1000);
  let blocked = 0;
  for (const [i, client] of clients.entries()) {
    client.socket.write(Buffer.concat([requestBytes(i), requestBytes(10_000 + i)]));
    // One after the other, so that the order is known.
    await until('one more is blocked', () => {
      blocked = rig.connections.filter((connection) => connection.blocked).length;
      return blocked === i + 1;
    });
  }
  const unblock = async (places: number, handled: number) => {
    room = places;
    rig.sockets.unblock();
    await until(`${handled} are handled`, () => rig.handled.length === handled);
    // All have had their turn then, in slices of eight looks at the clock.
    for (let i = 0; i < 150; i++) await new Promise((resolve) => setImmediate(resolve));
    assert.is(rig.handled.length, handled);
  };
  const assertHandled = (expected: number[]) =>
    assert.ok(isDeepStrictEqual(rig.handled, expected), 'in turn');
  // Each has two: whoever goes on takes both.
  const inTurn = (from: number, to: number) => upTo(to - from).flatMap((i) => [from + i, 10_000 + from + i]);
  await unblock(100, 100);
  assertHandled(inTurn(0, 50));
  await unblock(900, 1000);
  assertHandled(inTurn(0, 500));
  await unblock(Number.POSITIVE_INFINITY, 2000);
  assertHandled(inTurn(0, 1000));
  rig.sockets.flush();
  for (const [i, client] of clients.entries()) {
    await until('it is answered', () => client.answers.length === 2);
    assert.equal(client.answers, [i, 10_000 + i]);
  }
});

test('one whose frames take long is served by turns with the others, in its order and to the last', async () => {
  for (const frameMs of [1, 20]) {
    const rig = await listening();
    const [slow, other] = (await rig.connectMany(2)) as [RigClient, RigClient];
    const [connection] = rig.connections as [Connection];
    const longest: number[] = [];
    let turn = 0;
    rig.onFrame = (handling, opaque) => {
      if (handling !== connection) return undefined;
      rig.now += frameMs;
      // Frames of one turn of the loop: microtasks run after it.
      if (turn++ === 0) {
        queueMicrotask(() => {
          longest.push(turn);
          turn = 0;
        });
      }
      if (opaque === 0) other.ask(9999);
      return undefined;
    };
    slow.socket.write(Buffer.concat(upTo(2_000).map((opaque) => requestBytes(opaque))));
    await until('all are answered', () => slow.answers.length === 2_000 && other.answers.length === 1);
    assert.equal(slow.answers, upTo(2_000));
    assert.ok(Math.max(...longest) <= 32, `${Math.max(...longest)} frames of ${frameMs} ms in a row`);
    assert.ok(
      rig.handled.indexOf(9999) < rig.handled.indexOf(1999),
      'the other did not wait for all of them',
    );
    assert.equal([connection.paused, connection.blocked], [false, false]);
  }
});

test('those blocked after a slice has begun go on with the next news of room', async () => {
  const rig = await listening();
  let room = 0;
  rig.onFrame = () => (room-- > 0 ? undefined : CUT_BLOCKED);
  rig.tick = 1;
  const clients = await rig.connectMany(457);
  const blockedAre = (count: number) =>
    until(`${count} are blocked`, () => rig.connections.filter(({ blocked }) => blocked).length === count);
  for (const client of clients.slice(0, 257)) client.ask(1);
  await blockedAre(257);
  const { setImmediate: original } = globalThis;
  const later: (() => void)[] = [];
  globalThis.setImmediate = ((task: () => void) => {
    later.push(task);
    return {} as NodeJS.Immediate;
  }) as typeof setImmediate;
  try {
    rig.sockets.unblock();
    for (const client of clients.slice(257)) client.ask(1);
    await blockedAre(457);
    room = Number.POSITIVE_INFINITY;
    rig.sockets.unblock();
    for (let task = later.shift(); task !== undefined; task = later.shift()) task();
  } finally {
    globalThis.setImmediate = original;
  }
  assert.equal([rig.handled.length, rig.sockets.hasBlocked], [457, false]);
});

test('what was sent before a close arrives, what is made after it does no harm', async () => {
  const [rig, client, connection] = await one();
  client.socket.pause();
  rig.answer(connection, 1, 12 * MIB);
  rig.sockets.close(connection);
  client.ask(2);
  rig.answer(connection, 3, 8);
  rig.sockets.flush();
  rig.sockets.close(connection);
  client.socket.resume();
  await until('it is closed', () => client.closed && rig.closed === 1);
  assert.equal([client.answers, rig.handled], [[1], []]);
});

test('a peer that does not end its side of a closed connection does not keep it', async () => {
  const rig = await listening();
  const client = await RigClient.connect(rig.port, true);
  rig.clients.push(client);
  await until('it is connected', () => rig.opened === 1);
  const [connection] = rig.connections as [Connection];
  rig.sockets.close(connection);
  for (let i = 0; i < 4 && rig.closed === 0; i++) {
    client.ask(i);
    await until('it is read', () => connection.socket.bytesRead >= 12 * (i + 1));
    rig.now += 5_001;
    rig.sockets.closeStalled(IDLE_MS);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await until('it is closed', () => rig.closed === 1);
  assert.equal([rig.handled, rig.count.value], [[], 0]);
});

test('a socket is handed to another thread; what cannot be taken over is counted out', async () => {
  const second = new SocketsRig();
  const first = await listening({ count: second.count }, (descriptor) => {
    second.sockets.adopt(addon.duplicateDescriptor(descriptor));
    return true;
  });
  rigs.push(second);
  const client = await first.connect();
  client.ask(4, MIB);
  await until('it is answered', () => client.answers.length === 1);
  assert.equal([first.opened, second.opened, second.count.value], [0, 1, 1]);
  client.socket.destroy();
  await until('it is counted out', () => second.count.value === 0);
  // No socket at all, and one that comes when the thread stops.
  second.count.enter();
  second.sockets.adopt(openSync('/dev/null', 'r'));
  assert.equal([second.count.value, second.faults.length], [0, 1]);
  second.sockets.refuse();
  const late = await first.connect();
  await until('it is closed', () => late.closed);
  assert.is(second.count.value, 0);
});

test('nobody new is let in while control has not heard of those before', async () => {
  const rig = await listening();
  rig.mayOpen = false;
  const refused = await rig.connect();
  await until('it is closed', () => refused.closed);
  assert.equal([rig.count.value, rig.opened], [0, 0]);
  assert.match(rig.faults[0] ?? '', /before control had heard/);
  rig.mayOpen = true;
  const [client] = (await rig.connectMany(1)) as [RigClient];
  client.ask(1);
  await until('it is answered', () => client.answers.length === 1);
});

test('a stop takes no more requests, read or not, and answers what is under way', async () => {
  const [rig, client, connection] = await one();
  let blocks = false;
  rig.onFrame = () => (blocks ? CUT_BLOCKED : CUT_ALL);
  client.ask(1);
  await until('it is under way', () => rig.handled.length === 1);
  blocks = true;
  client.ask(2);
  await until('the next is blocked', () => connection.blocked);
  blocks = false;
  rig.sockets.refuse();
  client.ask(3);
  rig.answer(connection, 1, 5 * MIB);
  rig.sockets.flush();
  rig.sockets.unblock();
  await until('it is answered', () => client.answers.length === 1);
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(rig.handled, [1]);
});

test.run();
