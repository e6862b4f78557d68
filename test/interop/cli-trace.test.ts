/** `ringmq trace` with a real RocketMQ 5.5.0: what its protocol and its files tell of a message. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Run } from '../support/command-line.ts';
import { temporaryFolder } from './support/paths.ts';
import { startRealBroker, startRealNameServer } from './support/real-rocketmq.ts';
import type { Broker, NameServer } from './support/servers.ts';

const test = suite('trace with RocketMQ');

const store = temporaryFolder('traced-store');
let nameServer: NameServer;
let broker: Broker;

test.before(async () => {
  nameServer = await startRealNameServer();
  broker = await startRealBroker(nameServer.address, { store });
  await ran('topic', 'create', 'T', '--queues', '1', '-n', nameServer.address);
});

test.after(async () => {
  await broker?.stop();
  await nameServer?.stop();
});

async function ran(...args: string[]): Promise<string> {
  const run = new Run(args);
  assert.is(await run.ended, 0, run.err);
  return run.out;
}

const traced = (...args: string[]) =>
  ran('trace', '-n', nameServer.address, '--topic', 'T', '--store', store, ...args);

test('a message, in either header format', async () => {
  for (const header of ['json', 'rocketmq']) {
    const text = await traced('--header', header);
    assert.match(text, /The \d+ bytes in the answer are those of the file at \d+, byte for byte\./);
    assert.match(text, /consumequeue\/T\/0\/0{20} at \d+: T, queue 0, entry \d+/);
    assert.match(text, /UNIQ_KEY: \|Java hash of "T#[0-9A-F]+"\| = \d+, slot \d+;/);
    assert.match(text, /\(4\) The positions\n +Not seen: /);
  }
});

test('a delayed, a timed and a retried message', async () => {
  const delayed = await traced('--delay-level', '1');
  assert.match(delayed, /It waits for its delay level in SCHEDULE_TOPIC_XXXX, queue 0/);
  const timed = await traced('--delay', '4s');
  assert.match(timed, /It waits for its time in rmq_sys_wheel_timer, queue 0/);
  const retried = await traced('--retry', '--group', 'g1');
  assert.match(retried, /It goes into %RETRY%g1, queue 0\./);
});

test.run();
