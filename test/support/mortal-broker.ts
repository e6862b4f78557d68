// A broker that transactions are left to when it is killed, and a producer that answers its checks.

import { rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import { checkProgress, dispatched, HALF_TOPIC, maxOffset } from '../interop/scenarios/transacting.ts';
import { type Check, COMMIT, type Half, RawProducer, ROLLBACK } from '../interop/support/raw-producer.ts';
import { readQueue } from '../interop/support/records.ts';
import { type BrokerProcess, startBrokerProcess, temporaryStore } from './broker-process.ts';

export const TOPIC = 'ended';
const GROUP = 'mortal-producers';
export const LOOK_EVERY_MS = 10;
/** Ends that nobody waits for are written at once, or only by the next start's checks: after an hour. */
export const AT_ONCE = 'transactionOpBatchInterval=1\n';
export const LATER = 'transactionOpBatchInterval=3600000\n';
export const MANY_CHECKS = 'transactionCheckMax=1000\n';
const CONF = 'transactionCheckInterval=200\ntransactionTimeOut=500\n';

/** A broker that is killed and started again on its store, and a producer that is always connected to it. */
export class Mortal {
  readonly #store = temporaryStore();
  readonly #conf = `${this.#store.directory}.conf`;
  #broker: BrokerProcess | undefined;
  #producer: RawProducer | undefined;

  get producer(): RawProducer {
    assert.ok(this.#producer !== undefined);
    return this.#producer;
  }

  async start(conf: string): Promise<void> {
    writeFileSync(this.#conf, CONF + conf);
    this.#broker = await startBrokerProcess(this.#store.directory, ['-c', this.#conf]);
    this.#producer = await RawProducer.open(this.#broker.broker, GROUP);
  }

  async again(conf: string): Promise<void> {
    await this.kill();
    await this.start(conf);
  }

  async kill(): Promise<void> {
    this.#broker?.child.kill('SIGKILL');
    await this.#broker?.ended;
    this.#producer?.close();
  }

  async end(): Promise<void> {
    await this.kill();
    this.#store.remove();
    rmSync(this.#conf, { force: true });
  }
}

export function answering(check: Check): Record<string, string> {
  const { tranStateTableOffset = '', commitLogOffset = '' } = check.fields;
  return { tranStateTableOffset, commitLogOffset, fromTransactionCheck: 'true' };
}

/** Answers all checks as `commits` has it, until nothing is open. The time limit of the file is that of the wait. */
export async function settle(
  producer: RawProducer,
  halves: readonly Half[],
  commits: boolean,
): Promise<void> {
  const { connection } = producer;
  const byKey = new Map(halves.map((half) => [half.uniqueKey, half]));
  const end = async (check: Check): Promise<void> => {
    const half = byKey.get(String(check.fields['transactionId']));
    assert.ok(half !== undefined, 'only what is open is checked');
    const reply = await producer.end(half, commits ? COMMIT : ROLLBACK, answering(check));
    assert.is(reply.code, 0, reply.remark);
  };
  for (let answered = 0; ; ) {
    const checks = producer.checks.slice(answered);
    answered += checks.length;
    await Promise.all(checks.map(end));
    if ((await checkProgress(connection)) === (await maxOffset(connection, HALF_TOPIC))) return;
    await sleep(LOOK_EVERY_MS);
  }
}

/** How often each half message lies in a topic. */
export async function times(
  producer: RawProducer,
  topic: string,
  halves: readonly Half[],
): Promise<number[]> {
  await dispatched(producer.connection);
  const counts = new Map<string, number>();
  for (const { properties } of await readQueue(producer.connection, topic)) {
    const key = properties['UNIQ_KEY'] ?? '';
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return halves.map(({ uniqueKey }) => counts.get(uniqueKey) ?? 0);
}

export async function sendHalves(producer: RawProducer, count: number): Promise<Half[]> {
  return Promise.all(Array.from({ length: count }, () => producer.half(TOPIC)));
}

export async function open(conf: string, act: (broker: Mortal) => Promise<void>): Promise<void> {
  const broker = new Mortal();
  try {
    await broker.start(conf);
    await act(broker);
  } finally {
    await broker.end();
  }
}
