// A broker killed in the middle of pops and of acknowledgements: nothing whose ack was answered comes again, everything
// else does, and nobody gets a message while it is invisible.

import { rmSync, writeFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { makeGroup, makeTopic, numbered, put } from '../interop/scenarios/popping.ts';
import { type PopAnswer, type PoppedMessage, Popper } from '../interop/support/pops.ts';
import type { Broker } from '../interop/support/servers.ts';
import { type BrokerProcess, startBrokerProcess, temporaryStore } from '../support/broker-process.ts';

const TOPIC = 'popped';
const GROUP = 'poppers';
const NAME = 'mortal';
const COUNT = 240;
const QUEUES = 3;
const TOGETHER = 8;
const INVISIBLE_MS = 3_000;
/** Of the broker's clock, which is read for a pop after it was asked. */
const ROUNDING_MS = 1;

/** What clients have got and acknowledged. */
class Ledger {
  readonly acknowledged = new Set<string>();
  /** Until when nobody else may get it. */
  readonly #until = new Map<string, number>();
  readonly got = new Set<string>();

  /** `askedAt`: when its pop was sent, which was not answered before that. */
  popped(messages: readonly PoppedMessage[], askedAt: number): void {
    const now = Date.now();
    for (const { body } of messages) {
      const key = body.toString();
      assert.not.ok(this.acknowledged.has(key), `${key} comes again, and its ack was answered`);
      const early = (this.#until.get(key) ?? 0) - now;
      assert.ok(early <= ROUNDING_MS, `${key} comes ${early} ms before it is visible`);
      this.#until.set(key, askedAt + INVISIBLE_MS);
      this.got.add(key);
    }
  }
}

class Mortal {
  readonly ledger = new Ledger();
  readonly #store = temporaryStore();
  readonly #conf = `${this.#store.directory}.conf`;
  #process: BrokerProcess | undefined;
  popper!: Popper;

  constructor(conf: string) {
    writeFileSync(this.#conf, `brokerName=${NAME}\n${conf}`);
  }

  async start(): Promise<void> {
    this.#process = await startBrokerProcess(this.#store.directory, ['-c', this.#conf]);
    this.popper = await Popper.open({ address: this.#process.broker, name: NAME } as Broker, GROUP);
  }

  kill(): void {
    this.#process?.child.kill('SIGKILL');
  }

  async again(): Promise<void> {
    await this.#die();
    await this.start();
  }

  async #die(): Promise<void> {
    this.kill();
    await this.#process?.ended;
    this.popper.close();
  }

  async end(): Promise<void> {
    await this.#die();
    this.#store.remove();
    rmSync(this.#conf, { force: true });
  }

  async pop(more: Record<string, number> = {}): Promise<PopAnswer> {
    const askedAt = Date.now();
    const fields = { maxMsgNums: TOGETHER, invisibleTime: INVISIBLE_MS, ...more };
    const answer = await this.popper.pop(TOPIC, fields);
    this.ledger.popped(answer.messages, askedAt);
    return answer;
  }

  /** False: the broker is dead. */
  async acknowledge(message: PoppedMessage): Promise<boolean> {
    try {
      const { code, remark } = await this.popper.ack(message);
      assert.is(code, 0, remark);
    } catch (error) {
      if (error instanceof assert.Assertion) throw error;
      return false;
    }
    this.ledger.acknowledged.add(message.body.toString());
    return true;
  }

  /** Until all have come that were not acknowledged before. The time limit of the file is that of the wait. */
  async popTheRest(all: readonly string[]): Promise<void> {
    while (all.some((key) => !this.ledger.acknowledged.has(key))) {
      const { messages } = await this.pop({ pollTime: 1_000 });
      for (const message of messages) assert.ok(await this.acknowledge(message));
    }
  }
}

async function withMessages(conf: string, act: (broker: Mortal, keys: string[]) => Promise<void>) {
  const broker = new Mortal(conf);
  try {
    await broker.start();
    const { connection } = broker.popper;
    await makeTopic(connection, TOPIC, QUEUES);
    await makeGroup(connection, GROUP);
    const keys = numbered('m', COUNT);
    for (let queueId = 0; queueId < QUEUES; queueId++) {
      const own = keys.filter((_, i) => i % QUEUES === queueId);
      await put(connection, TOPIC, own, queueId);
    }
    await act(broker, keys);
  } finally {
    await broker.end();
  }
}

for (const mode of ['ASYNC_FLUSH', 'SYNC_FLUSH']) {
  const conf = `flushDiskType=${mode}\n`;
  const test = suite(`kill -9 among pops, ${mode}`);

  test('pops are asked and some answered: what nobody got or acknowledged comes', () =>
    withMessages(conf, async (broker, keys) => {
      let answered = 0;
      const pops = Array.from({ length: COUNT / TOGETHER }, async () => {
        try {
          const { messages } = await broker.pop();
          answered += 1;
          if (answered === 10) broker.kill();
          return messages;
        } catch (error) {
          if (error instanceof assert.Assertion) throw error;
          return [];
        }
      });
      await Promise.all(pops);
      assert.ok(answered >= 10);
      await broker.again();
      await broker.popTheRest(keys);
    }));

  test('acks are asked and some answered: these do not come again, and all others do', () =>
    withMessages(conf, async (broker, keys) => {
      const messages: PoppedMessage[] = [];
      while (messages.length < COUNT / 2) messages.push(...(await broker.pop()).messages);
      const { acknowledged } = broker.ledger;
      const acks = messages.map(async (message) => {
        await broker.acknowledge(message);
        if (acknowledged.size === COUNT / 8) broker.kill();
      });
      await Promise.all(acks);
      assert.ok(acknowledged.size >= COUNT / 8);
      await broker.again();
      // In the middle of what comes again.
      while (acknowledged.size < COUNT / 2) {
        const popped = await broker.pop({ pollTime: 1_000 });
        for (const message of popped.messages) assert.ok(await broker.acknowledge(message));
      }
      await broker.again();
      await broker.popTheRest(keys);
      assert.is(broker.ledger.got.size, COUNT);
    }));

  test.run();
}
