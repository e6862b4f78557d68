/** What one peer does to a command server stays with its connection, and what all hold together has limits. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FLAG_ONEWAY, requestCommand, responseTo } from '../../../src/protocol/command.ts';
import { encodeCommand } from '../../../src/protocol/command-codec.ts';
import {
  type CommandServer,
  type CommandServerOptions,
  startCommandServer,
} from '../../../src/remoting/command-server.ts';
import type { ClientConnection, ControlHandler } from '../../../src/remoting/connection.ts';
import { eventually, RawPeer } from './support.ts';

const ECHO = 1;
/** Answered when the test says so. */
const HELD = 2;
const LARGE = 3;
const BUSY = 4;
const THROWS = 5;

const LARGE_BYTES = 256 * 1024;

interface Rig {
  server: CommandServer;
  /** Codes of the requests that reached the handler, in order. */
  started: number[];
  /** Answers the requests held so far. */
  release(): void;
  /** Most requests that were held at a time. */
  mostHeld: number;
  log: string[];
  connections: ClientConnection[];
  peer(): Promise<RawPeer>;
}

const test = suite<{ rigs: { close(): Promise<void> }[] }>('hostile peers');

test.before.each((context) => {
  context.rigs = [];
});

test.after.each(async ({ rigs }) => {
  for (const rig of rigs) await rig.close();
});

type Context = { rigs: { close(): Promise<void> }[] };

async function startRig({ rigs }: Context, options: Partial<CommandServerOptions> = {}): Promise<Rig> {
  const started: number[] = [];
  const log: string[] = [];
  const connections: ClientConnection[] = [];
  const peers: RawPeer[] = [];
  let held: (() => void)[] = [];
  const handler: ControlHandler = (request, connection) => {
    started.push(request.code);
    if (!connections.includes(connection)) connections.push(connection);
    const answer = responseTo(request, 0, undefined, request.fields);
    switch (request.code) {
      case HELD:
        return new Promise((resolve) => {
          held.push(() => resolve({ ...answer, body: request.body }));
          rig.mostHeld = Math.max(rig.mostHeld, held.length);
        });
      case LARGE:
        return { ...answer, body: Buffer.alloc(LARGE_BYTES) };
      case BUSY:
        spin();
        return answer;
      case THROWS:
        throw new Error(request.fields['text']);
      default:
        return answer;
    }
  };
  const server = await startCommandServer({
    host: '127.0.0.1',
    port: 0,
    handler,
    log: (line) => log.push(line),
    ...options,
  });
  const release = () => {
    const all = held;
    held = [];
    for (const answer of all) answer();
  };
  rigs.push({
    async close() {
      release();
      for (const peer of peers) peer.close();
      await server.close();
    },
  });
  const peer = async () => {
    const one = await RawPeer.connect(server.port);
    peers.push(one);
    return one;
  };
  const rig: Rig = { server, started, release, mostHeld: 0, log, connections, peer };
  return rig;
}

/** Keeps the thread for a moment that is long against the cutting of a frame. */
function spin(): void {
  const end = performance.now() + 1;
  while (performance.now() < end);
}

function pipelined(code: number, count: number, body?: Uint8Array): Buffer {
  const frames = Array.from({ length: count }, (_, i) =>
    encodeCommand({ ...requestCommand(code, {}, body), opaque: i + 1 }),
  );
  return Buffer.concat(frames);
}

/** The beginning of a frame of `claimed` bytes, without its end. */
function unfinished(claimed: number, sent: number): Buffer {
  const bytes = Buffer.alloc(4 + sent);
  bytes.writeInt32BE(claimed);
  return bytes;
}

test('remarks that quote what a client sent are cut', async (context) => {
  const { peer } = await startRig(context);
  const asking = await peer();
  const answer = await asking.ask(THROWS, { text: 'é'.repeat(100_000) });
  assert.is(answer.remark, 'é'.repeat(512));
});

test('a header that is too long to be parsed is refused, and the connection goes on', async (context) => {
  const { peer } = await startRig(context);
  const asking = await peer();
  const answer = await asking.ask(THROWS, { text: 'é'.repeat(3 << 20) });
  assert.is(answer.remark, 'bytes of a header: more than 262144 (limit MAX_HEADER_BYTES)');
  assert.is((await asking.ask(THROWS, { text: 'small' })).remark, 'small');
});

test('requests under way are bounded for each connection and for all; the rest waits and is served', async (context) => {
  const limits = { requestsPerConnection: 2, requests: 3 };
  const rig = await startRig(context, { limits });
  const { peer, started, release } = rig;
  const peers = await Promise.all([peer(), peer(), peer()]);
  for (const one of peers) one.write(pipelined(HELD, 5));
  while (started.length < 15) {
    const served = started.length;
    release();
    await eventually(() => started.length > served);
  }
  release();
  for (const one of peers) {
    const answers = await one.receive(5);
    assert.equal(
      answers.map((answer) => answer.opaque),
      [1, 2, 3, 4, 5],
    );
  }
  assert.is(rig.mostHeld, 3);
});

test('a peer that does not read is not served on; when it reads it gets all of its answers', async (context) => {
  const count = 200;
  const { peer, started } = await startRig(context, { limits: { unsentBytes: 1 << 20 } });
  const deaf = await peer();
  deaf.pause();
  deaf.write(pipelined(LARGE, count));
  await eventually(() => started.length > 3);
  const other = await peer();
  await other.ask(ECHO);
  // What the two sockets take is some MiB; 50 MiB of answers are far more.
  const before = started.filter((code) => code === LARGE).length;
  assert.ok(before < count / 2, `${before} of ${count} were served`);
  deaf.unpause();
  const answers = await deaf.receive(count);
  assert.ok(answers.every((answer, i) => answer.opaque === i + 1 && answer.body?.length === LARGE_BYTES));
});

test('answers under way that nobody reads end their connection, not the others', async (context) => {
  const limits = { requestsPerConnection: 100, outputBytes: 20 << 20 };
  const { peer, server, started, release, log } = await startRig(context, { limits });
  const deaf = await peer();
  deaf.pause();
  deaf.write(pipelined(HELD, 60, Buffer.alloc(1 << 20)));
  await eventually(() => started.length === 60);
  release();
  await eventually(() => server.connectionCount === 0);
  assert.ok(log.some((line) => line.includes('limit MAX_OUTPUT_BYTES')));
  assert.is((await (await peer()).ask(ECHO)).code, 0);
});

test('answers of all connections together have a limit: who has most unread for longest goes', async (context) => {
  const limits = { allOutputBytes: 24 << 20, unsentBytes: 8 << 20 };
  const { peer, server, log } = await startRig(context, { limits });
  const good = await peer();
  await good.ask(ECHO);
  for (let n = 0; n < 10; n++) {
    const deaf = await peer();
    deaf.pause();
    deaf.write(pipelined(LARGE, 60));
    assert.is((await good.ask(LARGE)).body?.length, LARGE_BYTES);
  }
  await eventually(() => server.connectionCount < 11);
  assert.ok(log.some((line) => line.includes('limit MAX_NAME_SERVER_OUTPUT_BYTES')));
  assert.is((await good.ask(ECHO)).code, 0);
});

test('unfinished frames of all connections together have a limit, and the quick sender keeps its connection', async (context) => {
  const limits = { unfinishedBytes: 4 << 20 };
  const { peer, server, log } = await startRig(context, { limits });
  const good = await peer();
  for (let n = 0; n < 12; n++) {
    const greedy = await peer();
    greedy.write(unfinished(15 << 20, 1 << 20));
    assert.is((await good.ask(ECHO, {}, Buffer.alloc(1 << 20))).code, 0);
  }
  await eventually(() => server.connectionCount <= 4);
  assert.ok(log.some((line) => line.includes('limit MAX_NAME_SERVER_UNFINISHED_BYTES')));
  assert.is((await good.ask(ECHO)).code, 0);
});

test('an unfinished frame that does not move is closed, also when a byte comes now and then', async (context) => {
  const limits = { stallMs: 60 };
  const { peer, log } = await startRig(context, { limits, idleTimeoutMs: 40 });
  const slow = await peer();
  slow.write(unfinished(100_000, 10));
  const drip = setInterval(() => slow.write(Buffer.alloc(1)), 10);
  await slow.closed;
  clearInterval(drip);
  assert.ok(log.some((line) => line.includes('without progress')));
});

test('long chains of requests leave the others their turns', async (context) => {
  const count = 2000;
  const { peer, started } = await startRig(context);
  const [hog, other] = [await peer(), await peer()];
  hog.write(pipelined(BUSY, count));
  await eventually(() => started.length > 0);
  await other.ask(ECHO);
  assert.ok(started.indexOf(ECHO) < count, 'the other did not wait for all of them');
  assert.is((await hog.receive(count)).length, count);
});

test('connections beyond the limit are taken and closed at once; a free place is given again', async (context) => {
  const { peer, server, log } = await startRig(context, { maxConnections: 2 });
  const [first, second] = [await peer(), await peer()];
  await Promise.all([first.ask(ECHO), second.ask(ECHO)]);
  for (let n = 0; n < 20; n++) await (await peer()).closed;
  assert.is(server.connectionCount, 2);
  assert.is(log.filter((line) => line.includes('limit MAX_CONNECTIONS')).length, 20);
  assert.is((await second.ask(ECHO)).code, 0);
  first.close();
  await eventually(() => server.connectionCount === 1);
  assert.is((await (await peer()).ask(ECHO)).code, 0);
});

test('who only gets and never reads is idle', async (context) => {
  const { peer, server, connections } = await startRig(context, { idleTimeoutMs: 100 });
  const deaf = await peer();
  await deaf.ask(ECHO);
  deaf.pause();
  const news = { ...requestCommand(40, {}, Buffer.alloc(64 * 1024)), flag: FLAG_ONEWAY };
  // Far more than sockets take at first; then a little, over and over, none of which leaves.
  for (let n = 0; n < 200; n++) connections[0]?.send(news);
  const more = setInterval(() => connections[0]?.send({ ...news, body: undefined }), 5);
  await eventually(() => server.connectionCount === 0);
  clearInterval(more);
});

test('what happens after a close harms nobody', async (context) => {
  const { peer, release, started, server } = await startRig(context, {
    onConnectionClosed: () => {
      throw new Error('a listener that fails');
    },
  });
  const leaving = await peer();
  leaving.write(pipelined(HELD, 10));
  await eventually(() => started.length === 10);
  leaving.close();
  await eventually(() => server.connectionCount === 0);
  release();
  assert.is((await (await peer()).ask(ECHO)).code, 0);
});

test.run();
