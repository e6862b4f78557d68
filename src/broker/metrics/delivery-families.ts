/** RocketMQ's families of what becomes due: transactions, timed messages, popped messages that come again. */
import { type Figure, namesIn } from '../../delivery/figures.ts';
import { REVIVE_GROUP } from '../../delivery/pop/pop-control.ts';
import { timingByTopic } from '../../delivery/timing-by-topic.ts';
import { TIMER_TOPIC } from '../../lib/names.ts';
import { reviveTopicOf } from '../../metadata/system-topics.ts';
import type { Family, Labels } from '../../remoting/exposition.ts';
import { TIMER_BOUNDS_S } from '../../ring/counters.ts';
import { bucketsOf } from './call-families.ts';
import type { Scrape } from './context.ts';
import { PLACE } from './store-families.ts';

/** Labels of what a key names. */
const NAMES = ['topic', 'consumer_group', 'queue_id'];
const STORED = { put_status: 'PUT_OK' };

export function deliveryFamilies(scrape: Scrape): void {
  transactions(scrape);
  timers(scrape);
  pops(scrape);
}

/** A sample for each topic, or pair of topic and group, by which the figure is counted. */
function addAll({ parts }: Scrape, family: Family, figure: Figure, labels: Labels = {}): void {
  for (const [key, count] of parts.figures.totals(figure)) {
    const names = namesIn(key).map((name, i) => [NAMES[i], name]);
    family.add(Math.max(0, count), { ...Object.fromEntries(names), ...labels });
  }
}

function transactions(scrape: Scrape): void {
  const { parts, out } = scrape;
  addAll(scrape, out.counter('rocketmq_commit_messages_total', 'Transactions committed'), 'commits');
  addAll(scrape, out.counter('rocketmq_rollback_messages_total', 'Transactions rolled back'), 'rollbacks');
  addAll(scrape, out.gauge('rocketmq_half_messages', 'Transactions open for a second or more'), 'halves');
  const help = 'Seconds, whatever the name says, from the birth of a half message to its commit';
  const latency = out.family('rocketmq_finish_message_latency_milliseconds', 'histogram', help);
  for (const [topic, histogram] of parts.figures.observed('committed'))
    latency.addBuckets(bucketsOf(histogram), { topic });
}

function timers(scrape: Scrape): void {
  const { parts, out, now } = scrape;
  const { counters, figures, reads, tables } = parts;
  const gauge = (name: string, help: string, value: number) =>
    out.gauge(`rocketmq_timer_${name}`, help).add(value, PLACE);
  const next = counters.sum('timersOffset');
  const lag = Math.max(0, reads.maxOffset(TIMER_TOPIC, 0) - next);
  const storedAt = lag > 0 ? reads.storeTimeAt(TIMER_TOPIC, 0, next) : -1;
  const readTo = counters.sum('timersReadMillis');
  gauge('enqueue_lag', 'Timed messages that are not in the wheel yet', lag);
  gauge(
    'enqueue_latency_milliseconds',
    'Age of the oldest of them',
    storedAt > 0 ? Math.max(0, now - storedAt) : 0,
  );
  gauge('dequeue_lag', 'Timed messages that are in the wheel', Math.max(0, counters.sum('timersWaiting')));
  gauge(
    'dequeue_latency_milliseconds',
    'By how much delivery is behind the time',
    readTo === 0 ? 0 : Math.max(0, now - readTo),
  );
  addAll(scrape, out.counter('rocketmq_timer_enqueue_total', 'Put into the wheel'), 'timersIn', PLACE);
  addAll(scrape, out.counter('rocketmq_timer_dequeue_total', 'Delivered, or rolled'), 'timersOut', PLACE);
  const snapshot = out.gauge('rocketmq_timer_message_snapshot', 'Timed messages that are due within a day');
  for (const bound of TIMER_BOUNDS_S)
    snapshot.add(Math.max(0, counters.sum(`timersWithin${bound}`)), { ...PLACE, timer_bound_s: bound });
  const delays = out.family('rocketmq_delay_message_latency_seconds', 'histogram', 'From birth to the time');
  for (const [topic, histogram] of figures.observed('delays'))
    delays.addBuckets(bucketsOf(histogram), { ...PLACE, topic });
  const timing = out.gauge('rocketmq_timing_messages', 'Timed messages that are in the wheel, by topic');
  for (const [topic, count] of timingByTopic(figures, tables.topics.all()))
    timing.add(count, { ...PLACE, topic });
}

function pops(scrape: Scrape): void {
  const { parts, out, now } = scrape;
  const { counters, reads, tables } = parts;
  const put = out.counter('rocketmq_pop_revive_in_message_total', 'Checkpoints and acks that were written');
  addAll(scrape, put, 'checkpointsIn', { revive_message_type: 'CK', ...STORED });
  addAll(scrape, put, 'acksIn', { revive_message_type: 'ACK', ...STORED });
  const read = out.counter('rocketmq_pop_revive_out_message_total', 'Those that came to the revive topic');
  addAll(scrape, read, 'checkpointsOut', { revive_message_type: 'CK' });
  addAll(scrape, read, 'acksOut', { revive_message_type: 'ACK' });
  const retried = out.counter('rocketmq_pop_revive_retry_messages_total', 'Popped messages that come again');
  addAll(scrape, retried, 'revived', STORED);
  out
    .gauge('rocketmq_pop_checkpoint_buffer_size', 'Checkpoints of invisible messages in memory')
    .add(counters.sum('popCheckpoints'));
  const lag = out.gauge(
    'rocketmq_pop_revive_lag_milliseconds',
    'Entries of the revive topic that may not be done',
  );
  const latency = out.gauge('rocketmq_pop_revive_latency_milliseconds', 'Age of the oldest of them');
  const topic = reviveTopicOf(tables.settings.brokerClusterName);
  for (const [queueId, done] of tables.offsets.queuesOf(REVIVE_GROUP, topic) ?? []) {
    const behind = Math.max(0, reads.maxOffset(topic, queueId) - 1 - done);
    const oldest = behind > 0 ? reads.storeTimeAt(topic, queueId, done + 1) : -1;
    lag.add(behind, { queue_id: queueId });
    latency.add(oldest > 0 ? Math.max(0, now - oldest) : 0, { queue_id: queueId });
  }
}
