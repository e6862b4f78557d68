/** What else lies in a store: files of RocketMQ that RingMQ does not read, and files that no broker puts there. */
import { join, relative } from 'node:path';
import type { Disk, RangeFile } from '../../../store/disk/disk.ts';
import type { DumpFile, Item } from '../item.ts';
import type { StoreFiles } from '../store-files.ts';
import { BATCH_QUEUE, QUEUE_EXTENSION } from './formats/consume-queue.ts';
import { formatOf } from './formats/formats.ts';
import { type PieceSpec, placeFields } from './formats/shape.ts';

const SHOWN_BYTES = 64;
const PIECE_BYTES = 4096;
/** Folders below the root that are looked into. */
const MOST_DEPTH = 8;
const DATABASE = formatOf('rocksdbstore/CURRENT');

/** All files that are not among the `known` ones; a database is one. */
export function otherFiles(
  disk: Disk,
  { root, commitLogDirectory }: StoreFiles,
  known: readonly DumpFile[],
): DumpFile[] {
  const sources = new Set(known.map(({ source }) => source));
  const files: DumpFile[] = [];
  const look = (directory: string, depth: number): void => {
    for (const name of disk.list(directory).sort()) {
      const source = join(directory, name);
      const isInLog = source.startsWith(`${commitLogDirectory}/`);
      const path = isInLog ? `commitlog/${relative(commitLogDirectory, source)}` : relative(root, source);
      if (disk.isDirectory(source)) {
        const isDatabase = DATABASE !== undefined && formatOf(`${path}/`) === DATABASE;
        if (isDatabase) files.push(database(`${path}/`, source, disk.list(source).length));
        else if (depth < MOST_DEPTH && source !== commitLogDirectory) look(source, depth + 1);
      } else if (!sources.has(source)) files.push(otherFile(disk, path, source));
    }
  };
  look(root, 0);
  look(commitLogDirectory, 0);
  return files;
}

function database(path: string, source: string, count: number): DumpFile {
  const items: Item[] = [{ what: 'folder', at: 0, fields: [{ name: 'files', value: count }] }];
  return { path, source, about: 'A database of RocketMQ.', format: DATABASE, items };
}

function otherFile(disk: Disk, path: string, source: string): DumpFile {
  const format = formatOf(path);
  const about = `${path}: ${format?.about ?? 'a file that no broker puts here.'}`;
  const [piece] = format === QUEUE_EXTENSION || format === BATCH_QUEUE ? (format.pieces ?? []) : [];
  const damage = () => strange(path, format);
  return { path, source, about, format, items: items(disk, source, piece), damage };
}

function strange(path: string, format: DumpFile['format']): { at: number; text: string }[] {
  if (format !== undefined || !path.startsWith('commitlog/')) return [];
  return [{ at: 0, text: 'it does not belong here: no RocketMQ starts while it is in this directory' }];
}

function* items(disk: Disk, path: string, piece: PieceSpec | undefined): Iterable<Item> {
  const file = disk.open(path, -1);
  if (typeof file === 'number') throw new Error(`${path} cannot be read (errno ${-file}).`);
  try {
    if (piece !== undefined) yield* pieces(file, piece);
    else
      yield {
        what: 'its beginning',
        at: 0,
        fields: [{ name: 'size', value: file.size() }],
        bytes: bytesAt(file, 0, SHOWN_BYTES),
      };
  } finally {
    file.close();
  }
}

/** Up to the first that is empty, or leads out of the file. */
function* pieces(file: RangeFile, piece: PieceSpec): Iterable<Item> {
  for (let at = 0; ; ) {
    const bytes = bytesAt(file, at, PIECE_BYTES);
    const placed = placeFields(piece, bytes);
    const last = placed.at(-1);
    const size = last === undefined || placed.length < piece.fields.length ? 0 : last.at + last.bytes;
    if (size === 0 || !bytes.subarray(0, size).some((byte) => byte !== 0)) return;
    yield { what: piece.name, at, fields: [], bytes: bytes.subarray(0, size), piece };
    at += size;
  }
}

function bytesAt(file: RangeFile, at: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  return bytes.subarray(0, Math.max(0, file.read(at, bytes, 0, length)));
}
