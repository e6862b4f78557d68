/** The page of a name server: what it shows is what clients and brokers did, and its end is the server's. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadNameServer } from '../../../src/config/load-namesrv.ts';
import { latenessOf } from '../../../src/namesrv/metrics.ts';
import { startNameServer } from '../../../src/namesrv/name-server.ts';
import { requestCommand } from '../../../src/protocol/command.ts';
import { recordingLog } from '../../support/recording-log.ts';
import { eventually, RawPeer } from '../remoting/support.ts';
import { register, route } from './support.ts';

const test = suite('metrics of a name server');

/** A name server with a page, and where that is. */
async function withPage(config = {}) {
  const { log, lines } = recordingLog();
  const host = '127.0.0.1';
  const server = await startNameServer({ host, port: 0, config, log, metrics: { host, port: 0 } });
  const url = String(lines.find(({ fields }) => 'url' in fields)?.fields['url']);
  return { server, url };
}

async function samples(url: string): Promise<Map<string, number>> {
  const text = await (await fetch(url)).text();
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at).replace('node_type="nameserver"', ''), Number(line.slice(at + 1))];
    }),
  );
}

test('brokers, topics, connections and requests by code', async () => {
  const { server, url } = await withPage();
  const peer = await RawPeer.connect(server.port);
  assert.is((await register(peer)).code, 0);
  await route(peer, 't1');
  await route(peer, 'none');
  const opaque = peer.received.length + 1;
  peer.send({ ...requestCommand(31_337), opaque });
  await peer.receive(opaque);
  const shown = await samples(url);
  assert.is(shown.get('ringmq_namesrv_brokers{}'), 1);
  assert.ok((shown.get('ringmq_namesrv_topics{}') ?? 0) >= 1);
  assert.is(shown.get('ringmq_connections{}'), 1);
  const asked = (code: string) => shown.get(`ringmq_namesrv_requests_total{,request_code="${code}"}`);
  assert.equal([asked('register_broker'), asked('get_routeinfo_by_topic'), asked('other')], [1, 2, 1]);
  assert.ok(shown.has('ringmq_event_loop_delay_seconds{,quantile="0.99"}'));
  assert.ok(shown.has('ringmq_uptime_seconds{}'));
  peer.close();
  await eventually(async () => (await samples(url)).get('ringmq_namesrv_brokers{}') === 0);
  await server.close();
  await fetch(url).then(
    () => assert.unreachable(),
    () => {},
  );
});

test('how late ticks were does not count the time between them', () => {
  const inMs = [0, 19, 20, 21, 520].map((ms) => Math.round(latenessOf(ms * 1e6) * 1_000));
  assert.equal(inMs, [0, 0, 0, 1, 500]);
});

test('it is ready when routes are given', async () => {
  for (const [needWaitForService, status] of [
    [false, 200],
    [true, 503],
  ] as const) {
    const { server, url } = await withPage({ needWaitForService });
    assert.is((await fetch(url.replace('/metrics', '/ready'))).status, status);
    assert.is((await fetch(url.replace('/metrics', '/health'))).status, 200);
    await server.close();
  }
});

test('a page that cannot be opened leaves no server behind', async () => {
  const { server, url } = await withPage();
  const port = Number(new URL(url).port);
  const host = '127.0.0.1';
  const taken = await startNameServer({ host, port: 0, metrics: { host, port } }).then(
    () => undefined,
    (error: Error) => error.message,
  );
  assert.match(taken ?? '', new RegExp(`metricsPromExporterPort=${port} of ${host} is in use`));
  await server.close();
});

test('namesrv.conf says whether there is one, and where', () => {
  const folder = mkdtempSync(join(tmpdir(), 'namesrv-'));
  const metricsOf = (text: string) => {
    writeFileSync(join(folder, 'namesrv.conf'), text);
    return loadNameServer({ port: '0', config: join(folder, 'namesrv.conf') }).options.metrics;
  };
  assert.is(metricsOf(''), undefined);
  assert.equal(metricsOf('metricsExporterType=PROM\nbindAddress=127.0.0.2'), {
    host: '127.0.0.2',
    port: 5557,
  });
  const elsewhere = 'metricsExporterType=PROM\nmetricsPromExporterPort=1\nmetricsPromExporterHost=::1';
  assert.equal(metricsOf(elsewhere), { host: '::1', port: 1 });
  assert.throws(() => metricsOf('metricsExporterType=OTLP_GRPC'), /pushes metrics nowhere/);
  rmSync(folder, { recursive: true });
});

test.run();
