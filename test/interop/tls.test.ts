// TLS with unmodified clients: with the self-signed certificates of the test mode, and with certificates of one's own
// for both sides.

import { X509Certificate } from 'node:crypto';
import { copyFileSync, readFileSync } from 'node:fs';
import { connect } from 'node:tls';
import * as assert from 'uvu/assert';
import { Consumer, Producer } from './scenarios/actors.ts';
import { everyModeExactlyOnce, roundTrip } from './scenarios/produce-consume.ts';
import {
  Authority,
  asProperties,
  clientKeys,
  clientOptions,
  type Identity,
  serverKeys,
} from './support/certificates.ts';
import { go2Tls, java49, java55, javaKit, type Kit, withArgs } from './support/clients.ts';
import { Dialogue } from './support/dialogue.ts';
import { Ledger } from './support/ledger.ts';
import { stopEverything } from './support/program.ts';
import { RawConnection } from './support/raw.ts';
import { startRealBroker, startRealNameServer } from './support/real-rocketmq.ts';
import type { Conf } from './support/servers.ts';
import { interopSuite } from './support/suite.ts';
import { type Cluster, startBroker, startCluster, startNameServer, target } from './support/target.ts';

const test = interopSuite('TLS');

const GET_BROKER_CLUSTER_INFO = 106;
const PATIENCE_MS = 30_000;

test('self-signed certificates: Java, Go and mqadmin by TLS, beside plain clients', async () => {
  const cluster = await startCluster();
  await everyModeExactlyOnce(withArgs(java55, { tls: true }), cluster, 1_000);
  await roundTrip(withArgs(java49, { tls: true }), cluster, 'secure-old', 200);
  await roundTrip(javaKit('5.5', '-Dtls.enable=true'), cluster, 'secure-by-property', 200);
  await roundTrip(withArgs(go2Tls, { tls: true }), cluster, 'secure-go', 200);
  await plainAndSecureShare(cluster);
  await mqadmin(cluster, '-Dtls.enable=true');
  await cluster.stop();
  await stopEverything();
});

/** What one sends in the clear, the other reads encrypted, and the other way round. */
async function plainAndSecureShare(cluster: Cluster): Promise<void> {
  const secure = withArgs(java55, { tls: true });
  const ledger = new Ledger();
  const topic = 'both-ways';
  for (const [kit, prefix] of [
    [java55, 'plain'],
    [secure, 'secure'],
  ] as const) {
    const args = { topic, modes: 'sync', count: 20, prefix, body: 100_000, 'random-body': true };
    for (const { key } of await new Producer(kit, cluster, args).finish()) ledger.send(key);
  }
  for (const [index, kit] of [java55, secure].entries()) {
    const got = new Ledger();
    for (const key of ledger.sent) got.send(key);
    const consumer = new Consumer(kit, cluster, { topic, group: `reader-${index}` }, got);
    await consumer.receives(got);
    await consumer.stop();
    got.exactlyOnce();
  }
}

async function mqadmin({ nameServer, broker }: Cluster, ...properties: string[]): Promise<void> {
  const tool = new Dialogue(javaKit('5.5', ...properties).start('MqAdmin', { namesrv: nameServer.address }));
  const list = String(await tool.ask(`clusterList\t-n\t${nameServer.address}`));
  assert.ok(list.includes(broker.address), list);
  const status = String(await tool.ask(`brokerStatus\t-n\t${nameServer.address}\t-b\t${broker.address}`));
  assert.match(status, /bootTimestamp/);
  await tool.end();
}

test('own certificates on both sides, nothing in the clear, and certificates replaced meanwhile', async () => {
  const authority = new Authority();
  const [server, client, next] = ['server', 'client', 'next'].map((name) => authority.sign(name)) as [
    Identity,
    Identity,
    Identity,
  ];
  const used = { ...server, cert: `${server.cert}.used`, key: `${server.key}.used` };
  put(server, used);
  const keys: Conf = {
    ...serverKeys(used),
    ...clientKeys(client, authority),
    'tls.server.mode': 'enforcing',
    'tls.server.need.client.auth': 'require',
    'tls.server.authClient': true,
    'tls.server.trustCertPath': authority.cert,
  };
  const nameServer = await startNameServer(keys);
  const broker = await startBroker(nameServer, { tls: keys });
  const cluster: Cluster = { nameServer, broker, stop: () => broker.kill() };
  const own = asProperties({ 'tls.enable': true, ...clientKeys(client, authority) });
  const secure = javaKit('5.5', ...own);
  await roundTrip(secure, cluster, 'own-new', 200);
  await roundTrip(javaKit('4.9', ...own), cluster, 'own-old', 200);
  await mqadmin(cluster, ...own);
  await changes(cluster, ...own);
  await outsiders(cluster, authority);
  await renewed(cluster, { secure, used, next, options: clientOptions(keys) });
  await stopEverything();
});

/** Who changes something is told with the certificate that was shown, at the broker and at the name server. */
async function changes({ nameServer, broker }: Cluster, ...properties: string[]): Promise<void> {
  const tool = new Dialogue(javaKit('5.5', ...properties).start('MqAdmin', { namesrv: nameServer.address }));
  const at = `-n\t${nameServer.address}`;
  await tool.ask(`updateTopic\t${at}\t-b\t${broker.address}\t-t\tby-certificate`);
  await tool.ask(`updateKvConfig\t${at}\t-s\tby\t-k\tcertificate\t-v\tyes`);
  await tool.end();
  if (target !== 'ringmq') return;
  const told = (log: readonly string[], request: string) =>
    log.filter((line) => line.includes(`audit: ${request} done`)).map((line) => JSON.parse(line).subject);
  assert.equal(told(broker.log(), 'UPDATE_AND_CREATE_TOPIC').at(-1), 'CN=client');
  assert.equal(told(nameServer.log(), 'PUT_KV_CONFIG'), ['CN=client']);
}

/** Who has no certificate, one of another authority, or no TLS, gets nothing. */
async function outsiders(cluster: Cluster, authority: Authority): Promise<void> {
  const stranger = clientKeys(new Authority('another').sign('stranger'), authority);
  const trusting = { 'tls.enable': true, 'tls.test.mode.enable': false };
  const kits: Kit[] = [
    java55,
    javaKit('5.5', '-Dtls.enable=true'),
    javaKit('5.5', ...asProperties({ ...trusting, ...stranger })),
  ];
  const outcomes = kits.map(async (kit) => {
    const producer = new Producer(kit, cluster, { topic: 'outside', timeout: 3000 });
    assert.is(await producer.program.waitForEnd(PATIENCE_MS), 1);
    assert.is(producer.acked.length, 0);
  });
  await Promise.all(outcomes);
}

interface Renewal {
  secure: Kit;
  used: Identity;
  next: Identity;
  options: ReturnType<typeof clientOptions>;
}

/** Connections go on with a certificate that is replaced; later ones are shown the new one. */
async function renewed(cluster: Cluster, { secure, used, next, options }: Renewal): Promise<void> {
  const addresses = [cluster.nameServer.address, cluster.broker.address];
  const connections = await Promise.all(addresses.map((address) => RawConnection.open(address, options)));
  put(next, used);
  for (const address of addresses) {
    const wanted = new X509Certificate(readFileSync(next.cert)).fingerprint256;
    const end = performance.now() + PATIENCE_MS;
    for (let shown = ''; shown !== wanted; shown = await fingerprint(address, options)) {
      if (performance.now() > end) throw new Error(`${address} goes on with the certificate of before`);
    }
  }
  for (const connection of connections) {
    await connection.request({ code: GET_BROKER_CLUSTER_INFO });
    connection.destroy();
  }
  await roundTrip(secure, cluster, 'renewed', 50);
}

function put(from: Identity, to: Identity): void {
  copyFileSync(from.cert, to.cert);
  copyFileSync(from.key, to.key);
}

function fingerprint(address: string, options: ReturnType<typeof clientOptions>): Promise<string> {
  const port = Number(address.slice(address.lastIndexOf(':') + 1));
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options }, () => {
      resolve(socket.getPeerX509Certificate()?.fingerprint256 ?? '');
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

/** Name server and broker of different makers; with the real target both are real, which shows nothing new. */
const across = target === 'ringmq' ? test : test.skip;

across('by TLS a broker registers with a name server of another maker', async () => {
  const authority = new Authority();
  const keys: Conf = {
    ...serverKeys(authority.sign('server')),
    ...clientKeys(authority.sign('client'), authority),
    'tls.server.mode': 'enforcing',
  };
  const kit = javaKit(
    '5.5',
    ...asProperties({ 'tls.enable': true, ...clientKeys(authority.sign('app'), authority) }),
  );
  const real = await startRealNameServer(keys);
  const ours = await startBroker(real, { tls: keys });
  await roundTrip(kit, { nameServer: real, broker: ours, stop: () => ours.stop() }, 'ours', 50);
  await ours.stop();
  const nameServer = await startNameServer(keys);
  const broker = await startRealBroker(nameServer.address, { tls: keys });
  await roundTrip(kit, { nameServer, broker, stop: () => broker.kill() }, 'theirs', 50);
  await stopEverything();
});

test.run();
