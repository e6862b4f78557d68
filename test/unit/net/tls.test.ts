/** TLS beside plain text on the sockets of a network thread: what holds for plain connections holds for these too. */
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectPlain, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_TLS_HANDSHAKES, MAX_UNSENT_BYTES, TLS_HANDSHAKE_MS } from '../../../src/lib/limits.ts';
import type { Connection } from '../../../src/net/connection.ts';
import { CUT_BLOCKED } from '../../../src/protocol/frame-cutter.ts';
import { bytesTaken } from '../../../src/remoting/socket-progress.ts';
import { selfSigned } from '../../../src/tls/self-signed.ts';
import type { ServerTls } from '../../../src/tls/settings.ts';
import {
  answerUnread,
  PERMISSIVE,
  type RigClient,
  type RigSetup,
  requestBytes,
  SocketsRig,
  until,
} from '../../support/sockets-rig.ts';

const test = suite('TLS on the sockets of a network thread');
const MIB = 1024 * 1024;
const IDLE_MS = 120_000;

const rigs: SocketsRig[] = [];
const sockets: Socket[] = [];
test.after.each(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const rig of rigs.splice(0)) await rig.close();
});

async function listening(setup: RigSetup = {}): Promise<SocketsRig> {
  const rig = new SocketsRig(setup);
  rigs.push(rig);
  await rig.listen();
  return rig;
}

/** A rig with one client that came by TLS, and its connection. */
async function one(setup: RigSetup = {}): Promise<[SocketsRig, RigClient, Connection]> {
  const rig = await listening(setup);
  const client = await rig.connectTls();
  const connection = rig.connections[0] as Connection;
  await until('the handshake is done on our side too', () => connection.socket !== connection.raw);
  return [rig, client, connection];
}

test('many small answers that a peer does not take keep about their own bytes, and leave by themselves', async () => {
  const [rig, client, connection] = await one();
  const kept = await answerUnread(rig, client, connection, 2_000);
  assert.ok(kept < 8 * MIB, `${kept} bytes for ${2_000 * 104} bytes of answers`);
  client.socket.resume();
  await until('all answers have come', () => client.answers.length === 2_001);
  assert.equal(
    client.answers.every((answer, i) => answer === i - 1),
    true,
  );
  assert.is(connection.unsent, 0);
});

/** Plain bytes on a connection that is never more than that. */
async function rawly(rig: SocketsRig, bytes: Uint8Array): Promise<{ socket: Socket; closed: () => boolean }> {
  const socket = connectPlain(rig.port, '127.0.0.1');
  sockets.push(socket);
  let closed = false;
  socket.on('error', () => {});
  socket.on('close', () => {
    closed = true;
  });
  socket.resume();
  await once(socket, 'connect');
  socket.write(bytes);
  return { socket, closed: () => closed };
}

/** A client whose encrypted bytes can be held back and sent together; `letGo` tells how many pieces there were. */
async function withHeldOutput(rig: SocketsRig) {
  const raw = connectPlain(rig.port, '127.0.0.1');
  sockets.push(raw);
  const held: Buffer[] = [];
  let holds = false;
  const between = new Duplex({
    read: () => {},
    write: (chunk: Buffer, _, done) => {
      if (holds) held.push(chunk);
      else raw.write(chunk);
      done();
    },
  });
  raw.on('data', (chunk) => between.push(chunk));
  const client = await rig.connectTls({ socket: between });
  const hold = () => {
    holds = true;
  };
  const letGo = () => {
    holds = false;
    raw.write(Buffer.concat(held));
    return held.length;
  };
  return { client, hold, letGo };
}

async function answered(client: RigClient, opaque: number): Promise<void> {
  client.ask(opaque);
  await until(`${opaque} is answered`, () => client.answers.includes(opaque));
}

const upTo = (end: number) => [...Array(end).keys()];
const pair = selfSigned(Date.now());

test('the first byte tells TLS from plain text, and both are served on one port', async () => {
  const rig = await listening();
  const [plain, secure] = [await rig.connect(), await rig.connectTls()];
  await Promise.all([answered(plain, 1), answered(secure, 2)]);
  assert.is((secure.socket as TLSSocket).getProtocol(), 'TLSv1.3');
  const old = await rig.connectTls({ maxVersion: 'TLSv1.2' });
  await answered(old, 3);
  assert.is((old.socket as TLSSocket).getProtocol(), 'TLSv1.2');
  assert.is(rig.connections.filter(({ socket, raw }) => socket !== raw).length, 2);
  assert.equal(rig.faults, []);
});

test('each mode takes what it takes, closes the rest, and the log says why', async () => {
  const enforcing = await listening({ tls: { ...PERMISSIVE, mode: 'enforcing' } });
  await answered(await enforcing.connectTls(), 1);
  const refused = await rawly(enforcing, requestBytes(2));
  await until('plain text is closed', refused.closed);
  assert.equal(enforcing.handled, [1]);
  assert.match(
    enforcing.faults.join(),
    /^plain text where tls\.server\.mode=enforcing takes TLS only: .*setUseTLS/,
  );

  const disabled = await listening({ tls: { ...PERMISSIVE, mode: 'disabled' } });
  await answered(await disabled.connect(), 1);
  const error = await disabled.connectTls().catch((reason: NodeJS.ErrnoException) => reason);
  assert.is((error as NodeJS.ErrnoException).code, 'ECONNRESET');
  assert.match(disabled.faults.join(), /^TLS where tls\.server\.mode=disabled takes plain text only/);
  await until('all that were refused are gone', () => disabled.sockets.connections.size === 1);
});

test('much in both directions arrives whole and in order', async () => {
  const [rig, client] = await one();
  const count = 50;
  for (let i = 0; i < count; i++) client.socket.write(requestBytes(i, MIB / 2, MIB / 4));
  await until('all are answered', () => client.answers.length === count);
  assert.equal(client.answers, upTo(count));
  assert.equal(rig.handled, upTo(count));
});

test('requests of a record each, which came together, are one turn', async () => {
  const rig = await listening();
  const { client, hold, letGo } = await withHeldOutput(rig);
  await answered(client, 0);
  hold();
  for (let i = 1; i <= 40; i++) {
    await new Promise<void>((resolve) => client.socket.write(requestBytes(i, 0), () => resolve()));
  }
  const before = rig.turns;
  assert.ok(letGo() >= 40, 'each request is a record of its own');
  await until('all are handled', () => rig.handled.length === 41);
  assert.ok(rig.turns - before < 10, `${rig.turns - before} turns for 40 records`);
});

test('a peer that does not read is not served on, and gets everything in order when it reads', async () => {
  const [rig, client, connection] = await one();
  client.socket.pause();
  for (let i = 0; i < 100; i++) client.ask(i, MIB);
  await until('its frames wait', () => connection.stalled);
  assert.ok(connection.unsent <= MAX_UNSENT_BYTES + 2 * MIB, `${connection.unsent} bytes are kept`);
  assert.ok(rig.handled.length < 60, `${rig.handled.length} requests were served`);
  const other = await rig.connectTls();
  await answered(other, 7);
  client.socket.resume();
  await until('all answers have come', () => client.answers.length === 100);
  assert.equal(client.answers, upTo(100));
  await until('nothing is left', () => connection.unsent === 0);
  assert.equal([connection.paused, connection.stalled], [false, false]);
});

test('answers past the limit of one connection close it, and nobody else', async () => {
  const [rig, client, connection] = await one();
  const other = await rig.connectTls();
  client.socket.pause();
  for (let i = 0; i < 20; i++) rig.answer(connection, i, 4 * MIB);
  rig.sockets.flush();
  await until('it is closed', () => rig.closed === 1);
  assert.match(rig.faults.join(), /MAX_OUTPUT_BYTES/);
  await answered(other, 7);
});

test('frames that find a ring full are kept and go on', async () => {
  const [rig, client, connection] = await one();
  let blocks = true;
  rig.onFrame = () => (blocks ? CUT_BLOCKED : undefined);
  for (let i = 0; i < 20; i++) client.ask(i);
  await until('it is blocked', () => connection.blocked && connection.paused);
  blocks = false;
  rig.sockets.unblock();
  rig.sockets.flush();
  await until('all are answered', () => client.answers.length === 20);
  assert.equal(client.answers, upTo(20));
});

test('who moves nothing is idle, who takes its answers slowly is not', async () => {
  const [rig, slow, connection] = await one();
  const idle = await rig.connectTls();
  slow.socket.pause();
  for (let i = 0; i < 40; i++) slow.ask(i, MIB);
  await until('it has more than it takes', () => connection.stalled);
  for (let i = 0; i < 4; i++) {
    rig.now += IDLE_MS / 2 + 1;
    const before = bytesTaken(connection.raw);
    while (bytesTaken(connection.raw) === before) await slow.readSome(MIB);
    rig.sockets.closeStalled(IDLE_MS);
  }
  await until('the idle one is closed', () => idle.closed);
  assert.is(rig.closed, 1, rig.faults.join());
});

test('half a frame by TLS is held against its peer', async () => {
  const [rig, client] = await one();
  client.socket.write(requestBytes(1).subarray(0, 6));
  await until('it is there', () => rig.connections[0]?.input.bytes === 6);
  rig.now += 11_000;
  rig.sockets.closeStalled(IDLE_MS);
  await until('it is closed', () => rig.closed === 1);
  assert.match(rig.faults.join(), /6 bytes of an unfinished frame without progress/);
});

test('what came before the end of a client is handled', async () => {
  const [rig, client] = await one();
  client.socket.end(Buffer.concat(upTo(30).map((i) => requestBytes(i, 0))));
  await until('it is gone', () => rig.closed === 1);
  assert.equal(rig.handled, upTo(30));
});

test('a connection that we end gets its answers, and nothing of it is handled after that', async () => {
  const [rig, client, connection] = await one();
  rig.onFrame = (_, opaque) => {
    if (opaque !== 1) return undefined;
    rig.answer(connection, 1, 2 * MIB);
    rig.sockets.close(connection);
    return undefined;
  };
  client.socket.write(requestBytes(1, 0));
  await until('it is closed', () => client.closed && rig.closed === 1);
  assert.is(client.received, 2 * MIB + 4);
});

test('a handshake that stalls is closed when its time is over, wherever it stalls', async () => {
  const rig = await listening();
  const stalled = [
    await rawly(rig, Buffer.from([0x16])),
    await rawly(rig, Buffer.from('16030100c8010000c40303', 'hex')),
  ];
  // A client that reads nothing after its hello.
  const hello = connectTls({ host: '127.0.0.1', port: rig.port, rejectUnauthorized: false });
  hello.on('error', () => {});
  hello.pause();
  sockets.push(hello);
  await until('all are connected', () => rig.opened === 3);
  await answered(await rig.connectTls(), 1);
  rig.now += TLS_HANDSHAKE_MS - 1;
  rig.sockets.closeStalled(IDLE_MS);
  assert.is(rig.closed, 0);
  rig.now += 1;
  rig.sockets.closeStalled(IDLE_MS);
  await until('they are closed', () => stalled.every(({ closed }) => closed()));
  assert.match(
    rig.faults.join(),
    /^TLS handshakes that took too long, .*: 1 TLS handshake under way without progress for 10 s/,
  );
  assert.ok(rig.sockets.connections.size >= 1, 'the one that is done stays');
});

test('very many handshakes at once are bounded: those that have taken longest make room', async () => {
  const rig = await listening();
  const stalled: { closed: () => boolean }[] = [];
  for (let i = 0; i < MAX_TLS_HANDSHAKES; i++) {
    stalled.push(await rawly(rig, Buffer.from([0x16])));
    if (i === MAX_TLS_HANDSHAKES / 2) await until('half of them are begun', () => rig.opened === i + 1);
  }
  await until('all are connected', () => rig.opened === MAX_TLS_HANDSHAKES);
  rig.now += 1;
  const plain = await rig.connect();
  await answered(plain, 1);
  await answered(await rig.connectTls(), 2);
  const closed = () => stalled.filter((one) => one.closed()).length;
  await until('a quarter of them has made room', () => closed() > 0);
  assert.ok(closed() <= MAX_TLS_HANDSHAKES / 2, `${closed()} were closed`);
  assert.match(rig.faults.join(), /limit MAX_TLS_HANDSHAKES/);
});

test('garbage instead of a handshake, and after it, costs its own connection only', async () => {
  const [rig, client] = await one();
  const other = await rig.connectTls();
  const garbage = await rawly(rig, Buffer.concat([Buffer.from('1603010005', 'hex'), Buffer.alloc(500, 7)]));
  await until('garbage is closed', garbage.closed);
  assert.match(rig.faults.join(), /^TLS handshakes that failed: /);
  rig.faults.length = 0;

  const raw = connectPlain(rig.port, '127.0.0.1');
  const spoiled = await rig.connectTls({ socket: raw });
  await answered(spoiled, 3);
  raw.write(Buffer.concat([Buffer.from('1703030010', 'hex'), Buffer.alloc(16, 7)]));
  await until('the spoiled one is closed', () => spoiled.closed);
  assert.match(rig.faults.join(), /^what came by TLS cannot be understood: ERR_SSL_/);
  await answered(client, 1);
  await answered(other, 2);
});

test('a client cannot begin the handshake anew', async () => {
  const rig = await listening();
  const client = await rig.connectTls({ maxVersion: 'TLSv1.2' });
  await answered(client, 1);
  const errors: Error[] = [];
  client.socket.on('error', (error) => errors.push(error));
  (client.socket as TLSSocket).renegotiate({}, (error) => {
    if (error !== null) errors.push(error);
  });
  await until('it is refused', () => errors.length > 0 || client.closed);
  assert.match(errors.map(({ message }) => message).join(), /no renegotiation/i);
});

test('certificates are replaced without touching connections that are there', async () => {
  const first: ServerTls = { ...PERMISSIVE, pem: pair };
  const [rig, client] = await one({ tls: first });
  const shown = (of: RigClient) => (of.socket as TLSSocket).getPeerX509Certificate()?.fingerprint256;
  assert.is(shown(client), new X509Certificate(pair.cert).fingerprint256);
  const next = selfSigned(Date.now());
  rig.sockets.useTls({ ...first, pem: next });
  const later = await rig.connectTls();
  assert.is(shown(later), new X509Certificate(next.cert).fingerprint256);
  await Promise.all([answered(client, 1), answered(later, 2)]);
});

test('who has to show a certificate, and who may do without', async () => {
  const [good, bad] = [selfSigned(Date.now(), 'good'), selfSigned(Date.now(), 'bad')];
  const asks = async (tls: Partial<ServerTls>) => {
    const rig = await listening({ tls: { ...PERMISSIVE, pem: { ...pair, ca: good.cert }, ...tls } });
    const outcomes: boolean[] = [];
    for (const options of [{}, bad, good]) {
      const client = await rig.connectTls(options).catch(() => undefined);
      client?.ask(1);
      await until(
        'it is served or closed',
        () => client === undefined || client.closed || client.answers.length > 0,
      );
      outcomes.push(client !== undefined && client.answers.length > 0);
    }
    return { outcomes, faults: rig.faults.join('\n') };
  };
  assert.equal((await asks({ clientAuth: 'none', verifyClients: true })).outcomes, [true, true, true]);
  assert.equal((await asks({ clientAuth: 'optional', verifyClients: false })).outcomes, [true, true, true]);
  const optional = await asks({ clientAuth: 'optional', verifyClients: true });
  assert.equal(optional.outcomes, [true, false, true]);
  assert.match(optional.faults, /certificate is not accepted: DEPTH_ZERO_SELF_SIGNED_CERT/);
  const any = await asks({ clientAuth: 'require', verifyClients: false });
  assert.equal(any.outcomes, [false, true, true]);
  assert.match(any.faults, /the client shows no certificate/);
  const trusted = await asks({ clientAuth: 'require', verifyClients: true });
  assert.equal(trusted.outcomes, [false, false, true]);
  assert.match(trusted.faults, /the client shows no certificate/);
  assert.match(trusted.faults, /certificate is not accepted: DEPTH_ZERO_SELF_SIGNED_CERT/);
});

test.run();
