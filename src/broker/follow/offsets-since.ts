/**
 * GET_OFFSETS_SINCE (30004), RingMQ's own: a slave asks its master which consumer offsets have changed since its copy,
 * so that a second costs what has changed in it and not the whole table (43). Fields: `life` and `revision` of the
 * copy, as an answer has told them; or `first`, the number of the pair of topic and group from which on the whole table
 * is told; `count`, pairs of one answer.
 */
import { int32Field, int64Field, succeedWith, textField } from '../../protocol/request-fields.ts';
import type { BrokerHandler } from '../context.ts';

/** Pairs of one answer: some hundred kilobytes with queues of usual number. */
export const OFFSETS_PAGE = 2_000;

export const offsetsSince: BrokerHandler = ({ offsets }, request) => {
  const count = Math.min(Math.max(int32Field(request, 'count') ?? OFFSETS_PAGE, 1), OFFSETS_PAGE);
  const life = textField(request, 'life');
  const changed =
    life === offsets.life ? offsets.since(int64Field(request, 'revision') ?? -1, count) : undefined;
  if (changed !== undefined) return succeedWith(request, { ...changed, isWhole: false });
  const first = Math.max(int32Field(request, 'first') ?? 0, 0);
  return succeedWith(request, { ...offsets.part(first, count), isWhole: true });
};
