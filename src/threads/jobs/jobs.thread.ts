/** Entry of Piscina's workers: one named export per job. */
import { move, transferableSymbol, valueSymbol } from 'piscina';
import { type FoundRecords, findByKey as find, type KeyQueryInput } from '../../store/read/key-query.ts';

export { followLog } from '../../store/retention/follow-log.ts';

/** What was found is handed over, not copied. */
export function findByKey(input: KeyQueryInput): FoundRecords {
  const found = find(input);
  const moved: unknown = move({ [transferableSymbol]: found.records.buffer, [valueSymbol]: found });
  return moved as FoundRecords;
}
