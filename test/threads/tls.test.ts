// TLS through a whole broker and its name server: two network threads, nothing in the clear, certificates replaced
// while clients are connected, and a clean stop.

import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { renameSync, writeFileSync } from 'node:fs';
import { connect as connectPlain } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startBroker } from '../../src/index.ts';
import { RequestCode } from '../../src/protocol/codes.ts';
import { requestCommand } from '../../src/protocol/command.ts';
import { parseAddress } from '../../src/remoting/address.ts';
import { CommandClient } from '../../src/remoting/command-client.ts';
import { selfSigned } from '../../src/tls/self-signed.ts';
import type { ClientTls } from '../../src/tls/settings.ts';
import {
  type BrokerProcess,
  readQueue,
  sendRequest,
  startBrokerProcess,
  temporaryStore,
  untilQueueHolds,
} from '../support/broker-process.ts';
import { until } from '../support/sockets-rig.ts';

const test = suite('TLS through a whole broker');
const CLIENTS = 4;
const PER_CLIENT = 200;
const ASK_MS = 20_000;
const TRUSTING: ClientTls = { terms: {}, verifyServer: false, pem: {} };

const secureClient = (address: string) => new CommandClient({ address, tls: () => TRUSTING });

/** Sends by all clients at the same time, and reads it all back by the first one. */
async function sendsAndReads(clients: readonly CommandClient[], topic: string): Promise<void> {
  await Promise.all(
    clients.map(async (client, c) => {
      const sends = Array.from({ length: PER_CLIENT }, (_, i) =>
        client.request(sendRequest(topic, i % 4, `c${c}-${i}`, Buffer.alloc(3000, i)), ASK_MS),
      );
      for (const reply of await Promise.all(sends)) assert.is(reply.code, 0, reply.remark);
    }),
  );
  const [reader] = clients as [CommandClient];
  const total = clients.length * PER_CLIENT;
  for (const queue of [0, 1, 2, 3]) await untilQueueHolds(reader, topic, queue, total / 4);
  const found = (await Promise.all([0, 1, 2, 3].map((queue) => readQueue(reader, topic, queue)))).flat();
  assert.is(new Set(found).size, total);
}

test('an embedded broker takes both on two network threads', async () => {
  const broker = await startBroker({ networkThreads: 2, topics: ['both'] });
  const secure = Array.from({ length: CLIENTS }, () => secureClient(broker.broker));
  const plain = Array.from({ length: CLIENTS }, () => new CommandClient({ address: broker.broker }));
  await sendsAndReads([...secure, ...plain], 'both');
  const names = secureClient(broker.nameServer);
  const route = await names.request(
    requestCommand(RequestCode.GET_ROUTEINFO_BY_TOPIC, { topic: 'both' }),
    ASK_MS,
  );
  assert.is(route.code, 0);
  for (const client of [...secure, ...plain, names]) client.close();
  await broker.close();
});

/** Whether the server closes a connection that speaks plain text. */
async function closesPlain(address: string): Promise<void> {
  const socket = connectPlain(parseAddress(address));
  socket.on('error', () => {});
  socket.resume();
  socket.write(Buffer.from('0000000400000000', 'hex'));
  await once(socket, 'close');
}

function fingerprint(address: string): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({ ...parseAddress(address), rejectUnauthorized: false }, () => {
      resolve(socket.getPeerX509Certificate()?.fingerprint256);
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

/** Of several connections: the threads of a broker take turns. */
async function allShow({ broker, nameServer }: BrokerProcess, pem: string): Promise<boolean> {
  const wanted = new X509Certificate(pem).fingerprint256;
  const asked = [broker, broker, broker, broker, nameServer].map(fingerprint);
  return (await Promise.all(asked)).every((shown) => shown === wanted);
}

test('own certificates, nothing in the clear, and other certificates while it runs', async () => {
  const { directory, remove } = temporaryStore();
  const [first, next] = [selfSigned(Date.now()), selfSigned(Date.now())];
  const path = (name: string) => join(directory, name);
  const put = (name: string, text: string) => {
    writeFileSync(path('new'), text);
    renameSync(path('new'), path(name));
  };
  put('cert.pem', first.cert);
  put('key.pem', first.key);
  writeFileSync(
    path('broker.conf'),
    `tls.server.mode=enforcing\ntls.test.mode.enable=false\n` +
      `tls.server.certPath=${path('cert.pem')}\ntls.server.keyPath=${path('key.pem')}\nringmq.networkThreads=2\n`,
  );
  const process = await startBrokerProcess(join(directory, 'store'), ['-c', path('broker.conf')]);
  try {
    const clients = Array.from({ length: CLIENTS }, () => secureClient(process.broker));
    await sendsAndReads(clients, 'before');
    const names = secureClient(process.nameServer);
    const route = await names.request(
      requestCommand(RequestCode.GET_ROUTEINFO_BY_TOPIC, { topic: 'before' }),
      ASK_MS,
    );
    assert.is(route.code, 0, 'the broker has registered by TLS');
    await Promise.all([closesPlain(process.broker), closesPlain(process.nameServer)]);
    await until('the log says why', () => /plain text where tls\.server\.mode=enforcing/.test(process.log()));

    assert.ok(await allShow(process, first.cert));
    put('cert.pem', next.cert);
    await until('half a change is told', () => /cannot be used: those of before stay/.test(process.log()));
    assert.ok(await allShow(process, first.cert));
    put('key.pem', next.key);
    await until('all threads show the new one', () => allShow(process, next.cert));
    await sendsAndReads(clients, 'after');
    process.child.kill('SIGTERM');
    assert.is(await process.ended, 0, process.log());
    for (const client of [...clients, names]) client.close();
  } finally {
    process.child.kill('SIGKILL');
    await process.ended;
    remove();
  }
});

test.run();
