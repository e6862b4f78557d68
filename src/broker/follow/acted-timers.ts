/**
 * GET_ACTED_TIMERS (30003), RingMQ's own: a master that was away asks the slave that acted for it which timed messages
 * it has delivered. Fields `first` and `count` name a part. Answer: `{"timers":[[position,crc],...],"total":n}`, as
 * ActedTimer has it.
 */
import { MAX_ACTED_TIMERS } from '../../lib/limits.ts';
import { int32Field, succeedWith } from '../../protocol/request-fields.ts';
import type { BrokerHandler } from '../context.ts';

/** Timers of one answer: some half a megabyte. */
export const ACTED_PAGE = 20_000;

export const actedTimers: BrokerHandler = ({ acted }, request) => {
  const first = int32Field(request, 'first') ?? 0;
  const count = int32Field(request, 'count') ?? ACTED_PAGE;
  const within = (value: number, most: number) => Math.min(Math.max(value, 0), most);
  return succeedWith(request, acted.part(within(first, MAX_ACTED_TIMERS), within(count, ACTED_PAGE)));
};
