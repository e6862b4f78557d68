/** A message by its position in the CommitLog, as offset ids name it. */
import { queueIdOf, queueOffsetOf, RecordParts } from '../../record/view.ts';
import type { StoreReads } from '../../store/read/store-reads.ts';

/** The stored record; undefined when none starts there, and when it is purged. Any position may be asked for. */
export function messageAt(store: StoreReads, position: number): Uint8Array | undefined {
  const inRange = position >= store.minPhysicalOffset && position < store.maxPhysicalOffset;
  const record = inRange ? store.recordAt(position) : undefined;
  return record === undefined || isBeforeItsQueue(store, record) ? undefined : record;
}

/** The log still has the messages of a topic that were purged; its queues begin behind them. */
function isBeforeItsQueue(store: StoreReads, record: Uint8Array): boolean {
  const parts = new RecordParts();
  const view = new DataView(record.buffer, record.byteOffset, record.length);
  if (!parts.locate(view, 0, record.length)) return false;
  const { topicOffset: at, topicLength } = parts;
  const topic = Buffer.from(record.buffer, record.byteOffset + at, topicLength).toString('utf8');
  return queueOffsetOf(view, 0) < store.minOffset(topic, queueIdOf(view, 0));
}
