/** What the limit has stored, read with the readers of the project. */
import fs from 'node:fs';
import path from 'node:path';
import { javaHashCode } from '../../../src/lib/java-hash.ts';
import { decodeRecord, type StoredMessage } from '../../../src/record/decode.ts';
import { readOnlyDisk } from '../../../src/store/disk/read-only-disk.ts';
import { IndexReader } from '../../../src/store/index/index-reader.ts';
import { RecordCheck } from '../../../src/store/log/record-check.ts';
import { LOG_FILE_BYTES } from './limit-server.ts';

export interface FoundRecord {
  message: StoredMessage;
  size: number;
}

/** All sound records of the log, in order: magic, size, position, CRC and text are those of RocketMQ. */
export function recordsOf(store: string): FoundRecord[] {
  const found: FoundRecord[] = [];
  const folder = path.join(store, 'commitlog');
  const check = new RecordCheck();
  for (const name of fs.readdirSync(folder).sort()) {
    const mapping = readOnlyDisk.map(path.join(folder, name), LOG_FILE_BYTES);
    if (typeof mapping === 'number') throw new Error(`${name}: errno ${-mapping}`);
    let at = 0;
    while (check.check(mapping, at, Number(name)) && !check.blank) {
      const message = decodeRecord(Uint8Array.from(mapping.bytes.subarray(at, at + check.size)));
      if (message === undefined) throw new Error(`${name}: no record at ${at}`);
      found.push({ message, size: check.size });
      at += check.size;
    }
    mapping.close();
    if (!check.blank) return found;
  }
  return found;
}

const ENTRY_BYTES = 20;

/** The entry of a queue: position, size, code of the tags. */
export function queueEntry(store: string, topic: string, queueId: number, offset: number): number[] {
  const folder = path.join(store, 'consumequeue', topic, String(queueId));
  const [first = ''] = fs.readdirSync(folder).sort();
  const file = fs.openSync(path.join(folder, first), 'r');
  const entry = Buffer.alloc(ENTRY_BYTES);
  fs.readSync(file, entry, 0, ENTRY_BYTES, offset * ENTRY_BYTES);
  fs.closeSync(file);
  return [Number(entry.readBigInt64BE(0)), entry.readInt32BE(8), Number(entry.readBigInt64BE(12))];
}

/** Places in the log that the index names for a key. */
export function indexedPlaces(store: string, topic: string, key: string): number[] {
  const geometry = { slots: 5_000_000, entries: 20_000_000 };
  const reader = new IndexReader(readOnlyDisk, path.join(store, 'index'), geometry);
  const places: number[] = [];
  reader.find(javaHashCode(`${topic}#${key}`), 0, Number.MAX_SAFE_INTEGER, 32, (place) => {
    places.push(place);
    return true;
  });
  return places;
}
