/** Messages and small stores for tests. */
import type { RecordHead } from '../../src/record/encode.ts';
import { recordSize } from '../../src/record/layout.ts';
import type { StoreOptions } from '../../src/store/options.ts';
import { QueueDirectory } from '../../src/store/queue/queue-directory.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { SimDisk } from '../sim/sim-disk.ts';

export const STORE_HOST = { address: Uint8Array.of(10, 0, 0, 1), port: 10911 };
export const BORN_HOST = { address: Uint8Array.of(10, 0, 0, 9), port: 50000 };

export function headFor(queueId: number, more: Partial<RecordHead> = {}): RecordHead {
  return {
    queueId,
    flag: 0,
    sysFlag: 0,
    bornTimestamp: 1_700_000_000_000,
    bornHost: BORN_HOST,
    storeHost: STORE_HOST,
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    ...more,
  };
}

/** Body that makes a record (V1, IPv4) exactly so many bytes long. */
export function bodyFor(size: number, topic: string, properties = ''): Uint8Array {
  return new Uint8Array(size - recordSize(0, topic.length, Buffer.byteLength(properties), 0)).fill(0x62);
}

export const ROOT = '/store';
export const LOG = '/store/commitlog';

/** A clock that stands until it is set. */
export class StillClock {
  time = 1_700_000_000_000;

  now(): number {
    return this.time;
  }

  monotonic(): number {
    return this.time;
  }
}

export interface SmallStore {
  store: Store;
  disk: SimDisk;
  clock: StillClock;
  progress: string[];
  /** What the opening found damaged. */
  warnings: string[];
}

/** A store on a simulated disk with small files; open it again with the same disk and clock. */
export function smallStore(
  options: Partial<StoreOptions> = {},
  disk = new SimDisk(),
  clock = new StillClock(),
  queueDirectory = QueueDirectory.plain(64),
): SmallStore {
  const progress: string[] = [];
  const warnings: string[] = [];
  const store = openStore({
    directory: ROOT,
    options: {
      maxMessageSize: 1024,
      mappedFileSizeCommitLog: 68 * 1024,
      mappedFileSizeConsumeQueue: 20 * 8,
      maxHashSlotNum: 16,
      maxIndexNum: 1000,
      ...options,
    },
    disk,
    clock,
    progress: (line) => progress.push(line),
    warn: (line) => warnings.push(line),
    queueDirectory,
  });
  return { store, disk, clock, progress, warnings };
}
