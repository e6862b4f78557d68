/** The record at a position of the log, for checking what points there. */
import type { Disk, Mapping } from '../../store/disk/disk.ts';
import { nextSound } from '../../store/log/find-record.ts';
import { RecordCheck } from '../../store/log/record-check.ts';
import { Segments } from '../../store/log/segments.ts';
import type { StoreFiles } from './store-files.ts';

export class RecordLookup {
  readonly check = new RecordCheck();
  /** Of the record found last: its file, and where in it the record begins. */
  mapping: Mapping | undefined;
  at = 0;
  readonly #segments: Segments;
  readonly #size: number;

  constructor(disk: Disk, store: StoreFiles) {
    this.#segments = new Segments(disk, store.commitLogDirectory, Math.max(1, store.logFileSize));
    this.#size = store.logFileSize;
  }

  /** Why no record begins at `position`; undefined when one does. Bodies were checked with the log, so not here. */
  problemAt(position: number): string | undefined {
    if (this.#size === 0 || position < 0) return 'the log has no such position';
    const mapping = this.#segments.at(position);
    if (mapping === undefined) return 'the log has no file for this position';
    this.mapping = mapping;
    this.at = position % this.#size;
    if (!this.check.check(mapping, this.at, position - this.at, false)) return this.check.reason;
    return this.check.blank ? 'a BLANK stands there' : undefined;
  }

  /** The last sound record that begins before `position`, in the same file. */
  recordBefore(position: number): { at: number; size: number } | undefined {
    const mapping = this.#segments.at(position);
    if (mapping === undefined) return undefined;
    const start = position - (position % this.#size);
    const check = new RecordCheck();
    let before: { at: number; size: number } | undefined;
    for (let at = 0; start + at < position; ) {
      if (check.check(mapping, at, start, false)) {
        if (!check.blank) before = { at: start + at, size: check.size };
        at += check.size;
        continue;
      }
      const next = nextSound(mapping, at + 1, start);
      if (next < 0) break;
      at = next;
    }
    return before;
  }

  close(): void {
    this.#segments.close();
  }
}
