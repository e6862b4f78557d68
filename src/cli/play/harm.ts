/** What play does to the log's files while no broker has them: a torn tail, a byte that has turned. */
import { closeSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileNameOf } from '../../store/log/segments.ts';
import { Failure } from '../admin/failure.ts';
import { counted } from '../admin/output.ts';
import { readLog, type Segment, type SoundRecord } from './log-files.ts';

export interface Harm {
  /** Start of the first record that is not sound any more, and end of the last one. */
  readonly at: number;
  readonly until: number;
  /** What was changed: [from, to) positions. */
  readonly from: number;
  readonly to: number;
  /** Records that were harmed. */
  readonly records: number;
}

/**
 * Zeros from the middle of the record that is the `count`th from the end, to the end of the log: how pages look that
 * never reached the disk. All of it in the last file that has records.
 */
export function tear(directory: string, count: number): Harm {
  const { segment, records } = lastRecords(directory, 'tear');
  if (count > records.length)
    throw new Failure(
      `The last file of the log has ${counted(records.length, 'record')}: tear ${count} is more than that.`,
    );
  const first = records[records.length - count] as SoundRecord;
  const last = records.at(-1) as SoundRecord;
  const from = first.position + Math.floor(first.size / 2);
  const to = last.position + last.size;
  change(directory, segment, from, Buffer.alloc(to - from));
  return { at: first.position, until: to, from, to, records: count };
}

/** Turns one bit in the middle of a body: of the record before the last `back` ones, which stay as they are. */
export function flip(directory: string, back: number): Harm {
  const { segment, records } = lastRecords(directory, 'flip');
  const victim = records[records.length - 1 - back];
  if (victim === undefined)
    throw new Failure(
      `The last file of the log has ${counted(records.length, 'record')}: none lies before the last ${back}.`,
    );
  const at = victim.bodyAt + Math.floor(victim.bodyLength / 2);
  const byte = Buffer.alloc(1);
  inFile(directory, segment, (descriptor) => readSync(descriptor, byte, 0, 1, at - segment.start));
  byte[0] = (byte[0] as number) ^ 1;
  change(directory, segment, at, byte);
  return { at: victim.position, until: victim.position + victim.size, from: at, to: at + 1, records: 1 };
}

function lastRecords(directory: string, what: string): { segment: Segment; records: readonly SoundRecord[] } {
  const segment = readLog(directory).findLast(({ records }) => records.length > 0);
  if (segment === undefined) throw new Failure(`There is nothing to ${what}: the log has no message yet.`);
  return { segment, records: segment.records };
}

function change(directory: string, segment: Segment, position: number, bytes: Uint8Array): void {
  inFile(directory, segment, (descriptor) => {
    writeSync(descriptor, bytes, 0, bytes.length, position - segment.start);
    fsyncSync(descriptor);
  });
}

function inFile(directory: string, { start }: Segment, action: (descriptor: number) => void): void {
  const descriptor = openSync(join(directory, fileNameOf(start)), 'r+');
  try {
    action(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
