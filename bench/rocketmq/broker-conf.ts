/** The one broker.conf that both brokers get. What must differ (ports, store) is added or passed per broker. */
import type { FlushMode } from './scenarios.ts';

export const BROKER_NAME = 'bench-broker';
export const CLUSTER_NAME = 'bench-cluster';

export function brokerConf(flush: FlushMode, more: Readonly<Record<string, string>> = {}): string {
  const lines = {
    brokerClusterName: CLUSTER_NAME,
    brokerName: BROKER_NAME,
    brokerId: '0',
    brokerRole: 'ASYNC_MASTER',
    brokerIP1: '127.0.0.1',
    flushDiskType: flush,
    ...more,
  };
  return Object.entries(lines)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}
