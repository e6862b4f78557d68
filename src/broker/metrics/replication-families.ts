/** RingMQ's own families of replication: how far slaves are behind, or a slave behind its master. RocketMQ has none. */
import type { Scrape } from './context.ts';

const MILLIS = 1_000;

export function replicationFamilies({ parts, out }: Scrape): void {
  const status = parts.replication();
  if ('master' in status) {
    const connected = out.gauge('ringmq_master_connected', 'Whether this slave follows its master: 1 or 0');
    connected.add(status.master.isConnected ? 1 : 0);
    const { bytes, ms } = parts.behind() ?? { bytes: Number.NaN, ms: undefined };
    out
      .gauge('ringmq_behind_master_bytes', 'Bytes of the log that the master has beyond this slave')
      .add(bytes);
    out
      .gauge('ringmq_behind_master_seconds', 'Between the newest message here and that of the master')
      .add(ms === undefined ? Number.NaN : ms / MILLIS);
    return;
  }
  const { slaves } = status;
  const counted = slaves.filter(({ inSync }) => inSync).length;
  out.gauge('ringmq_slaves', 'Slaves that are connected').add(slaves.length);
  out.gauge('ringmq_slaves_in_sync', 'Slaves that are near enough to the end to count').add(counted);
  const bytes = out.gauge('ringmq_slave_behind_bytes', 'Bytes of the log that a slave has not got yet');
  const seconds = out.gauge(
    'ringmq_slave_behind_seconds',
    'Between the first message that a slave has not got yet and the newest one',
  );
  for (const { address: slave, behind, behindMs } of slaves) {
    bytes.add(behind, { slave });
    seconds.add(behindMs === undefined ? Number.NaN : behindMs / MILLIS, { slave });
  }
}
