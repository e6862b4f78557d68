/** RocketMQ's families of requests: how long they took, and how long it takes to make topics and groups. */
import type { Histogram } from '../../lib/histogram.ts';
import {
  type CallKind,
  callKind,
  LONG_POLLING,
  LOST,
  ONEWAY,
  OTHER_CODE,
} from '../../protocol/call-kinds.ts';
import { requestName, responseName } from '../../protocol/codes.ts';
import type { Buckets, Family, Labels } from '../../remoting/exposition.ts';
import { CALL_BOUNDS_MS, CALL_CELLS, callsIn } from '../../ring/call-table.ts';
import type { Creations } from '../stats/control-calls.ts';
import type { Scrape } from './context.ts';

const RESULTS: ReadonlyMap<number, string> = new Map([
  [ONEWAY, 'oneway'],
  [LOST, 'write_channel_failed'],
]);

export function callFamilies({ parts, out }: Scrape): void {
  const latency = out.family(
    'rocketmq_rpc_latency_milliseconds',
    'histogram',
    'From a request to its answer',
  );
  for (const { kind, cells } of allCalls(parts)) latency.addBuckets(ofCells(cells), labelsOf(kind));
  const { topics, systemTopics, groups } = parts.calls;
  const created = (what: string, help: string) =>
    out.family(`rocketmq_${what}_create_execution_time_milliseconds`, 'histogram', help);
  const ofTopics = created('topic', 'Requests that make topics, from the request to its answer');
  addCreations(ofTopics, topics, { is_system: false });
  addCreations(ofTopics, systemTopics, { is_system: true });
  addCreations(created('consumer_group', 'The same of groups'), groups, {});
}

/** A request may be answered here and there: a send to a retry topic is control's. */
function allCalls({ callSums, calls }: Scrape['parts']): Iterable<{ kind: CallKind; cells: Float64Array }> {
  const all = new Map<string, { kind: CallKind; cells: Float64Array }>();
  const add = (kind: CallKind, cells: Float64Array) => {
    const key = Object.values(labelsOf(kind)).join(' ');
    const sums = all.get(key)?.cells ?? new Float64Array(CALL_CELLS);
    for (const [i, value] of cells.entries()) sums[i] = (sums[i] as number) + value;
    all.set(key, { kind, cells: sums });
  };
  for (const [row, cells] of callSums.counted()) add(callKind(row), cells);
  for (const { kind, cells } of calls.counted()) add(kind, cells);
  return all.values();
}

function labelsOf({ request, answer, way }: CallKind): Labels {
  return {
    protocol_type: 'remoting',
    request_code: request === OTHER_CODE ? 'other' : requestName(request).toLowerCase(),
    response_code: answer === OTHER_CODE ? 'other' : responseName(answer).toLowerCase(),
    is_long_polling: way === LONG_POLLING,
    result: RESULTS.get(way) ?? 'success',
  };
}

function ofCells(cells: Float64Array): Buckets {
  let upTo = 0;
  const bounds = CALL_BOUNDS_MS.map((bound, i): [number, number] => {
    upTo += cells[i] as number;
    return [bound, upTo];
  });
  return { bounds, count: callsIn(cells), sum: cells[CALL_CELLS - 1] as number };
}

function addCreations(family: Family, { success, failure }: Creations, labels: Labels): void {
  for (const [invocation_status, histogram] of Object.entries({ success, failure })) {
    const buckets = bucketsOf(histogram);
    if (buckets.count > 0) family.addBuckets(buckets, { invocation_status, ...labels });
  }
}

export function bucketsOf({ bounds, state }: Histogram): Buckets {
  let count = 0;
  const upTo = bounds.map((bound, i): [number, number] => {
    count += state.counts[i] as number;
    return [bound, count];
  });
  return { bounds: upTo, count: count + (state.counts[bounds.length] as number), sum: state.sum };
}
