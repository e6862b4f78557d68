/**
 * What master and slave say to each other on the replication port (RocketMQ's DefaultHAConnection and DefaultHAClient;
 * all numbers big-endian). There is no handshake and no sign of who speaks.
 *
 * Slave to master, a report, 8 bytes:
 *
 *      0 position  i64  end of the log that the slave has; the first report says where it wants to go on
 *
 * Master to slave, a chunk, 12 bytes and the log's own bytes behind them:
 *
 *      0 position  i64  where the bytes belong in the log
 *      8 length    i32  of the bytes, cut anywhere; 0 = nothing new, the master lives
 */
import { readInt64, writeInt64 } from '../lib/int64.ts';

export const REPORT_BYTES = 8;
export const CHUNK_HEAD_BYTES = 12;
/** Where a slave of ours without a log begins: 0 would mean the beginning of the master's last file. */
export const FIRST_REQUEST = 1;
const LENGTH = 8;

export function writeReport(view: DataView, at: number, position: number): void {
  writeInt64(view, at, position);
}

export function readReport(view: DataView, at: number): number {
  return readInt64(view, at);
}

export function writeChunkHead(view: DataView, at: number, position: number, length: number): void {
  writeInt64(view, at, position);
  view.setInt32(at + LENGTH, length);
}

export function chunkPosition(view: DataView, at: number): number {
  return readInt64(view, at);
}

export function chunkLength(view: DataView, at: number): number {
  return view.getInt32(at + LENGTH);
}
