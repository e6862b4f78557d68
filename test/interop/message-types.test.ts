// Message types of topics, as mqadmin sets them and the broker keeps them; what the broker does with a priority. That a
// message fits the type of its topic is checked by RocketMQ's proxy, not by its broker, and so not by ours.

import * as assert from 'uvu/assert';
import { Consumer, createTopic, introduceGroup, Producer } from './scenarios/actors.ts';
import { java49, java55 } from './support/clients.ts';
import { Dialogue } from './support/dialogue.ts';
import { Ledger } from './support/ledger.ts';
import { RawConnection, send } from './support/raw.ts';
import { encodeProperties } from './support/records.ts';
import { clusterSuite } from './support/suite.ts';
import { startCluster } from './support/target.ts';

const { test, cluster } = clusterSuite('message types');

const TYPES = ['UNSPECIFIED', 'NORMAL', 'FIFO', 'DELAY', 'TRANSACTION', 'PRIORITY', 'LITE'];

class Tool {
  readonly #nameServer: string;
  readonly #broker: string;
  readonly #dialogue: Dialogue;

  constructor({ nameServer, broker } = cluster()) {
    this.#nameServer = nameServer.address;
    this.#broker = broker.address;
    this.#dialogue = new Dialogue(java55.start('MqAdmin', { namesrv: nameServer.address }));
  }

  /** What mqadmin prints when it sets attributes of a topic. */
  async update(topic: string, attributes: string): Promise<string> {
    const words = [
      'updateTopic',
      '-n',
      this.#nameServer,
      '-b',
      this.#broker,
      '-t',
      topic,
      '-r',
      '4',
      '-w',
      '4',
    ];
    return String(await this.#dialogue.ask([...words, '-a', attributes].join('\t')));
  }

  end(): Promise<void> {
    return this.#dialogue.end();
  }
}

function admin(): Dialogue {
  const { nameServer, broker } = cluster();
  return new Dialogue(
    java55.start('Admin', { namesrv: nameServer.address, 'broker-address': broker.address }),
  );
}

test('each type is set, shown and changed by mqadmin; an unknown one and MIXED are refused', async () => {
  const tool = new Tool();
  const dialogue = admin();
  for (const type of TYPES) {
    const topic = `typed-${type}`;
    assert.match(await tool.update(topic, `+message.type=${type}`), /success/);
    assert.equal(await dialogue.ask(`attributes ${topic}`), { 'message.type': type });
  }
  assert.match(await tool.update('typed-FIFO', '+message.type=DELAY'), /success/);
  assert.equal(await dialogue.ask('attributes typed-FIFO'), { 'message.type': 'DELAY' });
  assert.match(await tool.update('typed-FIFO', '-message.type'), /success/);
  assert.equal(await dialogue.ask('attributes typed-FIFO'), {});
  const refusals: readonly (readonly [attributes: string, why: RegExp])[] = [
    ['+message.type=MIXED', /MIXED message type is not supported/],
    ['+message.type=fifo', /value is not in set/],
    ['+message.kind=FIFO', /unsupported key/],
  ];
  for (const [attributes, why] of refusals) {
    assert.match(await tool.update('typed-NORMAL', attributes), why, attributes);
    assert.equal(await dialogue.ask('attributes typed-NORMAL'), { 'message.type': 'NORMAL' });
  }
  await Promise.all([tool.end(), dialogue.end()]);
});

test('MIXED is allowed where it is configured', async () => {
  const mixed = await startCluster({ conf: { enableMixedMessageType: true } });
  const tool = new Tool(mixed);
  assert.match(await tool.update('typed-MIXED', '+message.type=MIXED'), /success/);
  await tool.end();
  await mixed.stop();
});

test('the broker takes messages of every type to topics of every type', async () => {
  const tool = new Tool();
  const connection = await RawConnection.open(cluster().broker.address);
  const messages: readonly Readonly<Record<string, string | number>>[] = [
    {},
    { __SHARDINGKEY: 'k' },
    { DELAY: 1 },
    { TIMER_DELAY_SEC: 60 },
    { TRAN_MSG: 'true', PGROUP: 'nobody' },
    { _SYS_MSG_PRIORITY_: 1 },
  ];
  for (const type of TYPES) {
    const topic = `any-to-${type}`;
    assert.match(await tool.update(topic, `+message.type=${type}`), /success/);
    for (const properties of messages) {
      const ext = { properties: encodeProperties(properties), sysFlag: 'TRAN_MSG' in properties ? 4 : 0 };
      const answer = await connection.request(send(topic, ext));
      assert.is(answer.code, 0, `${type} ${JSON.stringify(properties)} ${answer.remark}`);
    }
  }
  connection.destroy();
  await tool.end();
});

for (const kit of [java55, java49]) {
  test(`${kit.name}: a priority is the queue, the highest has the last one`, async () => {
    const topic = `prioritized-${kit.name.replaceAll(/\W/g, '-')}`;
    const tool = new Tool();
    assert.match(await tool.update(topic, '+message.type=PRIORITY'), /success/);
    await createTopic(kit, cluster(), topic);
    await introduceGroup(kit, cluster(), topic, `${topic}-group`);
    const ledger = new Ledger();
    const consumer = new Consumer(
      kit,
      cluster(),
      { topic, group: `${topic}-group`, expression: 'p' },
      ledger,
    );
    await consumer.holds(4);
    for (const [priority, queue] of [
      [0, 0],
      [2, 2],
      [3, 3],
      [9, 3],
    ] as const) {
      const args = { topic, tags: 'p', priority, prefix: `p${priority}`, count: 4 };
      for (const sent of await new Producer(kit, cluster(), args, ledger).finish())
        assert.is(sent.queueId, queue);
    }
    await consumer.receives(ledger);
    await consumer.stop();
    ledger.exactlyOnce();
    for (const { key, queueId, properties } of consumer.delivered) {
      const priority = Number(key.slice(1, key.indexOf('-')));
      assert.equal([queueId, properties['_SYS_MSG_PRIORITY_']], [Math.min(priority, 3), String(priority)]);
    }
    await tool.end();
  });
}

test('a message of another type has no priority', async () => {
  const topic = 'no-priority';
  const connection = await RawConnection.open(cluster().broker.address);
  const queueOf = async (properties: Readonly<Record<string, string | number>>): Promise<number> => {
    const answer = await connection.request(
      send(topic, { queueId: 1, properties: encodeProperties(properties) }),
    );
    assert.is(answer.code, 0, answer.remark);
    return Number(answer.extFields?.['queueId']);
  };
  assert.is(await queueOf({ _SYS_MSG_PRIORITY_: 2 }), 2);
  assert.is(await queueOf({ _SYS_MSG_PRIORITY_: 2, __SHARDINGKEY: 'k' }), 1);
  assert.is(await queueOf({ _SYS_MSG_PRIORITY_: 2, DELAY: 1 }), 1);
  assert.is(await queueOf({ _SYS_MSG_PRIORITY_: -2 }), 1);
  assert.is(await queueOf({ _SYS_MSG_PRIORITY_: 'urgent' }), 1);
  connection.destroy();
});

test.run();
