// A stop that lets clients go on until they have left.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RequestCode, ResponseCode } from '../../src/protocol/codes.ts';
import { requestCommand } from '../../src/protocol/command.ts';
import { CommandClient } from '../../src/remoting/command-client.ts';
import { sendRequest, startBrokerProcess, temporaryStore } from '../support/broker-process.ts';
import { until } from '../support/sockets-rig.ts';

const test = suite('a stop that drains');
const ASK_MS = 10_000;

test('name servers forget the broker, clients go on, and it ends when they have gone', async () => {
  const { directory, remove } = temporaryStore();
  const conf = join(directory, 'broker.conf');
  // Longer than a test may take: it has to end for want of clients.
  const page = 'metricsExporterType=PROM\nmetricsPromExporterPort=0\n';
  writeFileSync(conf, `ringmq.drainTimeMillis=600000\n${page}`);
  const env = { RINGMQ_LOG_LEVEL: 'info' };
  const broker = await startBrokerProcess(join(directory, 'store'), ['-c', conf], { env });
  const client = new CommandClient({ address: broker.broker });
  const send = async (key: string) =>
    (await client.request(sendRequest('drained', 0, key, Buffer.from('x')), ASK_MS)).code;
  assert.is(await send('before'), ResponseCode.SUCCESS);
  const ready = async () => {
    const [, url = ''] = /metrics are at (\S+)\/metrics;/.exec(broker.log()) ?? [];
    const answer = await fetch(`${url}/ready`);
    return [answer.status, await answer.text()];
  };
  await until('the place of the metrics is told', () => broker.log().includes('metrics are at'));
  assert.equal(await ready(), [200, 'ok\n']);
  const names = new CommandClient({ address: broker.nameServer });
  const route = requestCommand(RequestCode.GET_ROUTEINFO_BY_TOPIC, { topic: 'drained' });
  const known = async () => (await names.request(route, ASK_MS)).code === ResponseCode.SUCCESS;
  await until('the topic is known', known);
  broker.child.kill('SIGTERM');
  await until('the name server has forgotten it', async () => !(await known()));
  assert.equal(await ready(), [503, 'the broker is stopping']);
  for (let i = 0; i < 10; i++) assert.is(await send(`while draining ${i}`), ResponseCode.SUCCESS);
  client.close();
  assert.is(await broker.ended, 0, broker.log());
  assert.match(broker.log(), /"msg":"stopped"/);
  names.close();
  remove();
});

test.run();
