// What mqadmin looks at: a cluster with topics, messages, producers and consumers, the same on either broker.

import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Consumer, introduceGroup, Producer, type Sent, START } from '../scenarios/actors.ts';
import { makeLiteGroup, makeParent, putLite } from '../scenarios/lite.ts';
import { type Args, java55 } from '../support/clients.ts';
import { LiteClient } from '../support/lite.ts';
import { temporaryFolder } from '../support/paths.ts';
import type { Cluster } from '../support/target.ts';

export class Scene {
  readonly cluster: Cluster;
  readonly folder = temporaryFolder('mqadmin');
  readonly #names = new Map<string, string>();
  #lite: LiteClient | undefined;

  constructor(cluster: Cluster) {
    this.cluster = cluster;
    const { nameServer, broker } = cluster;
    this.learn('ns', nameServer.address);
    this.learn('broker', broker.address);
    this.learn('name', broker.name);
    this.learn('dir', this.folder);
    this.learn('start', String(Date.now() - 3_600_000));
    this.learn('end', String(Date.now() + 3_600_000));
  }

  learn(name: string, value: string): void {
    this.#names.set(name, value);
  }

  /** A text in which `{name}` stands for what was learnt under that name. */
  fill(text: string): string {
    return text.replace(/\{(\w+)\}/g, (_, name: string) => {
      const value = this.#names.get(name);
      if (value === undefined) throw new Error(`nothing is known as ${name} in: ${text}`);
      return value;
    });
  }

  /** What differs from scene to scene, by the name that stands for it. */
  masked(): ReadonlyMap<string, string> {
    const { broker } = this.cluster;
    return new Map([
      ['dir', this.folder],
      ['store', broker.store],
    ]);
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text);
  }

  /** Messages of a producer that ends. */
  async send(args: Args): Promise<readonly Sent[]> {
    return new Producer(java55, this.cluster, { broker: this.cluster.broker.name, ...args }).finish();
  }

  /** A producer that stays after it has sent a message. */
  async producer(args: Args): Promise<void> {
    const { broker } = this.cluster;
    const producer = new Producer(java55, this.cluster, { broker: broker.name, linger: 3_600_000, ...args });
    const sent = (): true | undefined => (producer.acked.length > 0 ? true : undefined);
    await producer.program.waitFor('its message', sent, START);
  }

  /** A consumer that stays. */
  async consumer(args: Args, messages: number): Promise<void> {
    await new Consumer(java55, this.cluster, args).count(messages);
  }

  /** The group exists; to be done before there are messages, which its first member would pass over. */
  async introduce(topic: string, group: string): Promise<void> {
    await introduceGroup(java55, this.cluster, topic, group);
  }

  /** A group that has consumed so many messages of the topic, and in which nobody is. */
  async consumed(topic: string, group: string, messages: number): Promise<void> {
    const consumer = new Consumer(java55, this.cluster, { topic, group });
    await consumer.count(messages);
    await consumer.stop();
  }

  /** The first message of the log alone, in a file. */
  async firstRecord(name: string): Promise<void> {
    const folder = join(this.cluster.broker.store, 'commitlog');
    const [first = ''] = readdirSync(folder).sort();
    const log = readFileSync(join(folder, first));
    writeFileSync(join(this.folder, name), log.subarray(0, log.readInt32BE(0)));
  }

  /** A parent topic with two lite topics, of which a client is subscribed to one. */
  async lite(): Promise<void> {
    const names = { topic: 'parent', group: 'lite-group', clientId: 'lite-client' };
    const client = await LiteClient.open(this.cluster.broker, names);
    this.#lite = client;
    await makeParent(client.connection, client.topic);
    await makeLiteGroup(client.connection, client.group, client.topic);
    await client.add(['one']);
    await putLite(client, 'one', ['one-0', 'one-1']);
    await putLite(client, 'two', ['two-0']);
  }

  close(): void {
    // The tools write the bodies of messages that they show there.
    const ids = [...this.#names.values()].filter((value) => /^[0-9A-F]{32}$/.test(value));
    for (const id of ids) rmSync(join('/tmp/rocketmq/msgbodys', id), { force: true });
    this.#lite?.close();
  }
}
