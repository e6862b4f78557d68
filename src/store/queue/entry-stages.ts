/**
 * Buffers in which queues gather entries until they are written. However many queues there are, only those of one round
 * have a buffer at a time, and always the same few: they stay in the processor's caches, and an idle queue has none.
 */

import { ENTRY_BYTES } from './consume-queue.ts';

export interface EntryStage {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

const FIRST_BYTES = 16 * ENTRY_BYTES;
/** Larger ones are not kept. */
const KEPT_BYTES_MAX = 4096;
const KEPT_MAX = 1024;

function makeStage(length: number): EntryStage {
  const bytes = new Uint8Array(length);
  return { bytes, view: new DataView(bytes.buffer) };
}

export class EntryStages {
  readonly #free: EntryStage[] = [];

  take(): EntryStage {
    return this.#free.pop() ?? makeStage(FIRST_BYTES);
  }

  /** One of twice the size with the same content, in exchange. */
  grow(stage: EntryStage): EntryStage {
    const grown = makeStage(stage.bytes.length * 2);
    grown.bytes.set(stage.bytes);
    this.giveBack(stage);
    return grown;
  }

  giveBack(stage: EntryStage): void {
    if (stage.bytes.length <= KEPT_BYTES_MAX && this.#free.length < KEPT_MAX) this.#free.push(stage);
  }
}
