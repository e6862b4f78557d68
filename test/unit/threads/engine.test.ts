/** The thread of delivery: begun when it is needed, tried again when it cannot be, ended while the others go on. */
import { EventEmitter } from 'node:events';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { DeliveryShape } from '../../../src/delivery/delivery-shape.ts';
import { noLog } from '../../../src/lib/log.ts';
import { Positions } from '../../../src/ring/positions.ts';
import { Engine, type EngineEvents } from '../../../src/threads/engine.ts';
import type { Thread } from '../../../src/threads/spawn.ts';
import type { Topology } from '../../../src/threads/topology.ts';
import { recordingLog } from '../../support/recording-log.ts';

const test = suite('thread of delivery');
const AGAIN_MS = 1_000;

/** A thread that does what the test says. */
class FakeThread {
  readonly told: unknown[] = [];
  readonly thread: Thread;
  load: () => void = () => {};
  fail: (error: Error) => void = () => {};
  end: () => void = () => {};

  constructor() {
    const ended = new Promise<undefined>((resolve) => {
      this.end = () => resolve(undefined);
    });
    const loaded = new Promise<void>((resolve, reject) => {
      this.load = resolve;
      this.fail = reject;
    });
    loaded.catch(() => {});
    const worker = Object.assign(new EventEmitter(), {
      postMessage: (message: unknown) => this.told.push(message),
      terminate: () => {
        this.end();
        this.fail(new Error('it was terminated'));
        return Promise.resolve(0);
      },
    }) as unknown as Thread['worker'];
    this.thread = { name: 'delivery', worker, loaded, ready: Promise.resolve(), ended };
  }
}

async function rig() {
  const { log, lines } = recordingLog();
  const spawned: FakeThread[] = [];
  const machine = { isFull: false };
  const nothing = () => {};
  const events: EngineEvents = {
    ...{ log, plainLog: noLog, refused: nothing, delivered: nothing, check: nothing },
    ...{ escapes: nothing, popAsk: nothing, needsDelivery: nothing },
  };
  const wake = {} as Topology['broker']['wakes']['delivery'];
  const broker = { positions: new SharedArrayBuffer(8), wakes: { delivery: wake } };
  const topology = { engine: 'paired', broker, networks: [] } as unknown as Topology;
  const spawn = () => {
    if (machine.isFull) throw new Error('no more threads');
    const fake = new FakeThread();
    spawned.push(fake);
    return fake.thread;
  };
  const shape = () => ({ acts: true }) as DeliveryShape;
  const threads = { networks: [], workers: [] };
  const engine = await Engine.start(threads, topology, shape, new Positions(), events, spawn);
  let deaths = 0;
  void engine.died.then(() => {
    deaths += 1;
  });
  return { engine, lines, spawned, machine, shape, deaths: () => deaths };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
const pause = () => new Promise((resolve) => setTimeout(resolve, AGAIN_MS + 100));

test('where the machine has room for no thread, it is tried again', async () => {
  const { engine, lines, spawned, machine, shape } = await rig();
  machine.isFull = true;
  engine.deliver(shape);
  assert.match(lines.at(-1)?.message ?? '', 'tried again');
  machine.isFull = false;
  await pause();
  assert.is(spawned.length, 1);
  spawned[0]?.fail(new Error('no descriptors'));
  await turn();
  await pause();
  assert.is(spawned.length, 2);
  spawned[1]?.load();
  await turn();
  assert.ok(engine.delivers);
  assert.is(spawned[1]?.told.length, 1);
});

test('what was to begin and is not needed any more does not begin', async () => {
  const { engine, spawned, machine, shape } = await rig();
  let stops = 0;
  const stop = () => {
    stops += 1;
    return Promise.resolve();
  };
  machine.isFull = true;
  engine.deliver(shape);
  await engine.retireDelivery(stop);
  machine.isFull = false;
  engine.deliver(shape);
  assert.is(spawned.length, 1, 'nothing waits for another try');
  await engine.retireDelivery(stop);
  await turn();
  assert.equal([spawned.length, spawned[0]?.told.length, stops], [1, 0, 0]);
  assert.not(engine.delivers);
});

test('it ends while the others go on, and begins once more', async () => {
  const { engine, spawned, shape, deaths } = await rig();
  engine.deliver(shape);
  spawned[0]?.load();
  await turn();
  const ended = engine.retireDelivery(() => Promise.resolve());
  spawned[0]?.end();
  await ended;
  assert.not(engine.delivers);
  engine.deliver(shape);
  spawned[1]?.load();
  await turn();
  assert.ok(engine.delivers);
  assert.is(deaths(), 0);
  spawned[1]?.end();
  await turn();
  assert.is(deaths(), 1, 'nobody had asked it to end');
});

test.run();
