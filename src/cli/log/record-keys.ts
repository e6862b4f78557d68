/** Hashes under which the index may list a record: its unique key, its keys, its tag. */
import { javaHashOfBytes } from '../../lib/java-hash.ts';
import { PropertyScan } from '../../record/property-scan.ts';
import type { RecordParts } from '../../record/view.ts';
import type { Mapping } from '../../store/disk/disk.ts';
import { storedHash } from '../../store/index/index-layout.ts';
import type { RecordLookup } from './record-lookup.ts';

const HASH_MARK = Buffer.from('#');
const TAG_MARK = Buffer.from('T#');
const SPACE = 0x20;
const properties = new PropertyScan();

/** Why an index entry with this hash must not point to `physical`; undefined when the record there has such a key. */
export function indexEntryProblem(records: RecordLookup, physical: number, hash: number): string | undefined {
  const absent = records.problemAt(physical);
  const { mapping, check } = records;
  if (absent !== undefined || mapping === undefined) return absent;
  if (recordKeyHashes(mapping, check.parts).includes(hash)) return undefined;
  return `the record there has no key with the hash ${hash}`;
}

export function recordKeyHashes(mapping: Mapping, parts: RecordParts): number[] {
  const hashes: number[] = [];
  eachKey(mapping, parts, (hash) => hashes.push(hash));
  return hashes;
}

export interface RecordKey {
  /** The text that was hashed, after `topic#`. */
  key: string;
  /** As the index stores it. */
  hash: number;
}

export function recordKeys(mapping: Mapping, parts: RecordParts): RecordKey[] {
  const keys: RecordKey[] = [];
  const text = Buffer.from(mapping.bytes.buffer, mapping.bytes.byteOffset, mapping.size);
  eachKey(mapping, parts, (hash, from, length, isTag) =>
    keys.push({ key: (isTag ? 'T#' : '') + text.toString('utf8', from, from + length), hash }),
  );
  return keys;
}

type VisitKey = (hash: number, from: number, length: number, isTag: boolean) => void;

function eachKey({ bytes, view }: Mapping, parts: RecordParts, visit: VisitKey): void {
  const { topicOffset, topicLength, propertiesOffset, propertiesLength } = parts;
  properties.scan(bytes, view, propertiesOffset, propertiesOffset + propertiesLength);
  const topic = javaHashOfBytes(bytes, topicOffset, topicOffset + topicLength);
  const seed = javaHashOfBytes(HASH_MARK, 0, 1, topic);
  const add = (from: number, length: number, start = seed, isTag = false): void => {
    if (length > 0)
      visit(storedHash(javaHashOfBytes(bytes, from, from + length, start)), from, length, isTag);
  };
  const { uniqueKeyOffset, uniqueKeyLength, keysOffset, keysLength, tagsOffset, tagsLength } = properties;
  add(uniqueKeyOffset, uniqueKeyLength);
  let from = keysOffset;
  for (let at = keysOffset; at <= keysOffset + keysLength; at++) {
    if (at < keysOffset + keysLength && bytes[at] !== SPACE) continue;
    add(from, at - from);
    from = at + 1;
  }
  add(tagsOffset, tagsLength, javaHashOfBytes(TAG_MARK, 0, 2, seed), true);
}
