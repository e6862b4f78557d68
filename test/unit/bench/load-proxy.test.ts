/** Sends and receives through a gRPC proxy, which is Node's own HTTP/2 here. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { runLoad } from '../../../bench/load/load.ts';
import { parseLoadOptions } from '../../../bench/load/options.ts';
import type { LoadResult } from '../../../bench/load/recorder.ts';
import { FakeBroker } from './fake-broker.ts';
import { FakeProxy } from './fake-proxy.ts';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'load-proxy-'));
test.after(() => fs.rmSync(folder, { recursive: true }));

const quiet = async (): Promise<void> => {};

interface Places {
  broker: FakeBroker;
  proxy: FakeProxy;
  load(...args: string[]): Promise<LoadResult>;
}

async function withProxy(work: (places: Places) => Promise<void>): Promise<void> {
  const broker = await new FakeBroker().open();
  const proxy = await new FakeProxy(broker).open();
  const port = ['--port', String(broker.port)];
  try {
    await work({ broker, proxy, load: (...args) => runLoad(parseLoadOptions([...port, ...args]), quiet) });
  } finally {
    proxy.close();
    broker.close();
  }
}

test('every send is whole, has a key of its own and is answered once', () =>
  withProxy(async ({ proxy, load }) => {
    // more under way than a server takes before it has said so: 64 KiB
    const closed = ['--connections', '2', '--in-flight', '90', '--messages', '1000'];
    const result = await load('--proxy-port', String(proxy.port), ...closed);
    assert.is(result.errors, 0);
    assert.is(result.messages, 1000);
    assert.is(new Set(proxy.sent.map(({ id }) => id)).size, 1000);
    assert.ok(proxy.sent.every(({ id, body }) => /^[0-9A-F]{32}$/.test(id) && body.length === 1024));
    assert.is(proxy.calls.get('Telemetry'), 2);
    assert.is(proxy.headers.get('x-mq-client-id')?.size, 2);
    for (const name of ['content-type', 'te', 'x-mq-protocol', 'x-mq-language'])
      assert.is(proxy.headers.get(name)?.size, 1, name);
  }));

test('a call may take a minute, the settings stand as long as those of the Java client', () =>
  withProxy(async ({ proxy, load }) => {
    await load('--proxy-port', String(proxy.port), '--connections', '2', '--messages', '100');
    const timeouts = [...proxy.timeouts].map(([method, values]) => `${method} ${[...values].join(' ')}`);
    assert.equal(timeouts, ['Telemetry 525600H', 'Heartbeat 60S', 'SendMessage 60S']);
  }));

test('refused sends and failed calls are errors', () =>
  withProxy(async ({ proxy, load }) => {
    proxy.sendCode = (send) => (send === 7 ? 42_900 : send === 9 ? -1 : 20_000);
    const result = await load('--proxy-port', String(proxy.port), '--connections', '1', '--messages', '100');
    assert.equal(result.errorCodes, { 42900: 1, '-1': 1 });
    assert.is(result.messages, 98);
  }));

const INTERNAL_ERROR = 2;
const REFUSED_STREAM = 7;
const CANCEL = 8;

test('sends that the proxy resets have failed, and the result says which', () =>
  withProxy(async ({ proxy, load }) => {
    const codes: Record<number, number> = { 3: CANCEL, 40: CANCEL, 41: REFUSED_STREAM };
    proxy.resetCode = (method, call) => (method === 'SendMessage' ? codes[call] : undefined);
    const result = await load('--proxy-port', String(proxy.port), '--connections', '1', '--messages', '100');
    assert.is(result.messages, 97);
    assert.equal(result.errorCodes, { '-1': 3 });
    assert.is(result.unexpectedReplies, 0);
    // settings and heartbeat are streams 1 and 3
    assert.equal(result.resets, {
      count: 3,
      most: 100,
      calls: { 'SendMessage CANCEL (8)': 2, 'SendMessage REFUSED_STREAM (7)': 1 },
      first: 'SendMessage on stream 11: CANCEL (8)',
    });
  }));

async function failureOf(run: Promise<unknown>): Promise<string> {
  return run.then(
    () => 'none',
    (error: Error) => error.message,
  );
}

test('a proxy that resets more than 100 calls ends the run', () =>
  withProxy(async ({ proxy, load }) => {
    proxy.resetCode = (method, call) => (method === 'SendMessage' && call >= 50 ? INTERNAL_ERROR : undefined);
    const run = load('--proxy-port', String(proxy.port), '--connections', '1', '--messages', '1000');
    const first = 'the first was SendMessage on stream 105: INTERNAL_ERROR (2)';
    assert.is(await failureOf(run), `the proxy reset more than 100 calls, ${first}`);
  }));

test('a proxy that does not know the client any more ends the run', () =>
  withProxy(async ({ proxy, load }) => {
    proxy.resetCode = (method) => (method === 'Heartbeat' ? CANCEL : undefined);
    const run = load('--proxy-port', String(proxy.port), '--connections', '1', '--messages', '100');
    assert.is(await failureOf(run), 'the proxy reset Heartbeat on stream 3: CANCEL (8)');
  }));

test('a proxy that resets the stream of the settings ends the run', () =>
  withProxy(async ({ proxy, load }) => {
    proxy.sendCode = (send) => {
      if (send === 20) proxy.resetSettings();
      return 20_000;
    };
    const run = load('--proxy-port', String(proxy.port), '--connections', '1', '--messages', '10000');
    assert.is(await failureOf(run), 'the proxy reset Telemetry on stream 1: INTERNAL_ERROR (2)');
  }));

test('a proxy that leaves the connection says why', () =>
  withProxy(async ({ proxy, load }) => {
    proxy.sendCode = (send) => {
      if (send === 20) proxy.leave(11, 'too_many_pings');
      return 20_000;
    };
    const run = load('--proxy-port', String(proxy.port), '--connections', '1', '--messages', '10000');
    const why = 'ENHANCE_YOUR_CALM (11), its last stream is 5, it says "too_many_pings"';
    assert.is(await failureOf(run), `the proxy leaves the connection: ${why}`);
  }));

/** A backlog of 800 messages is received while the proxy resets calls; what a failed call took is away for a minute. */
async function receiveOnce({ proxy, load }: Places, name: string): Promise<LoadResult> {
  const ledger = path.join(folder, `${name}.json`);
  await load('--ledger', ledger, '--connections', '2', '--messages', '800', '--queues', '8');
  const pops = ['--mode', 'pop', '--ledger', ledger, '--queues', '8', '--broker-name', 'b'];
  const times = ['--warmup', '0', '--seconds', '1', '--connections', '3'];
  return load(...pops, ...times, '--proxy-port', String(proxy.port));
}

/** The first answers may come before the measured phase begins. */
function failures({ errorCodes, warmupErrors }: LoadResult): number {
  return (errorCodes['-1'] ?? 0) + warmupErrors;
}

test('acknowledgements that the proxy resets have failed', () =>
  withProxy(async (places) => {
    const { proxy } = places;
    proxy.resetCode = (method, call) => (method === 'AckMessage' && call === 5 ? CANCEL : undefined);
    const result = await receiveOnce(places, 'ack-reset');
    assert.is(failures(result), 1);
    assert.equal(result.resets?.calls, { 'AckMessage CANCEL (8)': 1 });
    assert.is(result.lost, 0);
  }));

test('what a receive had taken that the proxy reset comes later: it is not lost', () =>
  withProxy(async (places) => {
    const { broker, proxy } = places;
    proxy.resetCode = (method, call) => (method === 'ReceiveMessage' && call === 1 ? CANCEL : undefined);
    const result = await receiveOnce(places, 'receive-reset');
    assert.is(failures(result), 1);
    assert.equal(result.resets?.calls, { 'ReceiveMessage CANCEL (8)': 1 });
    assert.is(broker.pops.outstanding, 32, 'those that the reset receive has taken');
    assert.ok(broker.pops.acknowledged > 0, 'the others were received');
    assert.equal([result.lost, result.duplicates, result.wholePasses], [0, 0, 0]);
  }));

for (const passes of [1, 2]) {
  test(`a backlog is received and acknowledged, ${passes} times`, () =>
    withProxy(async ({ broker, proxy, load }) => {
      const ledger = path.join(folder, `${passes}.json`);
      await load('--ledger', ledger, '--connections', '2', '--messages', '800', '--queues', '8');
      const pops = ['--mode', 'pop', '--ledger', ledger, '--queues', '8', '--broker-name', 'b'];
      const times = ['--warmup', '60', '--warmup-messages', '1000', '--seconds', '0'];
      const through = ['--proxy-port', String(proxy.port), '--connections', '3'];
      const result = await load(...pops, ...through, ...(passes === 1 ? ['--once'] : times));
      assert.is(result.errors, 0);
      assert.equal([result.lost, result.duplicates, result.foreign], [0, 0, 0]);
      assert.ok((result.wholePasses ?? 0) >= 1);
      if (passes === 1) assert.is(result.messages, 800);
      assert.is(broker.pops.outstanding, 0);
      assert.is(proxy.calls.get('AckMessage'), broker.pops.acknowledged);
      assert.ok(proxy.settings.length >= 3 * passes, 'each consumer says which group it is in');
    }));
}

test('an acknowledgement that the broker refuses is an error', () =>
  withProxy(async ({ broker, proxy, load }) => {
    const ledger = path.join(folder, 'refused.json');
    await load('--ledger', ledger, '--connections', '2', '--messages', '200');
    broker.pops.ackCode = (number) => (number === 3 ? 13 : 0);
    const pops = ['--mode', 'pop', '--ledger', ledger, '--once', '--broker-name', 'b'];
    const result = await load(...pops, '--proxy-port', String(proxy.port), '--connections', '1');
    assert.equal(result.errorCodes, { 50001: 1 });
    assert.is(result.messages, 199);
  }));

for (const args of [['--tls'], ['--batch', '2'], ['--mode', 'pull'], ['--topics', '3'], ['--ledger', 'x']]) {
  test(`refused: ${args.join(' ')}`, () => {
    assert.throws(() => parseLoadOptions(['--port', '1', '--proxy-port', '2', ...args]), /--proxy-port/);
  });
}

test.run();
