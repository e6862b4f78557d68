/**
 * GET_BROKER_RUNTIME_INFO (28): figures by name, all text. What is not measured here is left out. A zero was counted,
 * or is the size of what does not exist (thread pools and their queues, a lock around the log), which tools read
 * without looking whether it is there.
 */

import { queueOfLevel } from '../../delivery/delay/levels.ts';
import { SCHEDULE_TOPIC } from '../../lib/names.ts';
import { PROTOCOL_VERSION } from '../../protocol/command.ts';
import { succeedWith } from '../../protocol/request-fields.ts';
import type { BrokerContext, BrokerHandler } from '../context.ts';
import { BROKER_GET_MISSED, BROKER_GET_NUMS, BROKER_PUT_NUMS } from '../stats/stats.ts';

const VERSION_NAME = 'V5_5_0';

/** There are no thread pools here, but dashboards draw their queues. */
const THREAD_POOLS = ['send', 'pull', 'litePull', 'query', 'ack'];
/** RocketMQ's defaults. */
const THREAD_POOL_CAPACITY = '100000';
const CAPACITIES: ReadonlyMap<string, string> = new Map([
  ['send', '10000'],
  ['query', '20000'],
]);

/** Waits that do not happen here, as what would be waited for does not exist. */
const NO_WAITS = ['dispatchMaxBuffer', 'pageCacheLockTimeMills', 'EndTransactionQueueSize'];

export const runtimeInfo: BrokerHandler = (context, request) => {
  const table = new Map<string, string>();
  for (const name of NO_WAITS) table.set(name, '0');
  for (const pool of THREAD_POOLS) {
    table.set(`${pool}ThreadPoolQueueSize`, '0');
    table.set(`${pool}ThreadPoolQueueCapacity`, CAPACITIES.get(pool) ?? THREAD_POOL_CAPACITY);
    table.set(`${pool}ThreadPoolQueueHeadWaitTimeMills`, '0');
  }
  table.set('EndTransactionThreadPoolQueueCapacity', THREAD_POOL_CAPACITY);
  addRates(table, context);
  addPositions(table, context);
  table.set('brokerActive', 'true');
  table.set('brokerVersion', String(PROTOCOL_VERSION));
  table.set('brokerVersionDesc', VERSION_NAME);
  table.set('startAcceptSendRequestTimeStamp', String(context.settings.startAcceptSendRequestTimeStamp));
  for (const [name, value] of context.runtimeInfo()) table.set(name, value);
  return succeedWith(request, { table });
};

/** Rates are three numbers in one text: over 10 s, a minute, 10 minutes. */
function addRates(table: Map<string, string>, context: BrokerContext): void {
  const cluster = context.settings.brokerClusterName;
  const puts = context.stats.rates(BROKER_PUT_NUMS, cluster).join(' ');
  const gets = context.stats.rates(BROKER_GET_NUMS, cluster).join(' ');
  table.set('putTps', puts);
  table.set('getMissTps', context.stats.rates(BROKER_GET_MISSED, cluster).join(' '));
  for (const name of ['getFoundTps', 'getTotalTps', 'getTransferredTps']) table.set(name, gets);
  const putTotal = String(context.stats.total(BROKER_PUT_NUMS, cluster));
  table.set('putMessageTimesTotal', putTotal);
  table.set('msgPutTotalTodayNow', putTotal);
  table.set('msgGetTotalTodayNow', String(context.stats.total(BROKER_GET_NUMS, cluster)));
}

function addPositions(table: Map<string, string>, context: BrokerContext): void {
  const { store } = context;
  table.set('commitLogMinOffset', String(store.minPhysicalOffset));
  table.set('commitLogMaxOffset', String(store.maxPhysicalOffset));
  for (const [level, offset] of context.delayOffsets.entries()) {
    const max = store.maxOffset(SCHEDULE_TOPIC, queueOfLevel(level));
    table.set(`scheduleMessageOffset_${level}`, `${offset},${max}`);
  }
}
