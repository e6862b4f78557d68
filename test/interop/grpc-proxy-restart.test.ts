// The broker behind RocketMQ's gRPC proxy goes away while gRPC clients have messages in their hands, cleanly or by
// kill -9, and comes back on its store.

import { setTimeout as sleep } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import { fullRun } from '../support/random.ts';
import { GrpcClients, type GrpcMessage, type GrpcSimple, keysOf, Stage } from './scenarios/grpc-actors.ts';
import { type GrpcKit, javaGrpc, nodeGrpc } from './support/grpc-clients.ts';
import { startGrpcProxy } from './support/grpc-proxy.ts';
import { stopEverything } from './support/program.ts';
import { interopSuite } from './support/suite.ts';
import { type Cluster, startBroker, startNameServer, target } from './support/target.ts';

const test = interopSuite("a broker that goes away behind RocketMQ's gRPC proxy");

const LONG = 300_000;
const PATIENCE = 60_000;
/** Messages of the push consumer: so many at least, and more until it is behind by these. */
const PUSHED = 20;
const BEHIND = 8;
const MOST_PUSHED = 500;

type Going = 'clean stop' | 'kill -9';

/** The proxy has lost the broker and its routes at first: what is refused is asked again. */
async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  for (const end = Date.now() + PATIENCE; ; await sleep(500)) {
    try {
      return await ask();
    } catch (error) {
      if (Date.now() > end) throw error;
    }
  }
}

/** After a kill RocketMQ gives out again what was out: its offsets are on disk every five seconds only. */
function staysOut(going: Going): boolean {
  return target === 'ringmq' || going === 'clean stop';
}

class Restart {
  readonly clients: GrpcClients;
  readonly stage: Stage;
  readonly #going: Going;
  readonly #goAway: () => Promise<void>;

  private constructor(clients: GrpcClients, cluster: Cluster, going: Going, goAway: () => Promise<void>) {
    this.clients = clients;
    this.stage = new Stage(cluster);
    this.#going = going;
    this.#goAway = goAway;
  }

  static async open(kit: GrpcKit, going: Going): Promise<Restart> {
    const nameServer = await startNameServer();
    const broker = await startBroker(nameServer);
    const proxy = await startGrpcProxy(nameServer.address);
    const { port, store } = broker;
    const goAway = async (): Promise<void> => {
      await (going === 'kill -9' ? broker.kill() : broker.stop());
      await startBroker(nameServer, { port, store });
    };
    const cluster = { nameServer, broker, stop: stopEverything };
    return new Restart(new GrpcClients(kit, proxy), cluster, going, goAway);
  }

  /** What a simple consumer has out stays out, and its receipts stay good. */
  async simple(): Promise<() => Promise<void>> {
    const keys = ['s0', 's1', 's2', 's3'];
    const simple = await this.#consumer('simple', false, keys);
    const out = await simple.gather(keys.length, LONG);
    assert.equal(keysOf(out), keys);
    await simple.ack('s0');
    return async () => {
      if (staysOut(this.#going)) assert.equal(await patiently(() => simple.receive(16, LONG)), []);
      await patiently(() => simple.ack('s1'));
      await patiently(() => simple.invisible('s2', 1_000));
      const again = await untilThere(simple, 's2');
      assert.ok(again.attempt > 1 && again.intact);
      for (const key of ['s2', 's3']) await patiently(() => simple.ack(key));
      if (staysOut(this.#going)) assert.equal(await patiently(() => simple.receive(16, LONG)), []);
    };
  }

  /** The message that holds up its queue goes on doing so, and then the others come in their order. */
  async ordered(): Promise<() => Promise<void>> {
    const keys = ['o0', 'o1', 'o2'];
    const simple = await this.#consumer('ordered', true, keys);
    assert.equal(keysOf(await simple.receive(1, LONG)), ['o0']);
    return async () => {
      if (staysOut(this.#going)) {
        assert.equal(await patiently(() => simple.receive(16, LONG)), []);
        await patiently(() => simple.ack('o0'));
      }
      const rest: string[] = [];
      while (rest.at(-1) !== 'o2') {
        const [message] = await patiently(() => simple.receive(1, LONG));
        if (message === undefined) continue;
        rest.push(message.key);
        await patiently(() => simple.ack(message.key));
      }
      assert.equal(rest, staysOut(this.#going) ? ['o1', 'o2'] : keys);
    };
  }

  /** A push consumer in the middle of its work misses none of what was acknowledged to the producer. */
  async push(): Promise<() => Promise<void>> {
    const topic = 'pushed';
    await this.stage.topic(topic, 'NORMAL', 4);
    await this.stage.group('pushed-group');
    const producer = await this.clients.producer(topic);
    const keys: string[] = [];
    const push = await this.clients.push({ topic, group: 'pushed-group', hold: 1_000 });
    while (keys.length < PUSHED || keys.length - push.taken.length < BEHIND) {
      assert.ok(keys.length < MOST_PUSHED, 'it is in the middle of its work');
      const key = `p${keys.length}`;
      await producer.send(key);
      keys.push(key);
    }
    return async () => {
      await patiently(() => producer.send('last'));
      await push.takes([...keys, 'last']);
    };
  }

  async across(): Promise<void> {
    const after = [await this.simple(), await this.ordered(), await this.push()];
    await this.#goAway();
    for (const look of after) await look();
    await this.clients.end();
    await stopEverything();
  }

  async #consumer(name: string, fifo: boolean, keys: readonly string[]): Promise<GrpcSimple> {
    await this.stage.topic(name, fifo ? 'FIFO' : 'NORMAL', 1);
    await this.stage.group(`${name}-group`, { fifo });
    const producer = await this.clients.producer(name);
    for (const key of keys) await producer.send(key, fifo ? { 'message-group': 'lane' } : {});
    return this.clients.simple({ topic: name, group: `${name}-group`, await: 1_000 });
  }
}

async function untilThere(simple: GrpcSimple, key: string): Promise<GrpcMessage> {
  for (const end = Date.now() + PATIENCE; ; ) {
    const received = await patiently(() => simple.receive(16, LONG));
    const found = received.find((message) => message.key === key);
    if (found !== undefined) return found;
    if (Date.now() > end) throw new Error(`${key} does not come again`);
  }
}

const CASES: readonly (readonly [GrpcKit, Going])[] = [
  [javaGrpc, 'kill -9'],
  [nodeGrpc, 'clean stop'],
  [javaGrpc, 'clean stop'],
  [nodeGrpc, 'kill -9'],
];

for (const [kit, going] of fullRun ? CASES : CASES.slice(0, 1)) {
  test(`${going}, ${kit.name}: what is out stays out, and nothing is missed`, async () => {
    await (await Restart.open(kit, going)).across();
  });
}

test.run();
