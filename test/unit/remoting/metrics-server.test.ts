// The server of the page: what it answers, and whom it does not wait for.
import { connect, type Socket } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_METRICS_CONNECTIONS } from '../../../src/lib/limits.ts';
import { MetricsServer } from '../../../src/remoting/metrics-server.ts';

const test = suite('metrics server');

async function withServer(use: (port: number) => Promise<void>, requestMs = 5_000): Promise<void> {
  const server = new MetricsServer({
    ...{ host: '127.0.0.1', port: 0, requestMs },
    scrape: async () => Buffer.from('up{} 1 # Größe\n'),
    refusal: () => 'the broker is starting',
  });
  const port = await server.listen();
  try {
    await use(port);
  } finally {
    server.close();
  }
}

/** All that comes until the server has closed the connection. */
function answerTo(port: number, request: string): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket: Socket = connect(port, '127.0.0.1', () => socket.write(request));
    socket.on('data', (chunk) => {
      text += chunk.toString();
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(text));
  });
}

test('the page has the length that it says, and HEAD the same without it', () =>
  withServer(async (port) => {
    const ask = (method: string) => `${method} /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;
    const got = await answerTo(port, ask('GET'));
    const [head = '', body = ''] = got.split('\r\n\r\n');
    assert.match(head, new RegExp(`^content-length: ${Buffer.byteLength(body)}$`, 'im'));
    assert.is(body, 'up{} 1 # Größe\n');
    const [same = '', none] = (await answerTo(port, ask('HEAD'))).split('\r\n\r\n');
    assert.match(same, /^content-length: 17$/im);
    assert.is(none, '');
  }));

test('what is no request ends its connection with an answer', () =>
  withServer(async (port) => {
    for (const [request, status] of [
      ['\0\0\0\x10 {}\r\n\r\n', 400],
      ['GET /metrics HTTP/1.1\r\n\r\n', 400],
      [`GET /${'a'.repeat(70_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, 431],
    ] as const)
      assert.match(await answerTo(port, request), new RegExp(`^HTTP/1.1 ${status} `));
  }));

test('connections whose requests never end make room for others', () =>
  withServer(async (port) => {
    const half = 'GET /metrics HTTP/1.1\r\nHost: x\r\n';
    const ends = Array.from({ length: MAX_METRICS_CONNECTIONS }, () => answerTo(port, half));
    for (const end of await Promise.all(ends)) assert.match(end, /^HTTP\/1.1 408 /);
    assert.is((await fetch(`http://127.0.0.1:${port}/health`)).status, 200);
  }, 200));

test.run();
