import { get } from 'node:http';
import { Consumer, Producer } from './scenarios/actors.ts';
import { java55 } from './support/clients.ts';
import { Ledger } from './support/ledger.ts';
import { freePort } from './support/ports.ts';
import { interopSuite } from './support/suite.ts';
import { startCluster } from './support/target.ts';

const test = interopSuite('metrics');

function page(port: number, path = '/metrics'): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ port, host: '127.0.0.1', path }, (response) => {
      let text = '';
      response.on('data', (chunk) => (text += chunk));
      response.on('end', () => resolve(text));
    }).on('error', reject);
  });
}

test('draft', async () => {
  const port = await freePort();
  const cluster = await startCluster({
    conf: {
      metricsExporterType: 'PROM',
      metricsPromExporterPort: String(port),
      metricsPromExporterHost: '127.0.0.1',
    },
  });
  const ledger = new Ledger();
  await new Producer(java55, cluster, { topic: 'measured', count: 100 }, ledger).finish();
  const consumer = new Consumer(java55, cluster, { topic: 'measured', group: 'measurers' }, ledger);
  await consumer.receives(ledger);
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  process.stdout.write(await page(port));
  await consumer.stop();
  await cluster.stop();
});

test.run();
