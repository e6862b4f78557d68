/** The CommitLog as a master's replication thread shows it to slaves: from the mappings of its own. */

import type { ServedLog } from '../../replication/master/slave-feed.ts';
import { APPENDED, APPENDED_TIME, LOG_START, type Positions } from '../../ring/positions.ts';
import type { Segments } from '../../store/log/segments.ts';

export function servedLog(segments: Segments, positions: Positions): ServedLog {
  return {
    get start() {
      return positions.get(LOG_START);
    },
    get end() {
      return positions.get(APPENDED);
    },
    get newest() {
      return positions.get(APPENDED_TIME);
    },
    fileSize: segments.fileSize,
    bytes: (position, length) => {
      const mapping = segments.at(position);
      if (mapping === undefined) return undefined;
      const at = segments.offsetOf(position);
      return mapping.bytes.subarray(at, Math.min(at + length, mapping.size));
    },
  };
}
