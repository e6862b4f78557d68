/** A small store with a few topics, made as the broker makes it, for the log tools to look at. */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CheckOutcome, checkStore } from '../../../src/cli/log/check.ts';
import type { Clock } from '../../../src/lib/clock.ts';
import type { RecordHead } from '../../../src/record/encode.ts';
import { nativeDisk } from '../../../src/store/disk/native-disk.ts';
import type { StoreOptions } from '../../../src/store/options.ts';
import { openStore } from '../../../src/store/store.ts';

export const FILE_SIZE = 128 * 1024;
/** 50 entries a file. */
export const QUEUE_FILE_SIZE = 1000;
export const SLOTS = 64;

const OPTIONS = {
  mappedFileSizeCommitLog: FILE_SIZE,
  mappedFileSizeConsumeQueue: QUEUE_FILE_SIZE,
  maxHashSlotNum: SLOTS,
  maxIndexNum: 4 * SLOTS,
  maxMessageSize: 16 * 1024,
};

class TestClock implements Clock {
  time = 1_760_000_000_000;
  now(): number {
    this.time += 7;
    return this.time;
  }
  monotonic(): number {
    return this.time;
  }
}

function head(queueId: number): RecordHead {
  const host = { address: new Uint8Array([10, 0, 0, 1]), port: 4711 };
  return {
    queueId,
    flag: 0,
    sysFlag: 0,
    bornTimestamp: 1_760_000_000_000,
    bornHost: host,
    storeHost: host,
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
  };
}

export interface TestStore {
  root: string;
  /** Positions of the records, in order. */
  positions: number[];
  /** End of the last record. */
  end: number;
}

export interface TestMessage {
  topic: string;
  queueId: number;
  body: Buffer;
  properties: string;
  sysFlag?: number;
}

/** 120 messages of 2 KiB in three queues of two topics: three CommitLog files, two index files. */
export function makeStore(options: Partial<StoreOptions> = {}): Promise<TestStore> {
  return makeStoreOf(
    Array.from({ length: 120 }, (_, i) => ({
      topic: i % 3 === 0 ? 'Orders' : 'Events',
      queueId: i % 3 === 1 ? 1 : 0,
      body: Buffer.alloc(2048, `message ${i} `),
      properties: `KEYS\x01key${i} other${i % 5}\x02TAGS\x01tag${i % 2}\x02UNIQ_KEY\x01U${i}\x02`,
    })),
    options,
  );
}

export async function makeStoreOf(
  messages: readonly TestMessage[],
  options: Partial<StoreOptions> = {},
): Promise<TestStore> {
  const root = mkdtempSync(join(tmpdir(), 'ringmq-log-'));
  const store = openStore({ directory: root, options: { ...OPTIONS, ...options }, clock: new TestClock() });
  const positions = messages.map(
    ({ topic, queueId, sysFlag = 0, body, properties }) =>
      store.append(topic, { ...head(queueId), sysFlag }, body, properties).physicalOffset,
  );
  store.dispatch();
  store.flush();
  if (!(await store.close())) throw new Error('the store was not closed cleanly');
  const made = { root, positions, end: 0 };
  made.end = endOf(made, positions.at(-1) as number);
  return made;
}

export function removeStore({ root }: TestStore): void {
  rmSync(root, { recursive: true });
}

export function logFile(store: TestStore, position: number): { path: string; at: number } {
  const at = position % FILE_SIZE;
  return { path: join(store.root, 'commitlog', String(position - at).padStart(20, '0')), at };
}

export function queueFile(store: TestStore, topic: string, queueId: number): string {
  return join(store.root, 'consumequeue', topic, String(queueId), '0'.repeat(20));
}

/** Where the record at `position` ends. */
export function endOf(store: TestStore, position: number): number {
  const { path, at } = logFile(store, position);
  return position + bytesAt(path, at, 4).readInt32BE();
}

/** Overwrites bytes of a file in place. */
export function patch(path: string, at: number, bytes: Uint8Array): void {
  const file = openSync(path, 'r+');
  writeSync(file, bytes, 0, bytes.length, at);
  closeSync(file);
}

export function bytesAt(path: string, at: number, length: number): Buffer {
  return readFileSync(path).subarray(at, at + length);
}

export function checked(store: TestStore): CheckOutcome & { lines: string[] } {
  const lines: string[] = [];
  const outcome = checkStore(nativeDisk, store.root, {}, (line) => lines.push(line));
  return { ...outcome, lines };
}
