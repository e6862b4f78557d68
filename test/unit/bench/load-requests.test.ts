/** Requests and replies, against a broker that may pass a reply on twice. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { runLoad } from '../../../bench/load/load.ts';
import { parseLoadOptions } from '../../../bench/load/options.ts';
import type { LoadResult } from '../../../bench/load/recorder.ts';
import { parseProperties } from '../../../src/record/properties.ts';
import { FakeBroker } from './fake-broker.ts';

async function load(broker: FakeBroker, ...args: string[]): Promise<LoadResult> {
  // so much work, however long it takes here
  const times = ['--warmup', '60', '--warmup-messages', '100', '--seconds', '0.05'];
  const mode = ['--mode', 'request', '--body', '10'];
  const quiet = async (): Promise<void> => {};
  try {
    return await runLoad(
      parseLoadOptions(['--port', String(broker.port), ...mode, ...times, ...args]),
      quiet,
    );
  } finally {
    broker.close();
  }
}

test('every request is answered by the reply to it, and counts once', async () => {
  const broker = await new FakeBroker().open();
  const result = await load(broker, '--connections', '3', '--in-flight', '5', '--consumers', '2');
  assert.is(result.errors, 0);
  assert.ok(broker.replies >= 100);
  assert.is(broker.replies, broker.stored, 'each request has one reply');
  const requests = [...broker.queues.values()].flat().map(({ properties }) => properties);
  for (const text of requests) {
    const properties = parseProperties(text);
    assert.match(properties.get('REPLY_TO_CLIENT') ?? '', /^bench-requester-0000000[012]$/);
    assert.is(properties.get('CORRELATION_ID'), properties.get('UNIQ_KEY'));
  }
});

test('a reply that comes twice is an error', async () => {
  const broker = await new FakeBroker().open();
  broker.pushes = (reply) => (reply === 3 ? 2 : 1);
  const result = await load(broker, '--connections', '1', '--in-flight', '4');
  assert.is(result.unexpectedReplies, 1);
  assert.is(result.errors, 1);
});

test('what makes no request is refused', () => {
  for (const args of [['--batch', '2'], ['--transaction'], ['--delay-level', '1'], ['--header', 'binary']]) {
    assert.throws(() => parseLoadOptions(['--port', '1', '--mode', 'request', ...args]), /--mode request/);
  }
});

test.run();
