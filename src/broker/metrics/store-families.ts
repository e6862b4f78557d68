/** RocketMQ's families of the store. */
import type { Scrape } from './context.ts';

export const PLACE = { storage_type: 'local', storage_medium: 'disk' };

export function storeFamilies({ parts, out, now }: Scrape): void {
  const { reads } = parts;
  const gauge = (name: string, help: string, value: number) =>
    out.gauge(`rocketmq_storage_${name}`, help).add(value, PLACE);
  gauge('size_bytes', 'Bytes of the log', reads.maxPhysicalOffset - reads.minPhysicalOffset);
  gauge('flush_behind_bytes', 'Bytes of the log that a power cut could take back', reads.flushBehind);
  gauge('dispatch_behind_bytes', 'Bytes of the log that no queue shows yet', reads.dispatchBehind);
  const oldest = reads.earliestStoreTime;
  gauge(
    'message_reserve_time_milliseconds',
    'Age of the oldest message',
    oldest > 0 ? Math.max(0, now - oldest) : Number.NaN,
  );
}
