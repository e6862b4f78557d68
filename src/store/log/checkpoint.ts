/**
 * The checkpoint file: how far log, queues and index are durable. 4096 bytes, six big-endian i64 (RocketMQ 5.5):
 *
 *      0 physicMsgTimestamp     store time of a record known to be durable in the log
 *      8 logicsMsgTimestamp     store time of the last record whose queue entries are durable
 *     16 indexMsgTimestamp      store time of the last record in a completed index file
 *     24 masterFlushedOffset    of a slave: what request 908 has set
 *     32 confirmPhyOffset       0 here
 *     40 logicsPhysicalOffset   start of the record of logicsMsgTimestamp; crash recovery scans from there
 *
 * 8 and 40 are sampled before the queues are synced and written together after it: too low a value costs time, too
 * high a value would lose queue entries.
 */
import { readInt64, writeInt64 } from '../../lib/int64.ts';
import type { Disk } from '../disk/disk.ts';

const CHECKPOINT_BYTES = 4096;

export interface Checkpoint {
  logTimestamp: number;
  queueTimestamp: number;
  indexTimestamp: number;
  masterFlushedOffset: number;
  confirmOffset: number;
  queuePhysicalOffset: number;
}

const FIELDS = [
  ['logTimestamp', 0],
  ['queueTimestamp', 8],
  ['indexTimestamp', 16],
  ['masterFlushedOffset', 24],
  ['confirmOffset', 32],
  ['queuePhysicalOffset', 40],
] as const;

export function emptyCheckpoint(): Checkpoint {
  return {
    logTimestamp: 0,
    queueTimestamp: 0,
    indexTimestamp: 0,
    masterFlushedOffset: 0,
    confirmOffset: 0,
    queuePhysicalOffset: 0,
  };
}

/** Reads the file; a missing or short one counts as all zeros, from which recovery scans everything. */
export function readCheckpoint(disk: Disk, path: string): Checkpoint {
  const checkpoint = emptyCheckpoint();
  const bytes = disk.readWhole(path);
  if (bytes === undefined || bytes.length < 48) return checkpoint;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const [name, offset] of FIELDS) checkpoint[name] = readInt64(view, offset);
  return checkpoint;
}

export function writeCheckpoint(disk: Disk, path: string, checkpoint: Checkpoint): void {
  const bytes = new Uint8Array(CHECKPOINT_BYTES);
  const view = new DataView(bytes.buffer);
  for (const [name, offset] of FIELDS) writeInt64(view, offset, checkpoint[name]);
  disk.writeWhole(path, bytes);
}
