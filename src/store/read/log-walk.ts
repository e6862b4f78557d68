/** The log from one end to the other, message by message: for who reads all of it at leisure. */
import { MAGIC_BLANK } from '../../record/layout.ts';
import { magicOf } from '../../record/view.ts';
import { DISPATCHED, LOG_START, type Positions } from '../../ring/positions.ts';
import { ENOENT, Unreadable } from '../disk/errors.ts';
import type { LogBytes } from '../log/log-bytes.ts';
import type { StoreReader } from './store-reader.ts';

const MARK_BYTES = 8;

/**
 * Copies of the records from `from` on, up to what is dispatched when it is asked for. `from` before the log's start
 * begins there; else a record must start at it. Throws `Unreadable`, and an Error where no record is.
 */
export function* walkLog(
  log: LogBytes,
  positions: Positions,
  reader: StoreReader,
  from: number,
): Generator<Uint8Array, void, undefined> {
  let at = Math.max(from, positions.get(LOG_START));
  while (at < positions.get(DISPATCHED)) {
    const record = reader.recordAt(at);
    if (record !== undefined) {
      yield record;
      at += record.length;
    } else if (isRestOfFile(log, at)) {
      at += log.fileSize - log.offsetOf(at);
    } else {
      throw new Error(
        `No record starts at position ${at} of the log. If it is not a position that a message or an earlier walk ` +
          'has named, the log is damaged there: `ringmq log check` says more.',
      );
    }
  }
}

/** Whether the log goes on in the next file: the next record did not fit. */
function isRestOfFile(log: LogBytes, at: number): boolean {
  if (log.fileSize - log.offsetOf(at) < MARK_BYTES) return true;
  const mark = new Uint8Array(MARK_BYTES);
  const errno = log.copy(at, MARK_BYTES, mark, 0);
  if (errno !== 0 && errno !== ENOENT) throw new Unreadable(`the log at position ${at}`, errno);
  return errno === 0 && magicOf(new DataView(mark.buffer), 0) === MAGIC_BLANK;
}
