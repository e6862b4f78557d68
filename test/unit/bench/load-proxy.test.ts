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
    for (const name of ['content-type', 'te', 'grpc-timeout', 'x-mq-protocol', 'x-mq-language'])
      assert.is(proxy.headers.get(name)?.size, 1, name);
  }));

test('refused sends and failed calls are errors', () =>
  withProxy(async ({ proxy, load }) => {
    proxy.sendCode = (send) => (send === 7 ? 42_900 : send === 9 ? -1 : 20_000);
    const result = await load('--proxy-port', String(proxy.port), '--connections', '1', '--messages', '100');
    assert.equal(result.errorCodes, { 42900: 1, '-1': 1 });
    assert.is(result.messages, 98);
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
