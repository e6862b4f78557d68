/**
 * Writing again what recovery trusts, before it is synced.
 *
 * A page whose write-back failed is clean afterwards, as ext4 has it: it still reads well, and no sync carries it to
 * the disk any more. In the boot of the crash nobody can tell such pages from others, so everything that is not known
 * to be durable is written once more; then a sync means what it says.
 */
import type { Disk, Mapping } from '../disk/disk.ts';
import { firstNonZero } from '../log/find-record.ts';
import type { Segments } from '../log/segments.ts';
import { requireMapping } from './context.ts';

const PAGE = 4096;
const CHUNK = 1024 * 1024;

/** Writes [from, to) of the log again; `from` may lie anywhere. Throws when the disk refuses. */
export function writeLogAgain(disk: Disk, segments: Segments, from: number, to: number): void {
  let at = from - (segments.offsetOf(from) % PAGE);
  const memory = disk.memory(Math.max(PAGE, Math.min(CHUNK, to - at)));
  while (at < to) {
    const inFile = segments.offsetOf(at);
    const length = Math.min(CHUNK, to - at, segments.fileSize - inFile);
    const mapping = requireMapping(segments, at);
    memory.bytes.set(mapping.bytes.subarray(inFile, inFile + length));
    if (mapping.error() !== 0) throw new Error(`cannot read the log at ${at} (errno ${mapping.error()})`);
    const outcome = mapping.append(inFile, memory, 0, length);
    if (outcome < 0) throw new Error(`cannot write the log again at ${at} (errno ${-outcome})`);
    at += length;
    segments.dropBefore(at);
  }
}

/** The same for a mapped file that is sparse: pages that hold nothing are left alone. 0 or -errno. */
export function writeFileAgain(disk: Disk, mapping: Mapping): number {
  const memory = disk.memory(PAGE);
  for (let at = 0; at < mapping.size; at += PAGE) {
    const length = Math.min(PAGE, mapping.size - at);
    const page = mapping.bytes.subarray(at, at + length);
    if (firstNonZero(page, 0) < 0) continue;
    memory.bytes.set(page);
    const outcome = mapping.append(at, memory, 0, length);
    if (outcome < 0) return outcome;
  }
  return mapping.error() === 0 ? 0 : -mapping.error();
}
