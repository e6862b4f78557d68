/** What several suites stand on. */
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { encodeRecord } from '../../src/record/encode.ts';
import type { HostAddress } from '../../src/record/message-id.ts';
import type { Bulk } from '../../src/ring/bulk.ts';
import { Positions } from '../../src/ring/positions.ts';
import { nativeDisk } from '../../src/store/disk/native-disk.ts';
import { CommitLog } from '../../src/store/log/commit-log.ts';
import { Segments } from '../../src/store/log/segments.ts';
import { QueueDirectory } from '../../src/store/queue/queue-directory.ts';
import { BODY_BYTES, TOPIC } from './samples.ts';

export const HOST: HostAddress = { address: new Uint8Array([127, 0, 0, 1]), port: 10911 };
export const PROPERTY_SUFFIX =
  'MSG_REGION\x01DefaultRegion\x02TRACE_ON\x01true\x02CLUSTER\x01DefaultCluster\x02';
export const QUEUES = 4;
export const LOG_FILE_BYTES = 64 << 20;
const ROOM_FOR_QUEUES = 64;

/** A socket that takes everything at once. */
export const fakeSocket = { write: () => true, writableLength: 0 } as unknown as Socket;

/** The record of message `n`, as a network thread hands it to the writer. */
export function sampleRecord(n: number, queueId = n % QUEUES): Uint8Array {
  const counter = n.toString(16).toUpperCase().padStart(8, '0');
  const properties =
    `KEYS\x01K${counter}\x02UNIQ_KEY\x017F0000010000A1B200000000${counter}\x02` +
    `WAIT\x01true\x02TAGS\x01Tag${n % 3}\x02${PROPERTY_SUFFIX}`;
  const head = {
    queueId,
    flag: 0,
    sysFlag: 0,
    bornTimestamp: 1_750_000_000_000,
    bornHost: HOST,
    storeHost: HOST,
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
  };
  return encodeRecord(head, Buffer.from(TOPIC), new Uint8Array(BODY_BYTES).fill(n), Buffer.from(properties));
}

export interface BenchLog {
  segments: Segments;
  positions: Positions;
  directory: QueueDirectory;
  log: CommitLog;
}

/** An empty log of files that are really mapped. */
export function openLog(folder: string): BenchLog {
  const directory = join(folder, 'commitlog');
  nativeDisk.makeDirectory(directory);
  const segments = new Segments(nativeDisk, directory, LOG_FILE_BYTES);
  const positions = new Positions();
  const queues = QueueDirectory.plain(ROOM_FOR_QUEUES);
  const log = new CommitLog(segments, positions, queues, { position: 0, storeTimestamp: 1_750_000_000_000 });
  return { segments, positions, directory: queues, log };
}

/** Directory id of a queue. */
export function queueIdOf(queue: number): number {
  return queue + 1;
}

/** Appends `records` messages to the queues in turn. */
export function fill({ log }: BenchLog, records: number): void {
  for (let n = 0; n < records; n++) {
    const record = sampleRecord(n);
    const source: Bulk = { region: 0, bytes: record, view: new DataView(record.buffer) };
    log.append(source, 0, record.length, queueIdOf(n % QUEUES));
  }
  log.publish();
}
