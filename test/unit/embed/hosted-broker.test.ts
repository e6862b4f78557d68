import { EventEmitter } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RingMQError } from '../../../src/embed/error.ts';
import { hostBroker } from '../../../src/embed/hosted-broker.ts';
import type { ControlReport, HostRequest } from '../../../src/embed/messages.ts';
import type { EmbeddedBroker, EmbeddedLog } from '../../../src/embed/options.ts';

const test = suite('host of an embedded broker');

/** A control thread that does only what a test says. */
class Control extends EventEmitter {
  readonly told: HostRequest[] = [];

  postMessage(request: HostRequest): void {
    this.told.push(request);
  }

  ref(): void {}

  unref(): void {}

  reports(report: ControlReport): void {
    this.emit('message', report);
  }
}

async function hosted(log: EmbeddedLog): Promise<{ control: Control; broker: EmbeddedBroker }> {
  const control = new Control();
  const start = { store: '', temporary: false, options: {}, state: new SharedArrayBuffer(4) };
  const broker = hostBroker({ worker: control as unknown as Worker, start, temporary: undefined, log });
  control.reports({ kind: 'ready', nameServer: 'localhost:1', broker: 'localhost:2' });
  return { control, broker: await broker };
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return await promise.then(
    () => 'it succeeded',
    (error) => (error instanceof RingMQError ? error.code : String(error)),
  );
}

const throwing: EmbeddedLog = {
  error: () => {
    throw new Error('thrown by the host');
  },
};

test('a log that throws keeps neither died nor topics nor close from settling', async () => {
  const { control, broker } = await hosted(throwing);
  const topic = codeOf(broker.createTopic('a'));
  const died = { code: 'RINGMQ_DIED', message: 'the disk failed' } as const;
  assert.throws(() => control.reports({ kind: 'died', error: died }), /thrown by the host/);
  assert.is((await broker.died).message, 'the disk failed');
  assert.is(await topic, 'RINGMQ_DIED');
  const closed = broker.close();
  control.emit('exit', 0);
  await closed;
});

test('a thread that ends by itself settles everything, also before a log that throws', async () => {
  const { control, broker } = await hosted(throwing);
  const topic = codeOf(broker.createTopic('a'));
  assert.throws(() => control.emit('exit', 1), /thrown by the host/);
  assert.is((await broker.died).code, 'RINGMQ_DIED');
  assert.is(await topic, 'RINGMQ_DIED');
  await broker.close();
});

test('a topic that is under way when the broker is closed was not made', async () => {
  const { control, broker } = await hosted('silent');
  const topic = codeOf(broker.createTopic('a'));
  const closed = broker.close();
  await turn();
  assert.equal(
    control.told.map(({ kind }) => kind),
    ['createTopic', 'close'],
  );
  control.emit('exit', 0);
  await closed;
  assert.is(await topic, 'RINGMQ_CLOSED');
});

test.run();
