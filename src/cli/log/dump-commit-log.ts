/** CommitLog files, and what recovery has taken out of them, record by record. */
import { basename, join } from 'node:path';
import { physicalOffsetOf } from '../../record/view.ts';
import type { Disk, Mapping } from '../../store/disk/disk.ts';
import { firstNonZeroInFile, nextSound } from '../../store/log/find-record.ts';
import { RecordCheck } from '../../store/log/record-check.ts';
import { cutDirectory } from '../../store/paths.ts';
import { BLANK, COMMIT_LOG, CUT, RECORD } from './explain/formats/commit-log.ts';
import { pieceFields } from './explain/piece-fields.ts';
import { damageAt, recordDamage } from './explain/unsound.ts';
import type { Damage, DumpFile, Item } from './item.ts';
import { recordFields } from './record-fields.ts';
import type { StoreFiles } from './store-files.ts';

/** Bytes of damage that --hex shows; of what is a record in part, more. */
const SHOWN_DAMAGE = 128;
const SHOWN_PART = 4096;
const CUT_NAME = /^(\d{20})\.cut(?:-(\d{20}))?(?:\.\d+)?$/;

/** The file of this name; `from` = position in the log before which nothing is shown. */
export function dumpCommitLogFile(disk: Disk, store: StoreFiles, name: string, from: number): DumpFile {
  const path = join(store.commitLogDirectory, name);
  const size = disk.size(path);
  const start = Number(name);
  return {
    path: `commitlog/${name}`,
    source: path,
    format: COMMIT_LOG,
    about: `CommitLog: records one behind the other; this file holds the positions ${start} to ${start + size - 1}.`,
    items: items(disk, path, start, size, from),
    damage: () => fileDamage(store, name, size),
  };
}

/** What recovery has set aside, if anything. */
export function dumpCutFiles(disk: Disk, store: StoreFiles): DumpFile[] {
  const directory = cutDirectory(store.commitLogDirectory);
  return disk
    .list(directory)
    .filter((name) => CUT_NAME.test(name))
    .sort()
    .map((name) => {
      const [, from, file] = CUT_NAME.exec(name) ?? [];
      const start = Number(file ?? from);
      const path = join(directory, name);
      return {
        path: `commitlog/ringmq.cut/${basename(path)}`,
        source: path,
        format: CUT,
        about: `Taken out of the log by recovery: its bytes from position ${start} on.`,
        items: withoutDamage(items(disk, path, start, disk.size(path), 0)),
      };
    });
}

/** That it was damaged, or begins within a record, is why it lies there. */
function* withoutDamage(items: Iterable<Item>): Iterable<Item> {
  for (const item of items) {
    delete item.damage;
    yield item;
  }
}

function fileDamage({ logFileSize, logFiles }: StoreFiles, name: string, size: number): Damage[] {
  const damage: Damage[] = [];
  if (size !== logFileSize && !(size === 0 && name === logFiles.at(-1)))
    damage.push({
      at: size,
      text: `the file ends here: it has ${size} bytes, the others have ${logFileSize}`,
    });
  if (logFileSize > 0 && Number(name) % logFileSize !== 0)
    damage.push({ at: 0, text: `its name is no multiple of the size of the files, ${logFileSize} bytes` });
  return damage;
}

function* items(disk: Disk, path: string, start: number, size: number, from: number): Iterable<Item> {
  if (size <= 0) return;
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
    if (check.check(mapping, at, start, false) || endsWithFile(mapping, check, start, at)) {
      if (start + at >= from)
        yield check.blank ? blank(mapping, start, at) : recordItem(mapping, check.size, start, at);
      at += check.size;
      continue;
    }
    if (isEmptyFrom(at)) return;
    const next = nextSound(mapping, at + 1, start);
    yield unsound(mapping, start, at, next, check);
    if (next < 0) return;
    at = next;
  }
}

/** What was taken out of the log may end right behind its last record. */
function endsWithFile({ view, size }: Mapping, check: RecordCheck, start: number, at: number): boolean {
  if (check.reason !== 'size does not fit' || check.blank || at + check.size !== size) return false;
  const isWhole = check.parts.locate(view, at, size) && check.parts.size === check.size;
  return isWhole && physicalOffsetOf(view, at) === start + at;
}

/** The record of `size` bytes at `at` of the file that begins at position `start`. */
export function recordItem(mapping: Mapping, size: number, start: number, at: number): Item {
  const bytes = mapping.bytes.subarray(at, at + size);
  const damage = damageAt(mapping, at, start);
  return {
    what: 'record',
    at: start + at,
    // Of most records only the damage is asked for.
    get fields() {
      return recordFields(bytes, damage === undefined);
    },
    bytes,
    piece: RECORD,
    byte: at,
    ...(damage === undefined ? {} : { damage: [damage] }),
  };
}

function blank(mapping: Mapping, start: number, at: number): Item {
  const bytes = mapping.bytes.subarray(at, at + 8);
  const fields = pieceFields(BLANK, bytes).map(({ at, name, value, spec }) => ({
    at,
    name,
    value,
    meaning: spec.meaning,
  }));
  return { what: 'BLANK', at: start + at, fields, bytes, piece: BLANK, byte: at };
}

function unsound(mapping: Mapping, start: number, at: number, next: number, check: RecordCheck): Item {
  // Something of a record stands there: its fields are shown as far as they go.
  const isPart = check.reason !== 'no magic';
  const shown = isPart ? SHOWN_PART : SHOWN_DAMAGE;
  const item: Item = {
    what: 'no record',
    at: start + at,
    fields: [
      { name: 'reason', value: check.reason },
      { name: 'next sound record', value: next < 0 ? 'none in this file' : start + next },
    ],
    bytes: mapping.bytes.subarray(at, Math.min(at + shown, next < 0 ? mapping.size : next)),
    byte: at,
    damage: [recordDamage(mapping, at, start, check.reason)],
  };
  return isPart ? { ...item, piece: RECORD } : item;
}
