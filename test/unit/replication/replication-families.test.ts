/** The metrics of replication, of a master and of a slave. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { MetricsParts, Scrape } from '../../../src/broker/metrics/context.ts';
import { replicationFamilies } from '../../../src/broker/metrics/replication-families.ts';
import { Exposition } from '../../../src/remoting/exposition.ts';

const test = suite('metrics of replication');

function samples(parts: Pick<MetricsParts, 'replication' | 'behind'>): string[] {
  const out = new Exposition({});
  replicationFamilies({ parts, out } as unknown as Scrape);
  return out
    .bytes()
    .toString()
    .replaceAll('{}', '')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
}

const slave = { acknowledged: 1, next: 2, rate: 0 };

test('a master tells of each slave, and how many count', () => {
  const slaves = [
    { ...slave, address: 'a:1', behind: 0, behindMs: 0, inSync: true },
    { ...slave, address: 'b:2', behind: 700, behindMs: 2_500, inSync: false },
    { ...slave, address: 'c:3', behind: 9, behindMs: undefined, inSync: true },
  ];
  assert.equal(samples({ replication: () => ({ slaves }), behind: () => undefined }), [
    'ringmq_slaves 3',
    'ringmq_slaves_in_sync 2',
    'ringmq_slave_behind_bytes{slave="a:1"} 0',
    'ringmq_slave_behind_bytes{slave="b:2"} 700',
    'ringmq_slave_behind_bytes{slave="c:3"} 9',
    'ringmq_slave_behind_seconds{slave="a:1"} 0',
    'ringmq_slave_behind_seconds{slave="b:2"} 2.5',
  ]);
});

test('a slave tells whether it follows, and what its master has beyond it', () => {
  const master = { address: 'm:1', isConnected: true, lastReadAt: 0, lastWriteAt: 0 };
  const replication = () => ({ master });
  assert.equal(samples({ replication, behind: () => ({ bytes: 5, ms: 1_500 }) }), [
    'ringmq_master_connected 1',
    'ringmq_behind_master_bytes 5',
    'ringmq_behind_master_seconds 1.5',
  ]);
  master.isConnected = false;
  assert.equal(samples({ replication, behind: () => undefined }), ['ringmq_master_connected 0']);
});

test.run();
