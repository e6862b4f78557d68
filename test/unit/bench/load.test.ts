/** The whole generator in this process, against a server that counts what really arrives. */
import net from 'node:net';
import tls from 'node:tls';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { runLoad } from '../../../bench/load/load.ts';
import { type LoadOptions, parseLoadOptions } from '../../../bench/load/options.ts';
import { type RemotingCommand, responseTo } from '../../../src/protocol/command.ts';
import { decodeCommand, encodeCommand } from '../../../src/protocol/command-codec.ts';
import { cutFrames, FrameCutter } from '../../../src/protocol/frame-cutter.ts';
import { selfSigned } from '../../../src/tls/self-signed.ts';

type Answer = (request: RemotingCommand, socket: net.Socket) => RemotingCommand[];

interface TestServer {
  requests: RemotingCommand[];
  options(...args: string[]): LoadOptions;
  close(): void;
}

async function serve(answer: Answer, secure = false): Promise<TestServer> {
  const requests: RemotingCommand[] = [];
  const sockets = new Set<net.Socket>();
  const onSocket = (socket: net.Socket): void => {
    const cutter = new FrameCutter();
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      const replies: RemotingCommand[] = [];
      cutFrames(cutter, chunk, (frame) => {
        const request = decodeCommand(frame);
        requests.push(request);
        replies.push(...answer(request, socket));
      });
      // the last first: a broker with many threads answers in any order
      for (const reply of replies.reverse()) socket.write(encodeCommand(reply));
    });
  };
  const server = secure ? tls.createServer(selfSigned(Date.now()), onSocket) : net.createServer(onSocket);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  return {
    requests,
    options: (...args) => parseLoadOptions(['--port', String(port), ...args]),
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

const quiet = async (): Promise<void> => {};
/** So much work, however long it takes here: a run of some tenths of a second may come to nothing on a busy machine. */
const untilAnswered = (count: number) => [
  '--warmup',
  '60',
  '--warmup-messages',
  String(count),
  '--seconds',
  '0',
];
const success: Answer = (request) => [responseTo(request, 0)];

function uniqueKey(request: RemotingCommand): string {
  const pairs = (request.fields['i'] as string).split('\x02');
  return pairs.find((pair) => pair.startsWith('UNIQ_KEY\x01'))?.slice('UNIQ_KEY\x01'.length) as string;
}

for (const way of [['--header', 'json'], ['--header', 'binary'], ['--poll'], ['--tls']]) {
  test(`closed loop, ${way.join(' ')}: every request is whole, has a key of its own and is answered once`, async () => {
    const server = await serve(success, way.includes('--tls'));
    const closed = ['--connections', '3', '--in-flight', '7', '--messages', '300'];
    const result = await runLoad(server.options(...closed, ...way), quiet);
    server.close();
    assert.is(result.errors, 0);
    assert.is(result.messages, 300);
    assert.is(server.requests.length, 300);
    assert.is(new Set(server.requests.map(uniqueKey)).size, server.requests.length);
    assert.ok(server.requests.every(({ code, body }) => code === 310 && body?.length === 1024));
    assert.equal([...new Set(server.requests.map(({ fields }) => fields['e']))].sort(), ['0', '1', '2', '3']);
  });
}

for (const way of [[], ['--poll']]) {
  test(`open loop ${way.join(' ')} sends what is due and no more`, async () => {
    const server = await serve(success);
    const open = ['--connections', '2', '--rate', '2000', ...untilAnswered(200)];
    const startedAt = performance.now();
    const result = await runLoad(server.options(...open, ...way), quiet);
    const seconds = (performance.now() - startedAt) / 1000;
    server.close();
    assert.is(result.errors, 0);
    assert.ok(server.requests.length >= 200);
    // each connection's first message is due at once
    assert.ok(server.requests.length <= seconds * 2000 + 2, `${server.requests.length} in ${seconds} s`);
    assert.type(result.sendLagP99, 'number');
  });
}

test('a generator that polls goes back to sleep after its run', async () => {
  const server = await serve(success);
  await runLoad(server.options('--connections', '1', '--poll', ...untilAnswered(100)), quiet);
  server.close();
  await new Promise((resolve) => setTimeout(resolve, 20));
  // a loop that went on would keep `setImmediate` callbacks coming, and this process alive
  assert.not.ok(process.getActiveResourcesInfo().includes('Immediate'));
});

test('refused, doubled and foreign replies are errors', async () => {
  const server = await serve((request) => {
    const doubled = [responseTo(request, 0), responseTo(request, 0)];
    return request.fields['e'] === '3' ? [responseTo(request, 17)] : doubled;
  });
  const closed = ['--connections', '1', '--in-flight', '4', '--messages', '80'];
  const result = await runLoad(server.options(...closed), quiet);
  server.close();
  // of four queues in turn, the last one refuses
  assert.equal(result.errorCodes, { 17: 20 });
  assert.is(result.messages, 60);
  assert.is(result.unexpectedReplies, 60);
  assert.is(result.errors, 80);
});

test('a connection that the server closes ends the run', async () => {
  let answered = 0;
  const server = await serve((request, socket) => {
    if (++answered === 50) socket.destroy();
    return [responseTo(request, 0)];
  });
  let failure = '';
  try {
    await runLoad(server.options('--connections', '1', '--messages', '1000'), quiet);
  } catch (error) {
    failure = (error as Error).message;
  }
  server.close();
  assert.match(failure, /closed the connection|ECONNRESET|EPIPE/);
});

test.run();
