/** TLS between the servers and clients of commands: the name server's side, and the broker's towards it. */
import { connect as connectPlain, type Socket } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { requestCommand, responseTo } from '../../../src/protocol/command.ts';
import { CommandClient } from '../../../src/remoting/command-client.ts';
import { type CommandServer, startCommandServer } from '../../../src/remoting/command-server.ts';
import type { RemotingError } from '../../../src/remoting/errors.ts';
import { reasonOf } from '../../../src/remoting/name-server-news.ts';
import { selfSigned } from '../../../src/tls/self-signed.ts';
import type { ClientTls, ServerTls } from '../../../src/tls/settings.ts';
import { PERMISSIVE, until } from '../../support/sockets-rig.ts';

interface Context {
  log: string[];
  /** Of the certificates of those who asked. */
  subjects: (string | undefined)[];
  clients: CommandClient[];
  sockets: Socket[];
  server: CommandServer | undefined;
}

const test = suite<Context>('commands by TLS');

const ECHO = 1;
const ASK_MS = 10_000;
const pair = selfSigned(Date.now());
const TRUSTING: ClientTls = { terms: {}, verifyServer: false, pem: {} };

test.before.each((context) => {
  Object.assign(context, { log: [], subjects: [], clients: [], sockets: [], server: undefined });
});
test.after.each(async ({ clients, sockets, server }) => {
  for (const client of clients) client.close();
  for (const socket of sockets) socket.destroy();
  await server?.close();
});

async function serve(context: Context, tls?: ServerTls, limits = {}): Promise<CommandServer> {
  context.server = await startCommandServer({
    host: '127.0.0.1',
    port: 0,
    handler: (request, { subject }) => {
      context.subjects.push(subject);
      return responseTo(request, 0, undefined, {}, request.body);
    },
    ...(tls === undefined ? {} : { tls }),
    limits,
    log: (line) => context.log.push(line),
  });
  return context.server;
}

function clientOf(context: Context, tls?: () => ClientTls | undefined): CommandClient {
  const { port } = context.server as CommandServer;
  const client = new CommandClient({ address: `127.0.0.1:${port}`, ...(tls === undefined ? {} : { tls }) });
  context.clients.push(client);
  return client;
}

async function echoes(client: CommandClient, bytes = 10): Promise<boolean> {
  const body = Buffer.alloc(bytes, 5);
  const answer = await client.request(requestCommand(ECHO, {}, body), ASK_MS);
  return Buffer.from(answer.body ?? []).equals(body);
}

async function refusal(client: CommandClient): Promise<string> {
  const error = await client.request(requestCommand(ECHO), ASK_MS).catch((reason: RemotingError) => reason);
  assert.instance(error, Error);
  return reasonOf(error);
}

function dial(context: Context, bytes: string): { closed: () => boolean } {
  const socket = connectPlain((context.server as CommandServer).port, '127.0.0.1');
  context.sockets.push(socket);
  let closed = false;
  socket.on('error', () => {});
  socket.on('close', () => {
    closed = true;
  });
  socket.resume();
  socket.write(Buffer.from(bytes, 'hex'));
  return { closed: () => closed };
}

test('one port takes both, small and large, at the same time', async (context) => {
  await serve(context, PERMISSIVE);
  const [plain, secure] = [clientOf(context), clientOf(context, () => TRUSTING)];
  const all = [echoes(plain), echoes(secure), echoes(plain, 5_000_000), echoes(secure, 5_000_000)];
  assert.equal(await Promise.all(all), [true, true, true, true]);
  assert.equal(context.log, []);
});

test('each mode closes what it does not take', async (context) => {
  const enforcing = await serve(context, { ...PERMISSIVE, mode: 'enforcing' });
  assert.ok(await echoes(clientOf(context, () => TRUSTING)));
  assert.match(await refusal(clientOf(context)), /closed/);
  assert.match(context.log.join(), /plain text where tls\.server\.mode=enforcing takes TLS only/);
  await enforcing.close();
  await serve(context, { ...PERMISSIVE, mode: 'disabled' });
  assert.ok(await echoes(clientOf(context)));
  await refusal(clientOf(context, () => TRUSTING));
  assert.match(context.log.join(), /TLS where tls\.server\.mode=disabled takes plain text only/);
});

test('a client checks who the server is when it is told to, and says why it does not trust it', async (context) => {
  await serve(context, { ...PERMISSIVE, pem: pair });
  const trusting = (ca: string): ClientTls => ({ terms: {}, verifyServer: true, pem: { ca } });
  assert.ok(await echoes(clientOf(context, () => trusting(pair.cert))), 'its name is not looked at');
  assert.match(
    await refusal(clientOf(context, () => trusting(selfSigned(0).cert))),
    /^its certificate is signed by nobody that tls\.client\.trustCertPath names \(DEPTH_ZERO_SELF_SIGNED_CERT\)$/,
  );
});

test('a server that wants certificates gets them, or closes', async (context) => {
  const own = selfSigned(Date.now());
  await serve(context, {
    ...PERMISSIVE,
    clientAuth: 'require',
    verifyClients: true,
    pem: { ...pair, ca: own.cert },
  });
  assert.ok(await echoes(clientOf(context, () => ({ ...TRUSTING, pem: own }))));
  await refusal(clientOf(context, () => TRUSTING));
  await until('the log says why', () => /the client shows no certificate/.test(context.log.join()));
  await refusal(clientOf(context, () => ({ ...TRUSTING, pem: selfSigned(0) })));
  await until('here too', () => /certificate is not accepted/.test(context.log.join()));
});

test('who asks is known by a certificate, and as unverified when nobody vouches for it', async (context) => {
  const [known, stranger] = [selfSigned(Date.now(), 'operations'), selfSigned(Date.now(), 'x'.repeat(500))];
  await serve(context, {
    ...PERMISSIVE,
    clientAuth: 'optional',
    verifyClients: false,
    pem: { ...pair, ca: known.cert },
  });
  for (const pem of [known, stranger, {}]) {
    assert.ok(await echoes(clientOf(context, () => ({ ...TRUSTING, pem }))));
  }
  assert.ok(await echoes(clientOf(context)));
  assert.equal(context.subjects, [
    'CN=operations',
    `unverified: CN=${'x'.repeat(253)}…`,
    undefined,
    undefined,
  ]);
});

test('new certificates hold for the next dial, on both sides', async (context) => {
  const server = await serve(context, { ...PERMISSIVE, pem: pair });
  let trust: ClientTls = { terms: {}, verifyServer: true, pem: { ca: pair.cert } };
  const client = clientOf(context, () => trust);
  assert.ok(await echoes(client));
  const next = selfSigned(Date.now());
  server.useTls({ ...PERMISSIVE, pem: next });
  assert.ok(await echoes(client), 'the connection that is there goes on');
  trust = { ...trust, pem: { ca: next.cert } };
  assert.ok(await echoes(clientOf(context, () => trust)));
  assert.match(
    await refusal(clientOf(context, () => ({ ...trust, pem: { ca: pair.cert } }))),
    /signed by nobody/,
  );
});

test('garbage and handshakes that end early cost their own connection only', async (context) => {
  await serve(context, PERMISSIVE);
  const good = clientOf(context, () => TRUSTING);
  const dialed = [
    dial(context, `1603010005${'07'.repeat(400)}`),
    dial(context, '16'),
    dial(context, '16030100c8010000c40303'),
  ];
  await until('garbage is closed', () => dialed[0]?.closed() === true);
  assert.match(context.log.join(), /TLS handshakes that failed/);
  assert.ok(await echoes(good));
  context.sockets.at(-1)?.destroy();
  await until('only the silent one and the good one are left', () => context.server?.connectionCount === 2);
});

test('a handshake that stalls is closed when its time is over', async (context) => {
  await serve(context, PERMISSIVE, { handshakeMs: 50 });
  const good = clientOf(context, () => TRUSTING);
  assert.ok(await echoes(good));
  const stalled = [dial(context, '16'), dial(context, '16030100c8010000c40303')];
  await until('they are closed', () => stalled.every(({ closed }) => closed()));
  assert.match(context.log.join(), /1 TLS handshake under way without progress for 0\.05 s/);
  assert.ok(await echoes(good));
});

test('a server that takes no TLS closes who uses it', async (context) => {
  await serve(context);
  assert.match(await refusal(clientOf(context, () => TRUSTING)), /closed/);
  assert.ok(await echoes(clientOf(context)));
});

test.run();
