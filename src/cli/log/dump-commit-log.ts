/** CommitLog files, record by record. */
import { join } from 'node:path';
import { MAGIC_BLANK } from '../../record/layout.ts';
import type { Disk, Mapping } from '../../store/disk/disk.ts';
import { firstNonZeroInFile, nextSound } from '../../store/log/find-record.ts';
import { RecordCheck } from '../../store/log/record-check.ts';
import type { DumpFile, Item } from './item.ts';
import { hex, recordFields } from './record-fields.ts';
import type { StoreFiles } from './store-files.ts';

/** Bytes of damage that --hex shows. */
const SHOWN_DAMAGE = 128;

/** The file of this name; `from` = position in the log before which nothing is shown. */
export function dumpCommitLogFile(disk: Disk, store: StoreFiles, name: string, from: number): DumpFile {
  const path = join(store.commitLogDirectory, name);
  const size = disk.size(path);
  const start = Number(name);
  return {
    path: `commitlog/${name}`,
    about: `CommitLog: records one behind the other; this file holds the positions ${start} to ${start + size - 1}.`,
    items: items(disk, path, start, size, from),
  };
}

function* items(disk: Disk, path: string, start: number, size: number, from: number): Iterable<Item> {
  if (size === 0) return;
  const mapping = disk.map(path, size);
  if (typeof mapping === 'number') throw new Error(`${path} cannot be read (errno ${-mapping}).`);
  try {
    yield* records(mapping, start, from, (at) => firstNonZeroInFile(disk, path, at) < 0);
  } finally {
    mapping.close();
  }
}

function* records(
  mapping: Mapping,
  start: number,
  from: number,
  isEmptyFrom: (at: number) => boolean,
): Iterable<Item> {
  const check = new RecordCheck();
  let at = 0;
  while (at < mapping.size) {
    if (check.check(mapping, at, start, false)) {
      if (start + at >= from)
        yield check.blank ? blank(start + at, check.size) : record(mapping, check, start, at);
      at += check.size;
      continue;
    }
    if (isEmptyFrom(at)) return;
    const next = nextSound(mapping, at + 1, start);
    yield unsound(mapping, start, at, next, check.reason);
    if (next < 0) return;
    at = next;
  }
}

function record(mapping: Mapping, check: RecordCheck, start: number, at: number): Item {
  const bytes = mapping.bytes.subarray(at, at + check.size);
  const crcHolds = new RecordCheck().check(mapping, at, start);
  return { what: 'record', at: start + at, fields: recordFields(bytes, crcHolds), bytes };
}

function blank(position: number, size: number): Item {
  return {
    what: 'BLANK',
    at: position,
    fields: [
      { at: 0, name: 'size', value: size, meaning: 'bytes left in this file: the next record did not fit' },
      { at: 4, name: 'magic', value: hex(MAGIC_BLANK), meaning: 'the log goes on in the next file' },
    ],
  };
}

function unsound(mapping: Mapping, start: number, at: number, next: number, reason: string): Item {
  return {
    what: 'no record',
    at: start + at,
    fields: [
      { name: 'reason', value: reason },
      { name: 'next sound record', value: next < 0 ? 'none in this file' : start + next },
    ],
    bytes: mapping.bytes.subarray(at, Math.min(at + SHOWN_DAMAGE, next < 0 ? mapping.size : next)),
  };
}
