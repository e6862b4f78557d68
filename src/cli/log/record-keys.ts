/** Hashes under which the index may list a record: its unique key, its keys, its tag. */
import { javaHashOfBytes } from '../../lib/java-hash.ts';
import { PropertyScan } from '../../record/property-scan.ts';
import type { RecordParts } from '../../record/view.ts';
import type { Mapping } from '../../store/disk/disk.ts';
import { storedHash } from '../../store/index/index-layout.ts';

const HASH_MARK = Buffer.from('#');
const TAG_MARK = Buffer.from('T#');
const SPACE = 0x20;
const properties = new PropertyScan();

export function recordKeyHashes({ bytes, view }: Mapping, parts: RecordParts): number[] {
  const { topicOffset, topicLength, propertiesOffset, propertiesLength } = parts;
  properties.scan(bytes, view, propertiesOffset, propertiesOffset + propertiesLength);
  const topic = javaHashOfBytes(bytes, topicOffset, topicOffset + topicLength);
  const seed = javaHashOfBytes(HASH_MARK, 0, 1, topic);
  const hashes: number[] = [];
  const add = (from: number, length: number, start = seed): void => {
    if (length > 0) hashes.push(storedHash(javaHashOfBytes(bytes, from, from + length, start)));
  };
  const { uniqueKeyOffset, uniqueKeyLength, keysOffset, keysLength, tagsOffset, tagsLength } = properties;
  add(uniqueKeyOffset, uniqueKeyLength);
  let from = keysOffset;
  for (let at = keysOffset; at <= keysOffset + keysLength; at++) {
    if (at < keysOffset + keysLength && bytes[at] !== SPACE) continue;
    add(from, at - from);
    from = at + 1;
  }
  add(tagsOffset, tagsLength, javaHashOfBytes(TAG_MARK, 0, 2, seed));
  return hashes;
}
