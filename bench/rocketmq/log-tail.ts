/** The ends of two CommitLogs, compared byte by byte as they lie in the files. */
import fs from 'node:fs';
import path from 'node:path';

const CHUNK_BYTES = 1 << 20;

/** A CommitLog's files, each named by the position of the log at which it begins. */
class LogFiles {
  readonly #folder: string;
  readonly #starts: number[];

  constructor(store: string) {
    this.#folder = path.join(store, 'commitlog');
    const names = fs.readdirSync(this.#folder).filter((name) => /^\d{20}$/.test(name));
    this.#starts = names.map(Number).sort((one, other) => one - other);
    if (this.#starts.length === 0) throw new Error(`${this.#folder} has no file of a log`);
  }

  get first(): number {
    return this.#starts[0] as number;
  }

  /** Reads into all of `buffer` or up to the end of a file; returns how many bytes. */
  read(position: number, buffer: Uint8Array): number {
    const start = this.#starts.findLast((one) => one <= position) ?? this.first;
    const file = path.join(this.#folder, String(start).padStart(20, '0'));
    const descriptor = fs.openSync(file, 'r');
    try {
      const bytes =
        position < start ? 0 : fs.readSync(descriptor, buffer, 0, buffer.length, position - start);
      if (bytes === 0) throw new Error(`${this.#folder} has nothing at position ${position}`);
      return bytes;
    } finally {
      fs.closeSync(descriptor);
    }
  }
}

/**
 * Throws unless both stores have the same `bytes` in front of `end`, or all from the beginning of the first one's log
 * when that is less. Returns how many were compared.
 */
export function requireSameTail(store: string, other: string, end: number, bytes: number): number {
  const [one, two] = [new LogFiles(store), new LogFiles(other)];
  const [mine, theirs] = [Buffer.allocUnsafe(CHUNK_BYTES), Buffer.allocUnsafe(CHUNK_BYTES)];
  const from = Math.max(one.first, end - bytes);
  for (let position = from; position < end; ) {
    const wanted = Math.min(CHUNK_BYTES, end - position);
    const read = one.read(position, mine.subarray(0, wanted));
    const both = Math.min(read, two.read(position, theirs.subarray(0, read)));
    if (mine.compare(theirs, 0, both, 0, both) !== 0) {
      const at = position + mine.subarray(0, both).findIndex((byte, index) => byte !== theirs[index]);
      throw new Error(`the logs differ at position ${at}, ${end - at} bytes before their end`);
    }
    position += both;
  }
  return end - from;
}
