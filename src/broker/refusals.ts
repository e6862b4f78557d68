/** Counting what was refused, by reason, in the block of the network thread that refused it. */
import { ResponseCode } from '../protocol/codes.ts';
import { type Counters, counterPlace } from '../ring/counters.ts';

const OTHER = counterPlace('refusedOther');
const PLACES: ReadonlyMap<number, number> = new Map([
  [ResponseCode.SYSTEM_BUSY, counterPlace('refusedBusy')],
  [ResponseCode.SERVICE_NOT_AVAILABLE, counterPlace('refusedDiskFull')],
  [ResponseCode.MESSAGE_ILLEGAL, counterPlace('refusedIllegal')],
  [ResponseCode.INVALID_PARAMETER, counterPlace('refusedIllegal')],
  [ResponseCode.NO_PERMISSION, counterPlace('refusedPermission')],
  [ResponseCode.TOPIC_NOT_EXIST, counterPlace('refusedUnknown')],
  [ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST, counterPlace('refusedUnknown')],
  [ResponseCode.SUBSCRIPTION_NOT_EXIST, counterPlace('refusedUnknown')],
]);

/** A request was answered with this response code instead of being served. */
export function countRefusal(counters: Counters, code: number): void {
  counters.add(PLACES.get(code) ?? OTHER);
}
