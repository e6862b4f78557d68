// Clients that ask for more than they take, all at once, and in the worst order, against a broker of its own: what is
// asked is answered, once and right, and a good client beside them does not notice.

import { readFileSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RequestCode } from '../../src/protocol/codes.ts';
import { type RemotingCommand, requestCommand } from '../../src/protocol/command.ts';
import { decodeCommand, encodeCommand } from '../../src/protocol/command-codec.ts';
import { cutFrames, FrameCutter } from '../../src/protocol/frame-cutter.ts';
import { decodeRecord } from '../../src/record/decode.ts';
import { CommandClient } from '../../src/remoting/command-client.ts';
import {
  type BrokerProcess,
  pullRequest,
  readQueue,
  sendRequest,
  startBrokerProcess,
  temporaryStore,
} from '../support/broker-process.ts';
import { until } from '../support/sockets-rig.ts';

const test = suite('pressure');
const MIB = 1024 * 1024;
const LARGE = Buffer.alloc(MIB, 'L');

/** What is kept of an answer. */
interface Answer {
  opaque: number;
  code: number;
  bytes: number;
  remark: string | undefined;
}

/** Writes requests without waiting for anything, and reads only when it is told to. */
class Pipeliner {
  readonly answers: Answer[] = [];
  closed = false;
  readonly #socket: Socket;
  readonly #cutter = new FrameCutter();

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
    });
    socket.on('data', (chunk: Buffer) => {
      cutFrames(this.#cutter, chunk, (frame) => {
        const { opaque, code, body, remark } = decodeCommand(frame);
        this.answers.push({ opaque, code, bytes: body?.length ?? 0, remark });
      });
    });
  }

  static connect(address: string): Promise<Pipeliner> {
    const [host, port] = address.split(':') as [string, string];
    return new Promise((resolve, reject) => {
      const socket = createConnection({ host, port: Number(port) }, () => resolve(new Pipeliner(socket)));
      socket.once('error', reject);
    });
  }

  /** All in one write; the opaques count from 0. */
  pipeline(requests: readonly RemotingCommand[]): void {
    this.#socket.write(
      Buffer.concat(requests.map((request, opaque) => encodeCommand({ ...request, opaque }))),
    );
  }

  pause(): void {
    this.#socket.pause();
  }

  read(): void {
    this.#socket.resume();
  }

  close(): void {
    this.#socket.destroy();
  }
}

const repeat = <T>(count: number, make: (i: number) => T) => Array.from({ length: count }, (_, i) => make(i));

/** Opaques of the answers, each once whatever their order. */
function assertEachOnce(answers: readonly Answer[], count: number): void {
  assert.is(answers.length, count);
  assert.is(new Set(answers.map(({ opaque }) => opaque)).size, count);
}

/** Sends, pulls and asks control in turn, all the time, and wants the right answer each time. */
class GoodClient {
  rounds = 0;
  readonly #client: CommandClient;
  readonly #topic: string;
  #stopped = false;
  readonly #done: Promise<void>;

  constructor(address: string, topic: string) {
    this.#client = new CommandClient({ address });
    this.#topic = topic;
    this.#done = this.#run();
    // Said by `stop`.
    this.#done.catch(() => {});
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#done;
    this.#client.close();
    assert.ok(this.rounds > 0, 'the good client had a turn');
  }

  async #run(): Promise<void> {
    for (; !this.#stopped; this.rounds++) {
      const key = `good-${this.rounds}`;
      const sent = await this.#ask(sendRequest(this.#topic, 0, key, Buffer.from(key)));
      assert.equal([sent.code, sent.fields['queueOffset']], [0, String(this.rounds)], sent.remark);
      const pulled = await this.#ask(pullRequest(this.#topic, 0, this.rounds, 15_000));
      assert.is(pulled.code, 0, pulled.remark);
      const message = decodeRecord(Uint8Array.from(pulled.body ?? []));
      assert.is(Buffer.from(message?.body ?? []).toString(), key);
      const query = { topic: this.#topic, queueId: '0' };
      const maximum = await this.#ask(requestCommand(RequestCode.GET_MAX_OFFSET, query));
      assert.equal([maximum.code, maximum.fields['offset']], [0, String(this.rounds + 1)]);
    }
  }

  #ask(request: RemotingCommand): Promise<RemotingCommand> {
    return this.#client.request(request, 60_000);
  }
}

/** Resident memory of a process, bytes, without what it has mapped of files. */
function anonymousBytes(pid: number): number {
  return Number(/RssAnon:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}

let broker: BrokerProcess;
let store: ReturnType<typeof temporaryStore>;
let admin: CommandClient;

test.before(async () => {
  store = temporaryStore();
  // Connections go to the threads in turn: each has good and bad ones.
  broker = await startBrokerProcess(store.directory, ['--network-threads', '2']);
  admin = new CommandClient({ address: broker.broker });
});

test.after(async () => {
  admin.close();
  broker.child.kill('SIGTERM');
  const code = await broker.ended;
  store.remove();
  assert.is(code, 0, broker.log());
});

test('thousands of pulls of a large message whose answers nobody reads', async () => {
  assert.is((await admin.request(sendRequest('large', 0, 'k', LARGE), 20_000)).code, 0);
  const first = await admin.request(pullRequest('large', 0, 0, 10_000), 20_000);
  assert.ok((first.body?.length ?? 0) > MIB, first.remark);
  const good = new GoodClient(broker.broker, 'good-1');
  const greedy = await Promise.all(repeat(4, () => Pipeliner.connect(broker.broker)));
  const pulls = repeat(3000, () => pullRequest('large', 0, 0));
  for (const client of greedy) {
    client.pause();
    client.pipeline(pulls);
  }
  const slow = await Pipeliner.connect(broker.broker);
  slow.pause();
  slow.pipeline(pulls.slice(0, 100));
  await until('the good client goes on', () => good.rounds >= 200);
  const memory = anonymousBytes(broker.child.pid as number);
  assert.ok(memory < 600 * MIB, `${Math.round(memory / MIB)} MiB`);
  for (const client of greedy) client.close();
  slow.read();
  await until('all answers have come', () => slow.answers.length === 100 || slow.closed);
  assert.equal(
    slow.answers.map(({ opaque }) => opaque),
    repeat(100, (i) => i),
  );
  assert.ok(slow.answers.every(({ code, bytes }) => code === 0 && bytes > MIB));
  slow.close();
  await good.stop();
});

test('twenty large answers of control at once', async () => {
  const topicConfigList = repeat(4000, (i) => ({
    topicName: `a-topic-that-makes-the-answer-long-${'x'.repeat(60)}-${i}`,
    readQueueNums: 1,
    writeQueueNums: 1,
    perm: 6,
    topicFilterType: 'SINGLE_TAG',
    topicSysFlag: 0,
    order: false,
    attributes: {},
  }));
  const body = Buffer.from(JSON.stringify({ topicConfigList }));
  const made = await admin.request(
    requestCommand(RequestCode.UPDATE_AND_CREATE_TOPIC_LIST, {}, body),
    60_000,
  );
  assert.is(made.code, 0, made.remark);
  const good = new GoodClient(broker.broker, 'good-2');
  const all = requestCommand(RequestCode.GET_ALL_TOPIC_CONFIG, {});
  const askers = await Promise.all(repeat(2, () => Pipeliner.connect(broker.broker)));
  for (const client of askers) client.pipeline(repeat(20, () => all));
  for (const client of askers) {
    await until('all answers have come', () => client.answers.length === 20 || client.closed);
    assertEachOnce(client.answers, 20);
    for (const { code, bytes } of client.answers) {
      assert.is(code, 0);
      assert.ok(bytes > 512 * 1024, `${bytes} bytes`);
    }
    client.close();
  }
  await good.stop();
});

test('topics that are created by bursts of two thousand sends: all are stored, in their order', async () => {
  const good = new GoodClient(broker.broker, 'good-3');
  const clients = await Promise.all(repeat(3, () => Pipeliner.connect(broker.broker)));
  const body = Buffer.alloc(1024, 'b');
  for (const [i, client] of clients.entries()) {
    client.pipeline(repeat(2000, (n) => sendRequest(`burst-${i}`, 0, `k${n}`, body)));
  }
  for (const [i, client] of clients.entries()) {
    await until('all are answered', () => client.answers.length === 2000 || client.closed);
    assertEachOnce(client.answers, 2000);
    for (const { code, remark } of client.answers) assert.is(code, 0, remark);
    client.close();
    await admin.request(pullRequest(`burst-${i}`, 0, 1999, 10_000), 20_000);
    const keys = await readQueue(admin, `burst-${i}`, 0);
    assert.is(keys.length, 2000);
    assert.ok(
      keys.every((key, n) => key === `k${n}`),
      'in order',
    );
  }
  await good.stop();
});

test('one message wakes the twenty thousand pulls that a consumer has parked: each is answered once', async () => {
  const topic = 'woken';
  assert.is((await admin.request(sendRequest(topic, 0, 'first', Buffer.from('1')), 20_000)).code, 0);
  await admin.request(pullRequest(topic, 0, 0, 10_000), 20_000);
  const good = new GoodClient(broker.broker, 'good-4');
  const consumer = await Pipeliner.connect(broker.broker);
  const count = 20_000;
  // The last request is answered when all before it are parked.
  consumer.pipeline([...repeat(count, () => pullRequest(topic, 0, 1, 100_000)), pullRequest(topic, 0, 0)]);
  await until('all are parked', () => consumer.answers.length === 1 || consumer.closed);
  assert.is(consumer.answers[0]?.opaque, count);
  assert.is((await admin.request(sendRequest(topic, 0, 'second', Buffer.from('2')), 20_000)).code, 0);
  await until('all are answered', () => consumer.answers.length === count + 1 || consumer.closed);
  assertEachOnce(consumer.answers, count + 1);
  for (const { code, remark } of consumer.answers) assert.is(code, 0, remark);
  // Nothing is left that would be answered a second time.
  assert.is((await admin.request(sendRequest(topic, 0, 'third', Buffer.from('3')), 20_000)).code, 0);
  const third = await admin.request(pullRequest(topic, 0, 2, 10_000), 20_000);
  assert.is(third.code, 0);
  assert.is(consumer.answers.length, count + 1);
  consumer.close();
  await good.stop();
});

test('a stop in the middle of it all is clean, and what was acknowledged is there', async () => {
  const own = temporaryStore();
  const first = await startBrokerProcess(own.directory);
  let second: BrokerProcess | undefined;
  const client = new CommandClient({ address: first.broker });
  try {
    for (const topic of ['large', 'doomed', 'filled']) {
      const body = topic === 'large' ? LARGE : Buffer.from('0');
      assert.is((await client.request(sendRequest(topic, 0, 'k0', body), 20_000)).code, 0);
    }
    await client.request(pullRequest('large', 0, 0, 10_000), 20_000);
    const [greedy, parked, sender, maker, asker] = await Promise.all(
      repeat(5, () => Pipeliner.connect(first.broker)),
    );
    greedy?.pause();
    greedy?.pipeline(repeat(1000, () => pullRequest('large', 0, 0)));
    parked?.pipeline(repeat(5000, () => pullRequest('filled', 0, 1_000_000, 100_000)));
    sender?.pipeline(repeat(20_000, (n) => sendRequest('filled', 0, `k${n + 1}`, Buffer.alloc(1024, 'b'))));
    maker?.pipeline(repeat(2000, (n) => sendRequest('just-made', 0, `k${n}`, Buffer.alloc(1024, 'b'))));
    asker?.pipeline([
      requestCommand(RequestCode.DELETE_TOPIC_IN_BROKER, { topic: 'doomed' }),
      ...repeat(500, () => requestCommand(RequestCode.GET_ALL_TOPIC_CONFIG, {})),
    ]);
    await until('sends are answered', () => (sender?.answers.length ?? 0) > 2000);
    first.child.kill('SIGTERM');
    assert.is(await first.ended, 0, first.log());
    const sent = sender?.answers.filter(({ code }) => code === 0) ?? [];
    const made = maker?.answers.filter(({ code }) => code === 0) ?? [];
    second = await startBrokerProcess(own.directory);
    const reader = new CommandClient({ address: second.broker });
    const filled = await readQueue(reader, 'filled', 0);
    // In the order in which they were sent, up to where the stop came.
    assert.ok(filled.every((key, n) => key === `k${n}`));
    assert.ok(filled.length > sent.length, `${filled.length} of ${sent.length} acknowledged`);
    const keys = made.length === 0 ? [] : await readQueue(reader, 'just-made', 0);
    assert.ok(keys.length >= made.length && keys.every((key, n) => key === `k${n}`));
    reader.close();
    second.child.kill('SIGTERM');
    assert.is(await second.ended, 0, second.log());
  } finally {
    client.close();
    first.child.kill('SIGKILL');
    second?.child.kill('SIGKILL');
    own.remove();
  }
});

test.run();
