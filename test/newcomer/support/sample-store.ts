// What docs/log-tools.md takes for granted: `store`, written by RocketMQ 5.5.0, and `copy`, in which a body and a queue
// were damaged by hand.

import { cpSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RawConnection } from '../../interop/support/raw.ts';
import { startRealBroker, startRealNameServer } from '../../interop/support/real-rocketmq.ts';
import type { Workshop } from './workshop.ts';

const TOPIC = 'JavaTopic';
const QUEUES = 4;
const MESSAGES = 12_000;
const DELAYED_EVERY = 100;
const AT_ONCE = 200;
const SEND_MESSAGE_V2 = 310;
const QUEUE_ENTRY = 20;
/** Index files are named by the time at which they were made; the page has this one. */
const INDEX_FILE = '20261121121718219';
/** Where in a ConsumeQueue file the entry lies that is taken out. */
const LOST_ENTRY = 100;
/** Some records behind the beginning of a CommitLog file; the next body is bent. */
const BENT_FROM = 99_172;

export async function makeSampleStore({ folder }: Workshop): Promise<void> {
  const store = join(folder, 'store');
  const nameServer = await startRealNameServer();
  const conf = {
    mappedFileSizeCommitLog: 8 * 1024 * 1024,
    mappedFileSizeConsumeQueue: QUEUE_ENTRY * 1000,
    messageDelayLevel: '1h',
  };
  const broker = await startRealBroker(nameServer.address, { store, conf });
  await fill(broker.address);
  await broker.stop();
  await nameServer.stop();
  const index = join(store, 'index');
  renameSync(join(index, readdirSync(index)[0] as string), join(index, INDEX_FILE));
  cpSync(store, join(folder, 'copy'), { recursive: true });
  damage(join(folder, 'copy'));
}

async function fill(address: string): Promise<void> {
  const connection = await RawConnection.open(address);
  try {
    for (let from = 0; from < MESSAGES; from += AT_ONCE) {
      const numbers = Array.from({ length: AT_ONCE }, (_, i) => from + i);
      for (const { code, remark } of await Promise.all(numbers.map((n) => connection.request(message(n)))))
        if (code !== 0) throw new Error(`the sample store's message was refused: ${code} ${remark}`);
    }
  } finally {
    connection.destroy();
  }
}

function message(number: number) {
  const delayed = number % DELAYED_EVERY === DELAYED_EVERY - 1;
  const properties = {
    UNIQ_KEY: `U${number}`,
    TAGS: `t${number % 2}`,
    KEYS: `k${number} g${number % 10}`,
    WAIT: 'true',
    ...(delayed ? { DELAY: '1' } : {}),
  };
  const ext = {
    a: 'sample-producers',
    b: TOPIC,
    c: 'TBW102',
    d: QUEUES,
    e: number % QUEUES,
    f: 0,
    g: 1_700_000_000_000,
    h: 0,
    i: Object.entries(properties)
      .map(([name, value]) => `${name}\x01${value}\x02`)
      .join(''),
    j: 0,
    k: 'false',
    m: 'false',
  };
  return { code: SEND_MESSAGE_V2, ext, body: Buffer.alloc(1500, `body ${number} `) };
}

function damage(store: string): void {
  const logs = join(store, 'commitlog');
  const log = join(logs, readdirSync(logs).sort()[1] as string);
  change(log, (bytes) => bytes.write('X', bytes.indexOf('body ', BENT_FROM) + 1));
  const queue = join(store, 'consumequeue', TOPIC, '2');
  const file = join(queue, readdirSync(queue).sort()[1] as string);
  change(file, (bytes) => bytes.fill(0, LOST_ENTRY * QUEUE_ENTRY, (LOST_ENTRY + 1) * QUEUE_ENTRY));
}

function change(file: string, act: (bytes: Buffer) => unknown): void {
  const bytes = readFileSync(file);
  act(bytes);
  writeFileSync(file, bytes);
}
