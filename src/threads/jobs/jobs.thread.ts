/** Entry of Piscina's workers: one named export per job. */
import { move, transferableSymbol, valueSymbol } from 'piscina';
import { addon } from '../../native/addon.ts';
import { type FoundRecords, findByKey as find, type KeyQueryInput } from '../../store/read/key-query.ts';

export { followLog } from '../../store/retention/follow-log.ts';

// For the system's tools, as whenTold does for the threads that last.
addon.nameThread('job');

/** What was found is handed over, not copied. */
export function findByKey(input: KeyQueryInput): FoundRecords {
  const found = find(input);
  const moved: unknown = move({ [transferableSymbol]: found.records.buffer, [valueSymbol]: found });
  return moved as FoundRecords;
}
