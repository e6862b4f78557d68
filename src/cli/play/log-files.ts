/** The CommitLog's files as they lie on the disk, read beside whoever writes them. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { decodeRecord } from '../../record/decode.ts';
import { PROPERTY_UNIQUE_KEY } from '../../record/properties.ts';
import type { Mapping } from '../../store/disk/disk.ts';
import { readOnlyDisk } from '../../store/disk/read-only-disk.ts';
import { endOfDirt, nextSound } from '../../store/log/find-record.ts';
import { RecordCheck } from '../../store/log/record-check.ts';
import { fileNameOf } from '../../store/log/segments.ts';
import { positionFiles } from '../log/store-files.ts';
import { SEGMENT_BYTES } from './play-store.ts';

const BLOCK_BYTES = 512;

/** A record that recovery would call sound. Offsets from the beginning of the log. */
export interface SoundRecord {
  readonly position: number;
  readonly size: number;
  readonly bodyAt: number;
  readonly bodyLength: number;
}

/** A file of the log. */
export interface Segment {
  /** First position; the file's name. */
  readonly start: number;
  readonly size: number;
  /** Bytes from its beginning that have room on the disk. */
  readonly allocated: number;
  readonly records: readonly SoundRecord[];
  /** Where the last sound record, or the BLANK, ends. */
  readonly end: number;
  /** Ranges that hold neither records nor zeros: [from, to) positions. */
  readonly damaged: readonly (readonly [from: number, to: number])[];
}

/** In order. A file that goes while it is looked at is left out. */
export function readLog(directory: string): Segment[] {
  return positionFiles(readOnlyDisk, directory).flatMap((name) => {
    const segment = readSegment(join(directory, name), Number(name));
    return segment === undefined ? [] : [segment];
  });
}

function readSegment(path: string, start: number): Segment | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  const mapping = readOnlyDisk.map(path, SEGMENT_BYTES);
  if (stat === undefined || typeof mapping === 'number') return undefined;
  try {
    const allocated = Math.min(SEGMENT_BYTES, stat.blocks * BLOCK_BYTES);
    return { start, size: SEGMENT_BYTES, allocated, ...walk(mapping, path, start) };
  } finally {
    mapping.close();
  }
}

function walk(mapping: Mapping, path: string, start: number): Pick<Segment, 'records' | 'end' | 'damaged'> {
  const check = new RecordCheck();
  const records: SoundRecord[] = [];
  const damaged: [number, number][] = [];
  let at = 0;
  while (at < mapping.size) {
    if (check.check(mapping, at, start)) {
      const { bodyOffset, bodyLength } = check.parts;
      if (!check.blank)
        records.push({ position: start + at, size: check.size, bodyAt: start + bodyOffset, bodyLength });
      at += check.size;
      continue;
    }
    const next = nextSound(mapping, at + 1, start);
    const to = next >= 0 ? next : endOfDirt(readOnlyDisk, path, at, mapping.size);
    if (to > at) damaged.push([start + at, start + to]);
    if (next < 0) break;
    at = next;
  }
  return { records, end: start + at, damaged };
}

/** Unique keys of all messages in sound records. */
export function keysIn(directory: string, segments: readonly Segment[]): Set<string> {
  const keys = new Set<string>();
  for (const { start, size, records } of segments) {
    const mapping = readOnlyDisk.map(join(directory, fileNameOf(start)), size);
    if (typeof mapping === 'number') continue;
    for (const { position, size: bytes } of records) {
      const at = position - start;
      const message = decodeRecord(mapping.bytes.subarray(at, at + bytes));
      const key = message?.properties.get(PROPERTY_UNIQUE_KEY);
      if (key !== undefined) keys.add(key);
    }
    mapping.close();
  }
  return keys;
}
