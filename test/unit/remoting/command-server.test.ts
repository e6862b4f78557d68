import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RequestCode } from '../../../src/protocol/codes.ts';
import {
  FLAG_ONEWAY,
  FLAG_RESPONSE,
  requestCommand,
  responseTo,
  SERIALIZE_BINARY,
} from '../../../src/protocol/command.ts';
import { type CommandServer, startCommandServer } from '../../../src/remoting/command-server.ts';
import type { ClientConnection, ControlHandler } from '../../../src/remoting/connection.ts';
import { dispatchByCode } from '../../../src/remoting/dispatch.ts';
import { RawPeer, textOf } from './support.ts';

interface Context {
  server: CommandServer;
  peer: RawPeer;
  connections: ClientConnection[];
  closed: ClientConnection[];
}

const ECHO = 1;
const FAIL = 2;
const FAIL_LATER = 3;
const SILENT = 4;
const SLOW = 5;
const TOO_LARGE = 6;

const test = suite<Context>('command server');

function handlers(connections: ClientConnection[]): ControlHandler {
  return dispatchByCode(
    new Map<number, ControlHandler>([
      [
        ECHO,
        (request, connection) => {
          connections.push(connection);
          return responseTo(request, 0, undefined, request.fields, request.body);
        },
      ],
      [
        FAIL,
        () => {
          throw new Error('broken on purpose');
        },
      ],
      [FAIL_LATER, () => Promise.reject(new Error('broken later'))],
      [SILENT, () => undefined],
      [
        SLOW,
        async (request) => {
          await new Promise((resolve) => setTimeout(resolve, 30));
          return responseTo(request, 0, 'slow');
        },
      ],
      [TOO_LARGE, (request) => responseTo(request, 0, undefined, {}, new Uint8Array(17 << 20))],
    ]),
  );
}

test.before.each(async (context) => {
  context.connections = [];
  // Sockets of the test before may still report their end: to its list, not to this one.
  const closed: ClientConnection[] = [];
  context.closed = closed;
  context.server = await startCommandServer({
    host: '127.0.0.1',
    port: 0,
    handler: handlers(context.connections),
    onConnectionClosed: (connection) => closed.push(connection),
  });
  context.peer = await RawPeer.connect(context.server.port);
});

test.after.each(async ({ server, peer }) => {
  peer.close();
  await server.close();
});

test('answers carry number, header type and response flag', async ({ peer }) => {
  const request = requestCommand(ECHO, { a: 'b' }, Buffer.from('body'));
  peer.send({ ...request, opaque: -5 });
  peer.send({ ...request, opaque: 6, serializeType: SERIALIZE_BINARY });
  const [json, binary] = await peer.receive(2);
  assert.is(json?.opaque, -5);
  assert.is(json?.flag, FLAG_RESPONSE);
  assert.is(textOf(json?.body), 'body');
  assert.is(binary?.serializeType, SERIALIZE_BINARY);
  assert.is(binary?.fields['a'], 'b');
});

test('unknown codes', async ({ peer }) => {
  const answer = await peer.ask(777);
  assert.is(answer.code, 3);
  assert.is(answer.remark, ' request type 777 not supported');
});

test('what a handler throws is the answer', async ({ peer }) => {
  const now = await peer.ask(FAIL);
  assert.is(now.code, 1);
  assert.is(now.remark, 'broken on purpose');
  assert.is((await peer.ask(FAIL_LATER)).remark, 'broken later');
  assert.match((await peer.ask(TOO_LARGE)).remark ?? '', /limit MAX_FRAME_BYTES/);
});

test('one-way requests are never answered, nor those whose handler answers later', async ({ peer }) => {
  for (const code of [ECHO, FAIL, FAIL_LATER, 777]) {
    peer.send({ ...requestCommand(code), flag: FLAG_ONEWAY });
  }
  peer.send(requestCommand(SILENT));
  const answer = await peer.ask(ECHO);
  assert.is(answer.opaque, 1);
  assert.is(peer.received.length, 1);
});

test('a slow answer does not hold up the next', async ({ peer }) => {
  peer.send({ ...requestCommand(SLOW), opaque: 1 });
  peer.send({ ...requestCommand(ECHO), opaque: 2 });
  const answers = await peer.receive(2);
  assert.equal(
    answers.map((answer) => answer.opaque),
    [2, 1],
  );
});

test('broken frames end their own connection only', async ({ server, peer, closed }) => {
  const broken = await RawPeer.connect(server.port);
  await broken.ask(ECHO);
  broken.write(Buffer.from('0000000802000000ffffffff', 'hex'));
  await broken.closed;
  assert.is((await peer.ask(ECHO)).code, 0);
  assert.is(closed.length, 1);
  assert.is(server.connectionCount, 1);
});

test('the server asks its clients', async ({ peer, connections }) => {
  await peer.ask(ECHO);
  const [connection] = connections;
  assert.match(connection?.remoteAddress ?? '', /^127\.0\.0\.1:\d+$/);
  const answer = connection?.request(requestCommand(RequestCode.GET_CONSUMER_RUNNING_INFO), 1000);
  const [, request] = await peer.receive(2);
  assert.is(request?.code, RequestCode.GET_CONSUMER_RUNNING_INFO);
  peer.send(responseTo(request ?? requestCommand(0), 0, 'here'));
  assert.is((await answer)?.remark, 'here');
});

test('questions end with the connection or with their time', async ({ peer, connections }) => {
  await peer.ask(ECHO);
  const [connection] = connections;
  const late = connection?.request(requestCommand(307), 10);
  await rejects(late, 'TIMEOUT');
  const lost = connection?.request(requestCommand(307), 1000);
  peer.close();
  await rejects(lost, 'CLOSED');
  await rejects(connection?.request(requestCommand(307), 1000), 'CLOSED');
  connection?.send(requestCommand(40));
});

test('idle connections are closed', async () => {
  const server = await startCommandServer({
    host: '127.0.0.1',
    port: 0,
    handler: handlers([]),
    idleTimeoutMs: 30,
  });
  const peer = await RawPeer.connect(server.port);
  await peer.closed;
  await server.close();
});

test('a taken port is an error', async ({ server }) => {
  await startCommandServer({ host: '127.0.0.1', port: server.port, handler: handlers([]) }).then(
    () => assert.unreachable('the port is taken'),
    (error: NodeJS.ErrnoException) => assert.is(error.code, 'EADDRINUSE'),
  );
});

async function rejects(promise: Promise<unknown> | undefined, code: string): Promise<void> {
  try {
    await promise;
  } catch (error) {
    assert.is((error as { code: string }).code, code);
    return;
  }
  assert.unreachable('the promise should have been rejected');
}

test.run();
