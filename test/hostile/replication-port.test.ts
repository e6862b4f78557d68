/**
 * Strangers on the port for slaves of a live broker, and a live slave whose master is none: both stay up, serve their
 * clients, hold no more memory, say what happened in a few lines, and nothing of the slave's log is overwritten.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_SLAVES_OF_HOST } from '../../src/lib/limits.ts';
import { readReport } from '../../src/protocol/replication-frames.ts';
import { MAGIC, MAGIC_BLANK, TOTAL_SIZE } from '../../src/record/layout.ts';
import { CommandClient } from '../../src/remoting/command-client.ts';
import { pullRequest, sendRequest } from '../support/broker-process.ts';
import { Random } from '../support/random.ts';
import { until } from '../support/sockets-rig.ts';
import { blank, chunk, logOf, recordAt, reports, viewOf } from '../unit/replication/support.ts';
import { ServerProcess } from './support/processes.ts';

const test = suite('replication port');
const MIB = 1 << 20;
const FILE = 8 * MIB;
const MEMORY_BYTES = 64 * MIB;
const PATIENCE_MS = 60_000;
const TOPIC = 'TBW102';

interface Live {
  server: ServerProcess;
  client: CommandClient;
  port: number;
  store: string;
  /** Lines of its log that are no information. */
  warnings: () => string[];
  stop: () => Promise<void>;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function startLive(settings: readonly string[]): Promise<Live> {
  const directory = mkdtempSync(join(tmpdir(), 'ringmq-hostile-'));
  const [port, store, conf] = [await freePort(), join(directory, 'store'), join(directory, 'broker.conf')];
  const all = [
    ...['brokerName=arena', `mappedFileSizeCommitLog=${FILE}`, 'maxHashSlotNum=5000', 'maxIndexNum=20000'],
    ...[`haListenPort=${port}`, 'haHousekeepingInterval=3000', 'haSendHeartbeatInterval=500', ...settings],
  ];
  writeFileSync(conf, all.join('\n'));
  const server = await ServerProcess.start('broker', ['--port', '0', '-c', conf, '--store', store]);
  let log = '';
  server.child.stderr?.on('data', (bytes: Buffer) => {
    log += bytes.toString();
  });
  const client = new CommandClient({ address: server.address });
  return {
    ...{ server, client, port, store },
    warnings: () => log.split('\n').filter((line) => /"level":"(warn|error)"/.test(line)),
    stop: async () => {
      client.close();
      const end = await server.stop();
      rmSync(directory, { recursive: true, force: true });
      assert.is(end, 0, server.log);
      assert.equal(server.errors, [], 'nobody from outside causes an error');
    },
  };
}

class Stranger {
  readonly socket: Socket;
  received = 0;
  isClosed = false;

  constructor(port: number) {
    this.socket = connect({ host: '127.0.0.1', port });
    this.socket.on('error', () => {});
    this.socket.on('data', (bytes) => {
      this.received += bytes.length;
    });
    this.socket.on('close', () => {
      this.isClosed = true;
    });
  }

  async ends(what: string): Promise<void> {
    await until(`${what} to be shown out`, () => this.isClosed, { patienceMs: PATIENCE_MS });
  }
}

async function sendMany(client: CommandClient, count: number, bytes: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    const { code } = await client.request(
      sendRequest(TOPIC, 0, `key-${n}`, Buffer.alloc(bytes, 'x')),
      10_000,
    );
    assert.is(code, 0);
  }
}

const random = new Random(1);
const words = (text: string) => Buffer.from(text);

const STRANGERS: [what: string, bytes: Uint8Array][] = [
  ['garbage', Buffer.from(Array.from({ length: 4096 }, () => random.int(128, 255)))],
  ['a browser', words('GET / HTTP/1.1\r\nHost: broker\r\n\r\n')],
  ['a TLS client', Buffer.from(`16030100f8010000f40303${'5a'.repeat(100)}`, 'hex')],
  ['a client of the broker', words('\x00\x00\x00\x2a\x00\x00\x00\x26{"code":10,"language":"JAVA"}')],
  ['one who is below zero', reports(-1)],
  ['one who is ahead of everybody', reports(Number.MAX_SAFE_INTEGER)],
  ['one who is ahead by a little', reports(1 << 30)],
  ['one who has what was never sent', reports(1, 1 << 29)],
  ['one who says half a word', Uint8Array.of(0, 0, 0)],
  ['one who says nothing', new Uint8Array(0)],
];

test('strangers on the port for slaves', async () => {
  const live = await startLive([]);
  const { server, client, port } = live;
  try {
    await sendMany(client, 40, 256 * 1024);
    const before = server.anonymousBytes();
    for (const [what, bytes] of STRANGERS) {
      const stranger = new Stranger(port);
      stranger.socket.write(bytes);
      await stranger.ends(what);
      await sendMany(client, 1, 100);
    }
    const flood = new Stranger(port);
    flood.socket.pause();
    for (let n = 0; n < 200; n++) flood.socket.write(reports(...Array.from({ length: 8_192 }, () => 1)));
    const deaf = Array.from({ length: 20 }, () => new Stranger(port));
    for (const { socket } of deaf) {
      socket.pause();
      socket.write(reports(1));
    }
    await sendMany(client, 40, 100);
    for (const { socket } of [flood, ...deaf]) socket.destroy();
    const crowd = Array.from({ length: MAX_SLAVES_OF_HOST + 10 }, () => new Stranger(port));
    await until('those to go for whom there is no room', () => crowd.some(({ isClosed }) => isClosed), {
      patienceMs: PATIENCE_MS,
    });
    await sendMany(client, 10, 100);
    for (const one of crowd) await one.ends('everybody in the crowd');
    const slave = new Stranger(port);
    slave.socket.write(reports(1));
    await until('a slave to be fed', () => slave.received > 8 * MIB, { patienceMs: PATIENCE_MS });
    slave.socket.destroy();
    const pulled = await client.request(pullRequest(TOPIC, 0, 0), 10_000);
    assert.is(pulled.code, 0);
    const grown = server.anonymousBytes() - before;
    assert.ok(grown < MEMORY_BYTES, `${grown} bytes more than before`);
    const lines = live.warnings();
    assert.ok(lines.some((line) => line.includes('a slave is no longer fed')));
    const refused = lines.some((line) => line.includes('"name":"MAX_SLAVES_OF_HOST"'));
    assert.ok(refused, lines.join('\n'));
    assert.ok(lines.length < 40, lines.join('\n'));
  } finally {
    await live.stop();
  }
});

/** What is behind `at` in a log that is the slave's up to there; `from`: where the slave has asked for. */
type Answer = (log: Uint8Array, from: number) => Uint8Array;

/** The own bytes of the slave as it wants them, and these behind. */
const behind = (bytes: (at: number) => Uint8Array): Answer => {
  return (log, from) =>
    Buffer.concat([chunk(from, log.subarray(from)), chunk(log.length, bytes(log.length))]);
};

function damaged(at: number, damage: (view: DataView) => void): Uint8Array {
  const record = recordAt(at, 400);
  damage(viewOf(record));
  return record;
}

/** Masters that are none; undefined: the slave has to wait until nothing comes. */
const MASTERS: [what: string, answer: Answer | undefined][] = [
  ['garbage', () => Buffer.alloc(100_000, 0xa5)],
  ['a web server', () => words('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')],
  ['another position', (log) => chunk(log.length + 1, recordAt(log.length, 400))],
  ['the beginning', (log) => chunk(0, log)],
  ['a negative length', (_, from) => chunk(from, new Uint8Array(100), -1)],
  [
    'another log',
    (log, from) =>
      chunk(
        from,
        log.subarray(from).map((byte) => byte ^ 1),
      ),
  ],
  ['garbage behind the own bytes', behind(() => new Uint8Array(MIB).fill(0xa5))],
  ['zeros behind the own bytes', behind(() => new Uint8Array(MIB))],
  ['an endless BLANK', behind((at) => blank(FILE - at))],
  ['a BLANK over the end', behind(() => blank(2 * FILE))],
  ['an endless record', behind((at) => damaged(at, (view) => view.setInt32(TOTAL_SIZE, 0x7fffffff)))],
  ['a negative record', behind((at) => damaged(at, (view) => view.setInt32(TOTAL_SIZE, -400)))],
  ['a record that is a BLANK', behind((at) => damaged(at, (view) => view.setInt32(MAGIC, MAGIC_BLANK)))],
  ['a record of another place', behind(() => recordAt(0, 400))],
  ['a topic outside of the store', behind((at) => recordAt(at, 400, { topic: '../../../outside' }))],
  ['a queue without end', behind((at) => recordAt(at, 400, { queueId: 0x7fffffff }))],
  ['a record that never ends', (log, from) => chunk(from, log.subarray(from), 0x7fffffff)],
  ['silence', undefined],
];

/** The slave's master: serves `log`, or what it is told to. Each connection is noted with what the slave asked for. */
class FakeMaster {
  log: Uint8Array;
  answer: Answer | undefined | 'honest' = 'honest';
  connections = 0;
  ended = 0;
  reported = 0;
  readonly server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(log: Uint8Array) {
    this.log = log;
    this.server = createServer((socket) => this.#serve(socket));
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return (this.server.address() as { port: number }).port;
  }

  reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  close(): void {
    this.reset();
    this.server.close();
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    const { answer } = this;
    let isAsked = false;
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#sockets.delete(socket);
      this.ended++;
    });
    socket.on('data', (bytes) => {
      const last = bytes.subarray(bytes.length - (bytes.length % 8) - 8);
      if (last.length >= 8) this.reported = readReport(viewOf(last), 0);
      if (isAsked) return;
      isAsked = true;
      this.connections++;
      const from = readReport(viewOf(bytes), 0);
      if (answer === 'honest') socket.write(chunk(from, this.log.subarray(from)));
      else if (answer !== undefined) socket.write(answer(this.log, from));
    });
  }
}

/** The same log, and behind it messages of the topic after it was deleted and made again: its numbers begin anew. */
function withTopicMadeAgain(log: Uint8Array, count: number): Uint8Array {
  const more = Array.from({ length: count }, (_, queueOffset) =>
    recordAt(log.length + 400 * queueOffset, 400, { topic: TOPIC, queueOffset }),
  );
  return Uint8Array.from(Buffer.concat([log, ...more]));
}

function logFile({ store }: Live, length: number): Buffer {
  return readFileSync(join(store, 'commitlog', '00000000000000000000')).subarray(0, length);
}

test('a slave whose master is none', async () => {
  const sizes = Array.from({ length: 200 }, () => 400);
  const master = new FakeMaster(logOf(sizes, FILE, { topic: TOPIC }));
  const address = `127.0.0.1:${await master.listen()}`;
  const live = await startLive(['brokerRole=SLAVE', 'brokerId=1', `haMasterAddress=${address}`]);
  const { server, client } = live;
  try {
    const patience = { patienceMs: PATIENCE_MS };
    await until('the slave to have the log', () => master.reported === master.log.length, patience);
    const before = server.anonymousBytes();
    for (const [what, answer] of MASTERS) {
      const { ended, connections } = master;
      master.answer = answer;
      master.reset();
      await until(`the slave to meet ${what}`, () => master.connections > connections, patience);
      if (what === 'a record that never ends') master.reset();
      await until(`the slave to leave ${what}`, () => master.ended > ended + 1, patience);
      server.check();
      assert.is(Buffer.compare(logFile(live, master.log.length), master.log), 0, what);
      assert.ok(
        logFile(live, FILE)
          .subarray(master.log.length)
          .every((byte) => byte === 0),
        what,
      );
      assert.is((await client.request(pullRequest(TOPIC, 0, 0), 10_000)).code, 0, what);
    }
    master.log = withTopicMadeAgain(master.log, sizes.length);
    master.answer = 'honest';
    master.reset();
    await until('the slave to go on', () => master.reported === master.log.length, patience);
    assert.is(Buffer.compare(logFile(live, master.log.length), master.log), 0);
    const grown = server.anonymousBytes() - before;
    assert.ok(grown < MEMORY_BYTES, `${grown} bytes more than before`);
    const ofQueues = () =>
      live.warnings().filter((line) => line.includes('messages of the master do not follow')).length;
    // The log of a slave is ahead of its queues: what it reports to its master says nothing of them.
    await until('the slave to tell of the queue that begins anew', () => ofQueues() > 0, patience);
    assert.is(ofQueues(), 1);
    const lines = live.warnings();
    const refusals = lines.filter((line) => line.includes('this slave does not follow its master now'));
    assert.ok(refusals.length > 0 && refusals.length <= MASTERS.length, lines.join('\n'));
    assert.ok(
      refusals.every((line) => line.includes('"reason":"')),
      refusals.join('\n'),
    );
  } finally {
    master.close();
    await live.stop();
  }
});

test.run();
