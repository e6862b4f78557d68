/** Sends to topics that do not exist yet: in order, bounded, each answered once, whatever becomes of the topic. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ControlLink } from '../../../src/broker/link/control-link.ts';
import { CreationWait } from '../../../src/broker/topics/creation-wait.ts';
import { ParkedFrames } from '../../../src/broker/topics/parked-frames.ts';
import { MAX_ALL_CREATION_BYTES, MAX_CREATION_BYTES } from '../../../src/lib/limits.ts';
import type { Connection } from '../../../src/net/connection.ts';
import { RequestCode, ResponseCode } from '../../../src/protocol/codes.ts';
import { FLAG_ONEWAY, type RemotingCommand, requestCommand } from '../../../src/protocol/command.ts';
import { encodeCommand } from '../../../src/protocol/command-codec.ts';
import { CUT_BLOCKED } from '../../../src/protocol/frame-cutter.ts';
import { decodeRecord } from '../../../src/record/decode.ts';
import { ChannelReceiver, ChannelSender, createChannel } from '../../../src/ring/channel.ts';
import { LINK_ENSURE } from '../../../src/ring/link-records.ts';
import { CountedCalls } from '../../support/counted-calls.ts';
import { type FakeConnection, fakeConnection } from '../../support/fake-connection.ts';
import { Random, seeds } from '../../support/random.ts';
import { SendRig, sendFields, topicDelta } from '../../support/send-rig.ts';

const test = suite('creation wait');

/** A client of the thread: what it sends is handled in order, and not while it is blocked. */
class Client {
  readonly fake: FakeConnection;
  readonly pending: Uint8Array[] = [];
  readonly answers: RemotingCommand[] = [];
  sent = 0;

  constructor(slot: number) {
    this.fake = fakeConnection(slot, 1);
  }

  get connection(): Connection {
    return this.fake.connection;
  }

  collect(): RemotingCommand[] {
    this.answers.push(...this.fake.replies());
    return this.answers;
  }
}

class Rig extends SendRig {
  readonly clients: Client[];
  readonly blocked: Client[] = [];
  readonly control: ChannelReceiver;
  readonly wait: CreationWait;
  /** Ms of a clock that goes on by `tick` with every look. */
  ticks = 0;
  tick = 0;
  /** Slices that ended before everything had run. */
  unfinished = 0;

  constructor(clients = 1, ringBytes = 4096, pending = 16) {
    super({ ringBytes, pending });
    const shape = createChannel({ ringBytes: 4096 });
    this.clients = Array.from({ length: clients }, (_, slot) => new Client(slot));
    this.control = ChannelReceiver.join(shape, () => {});
    const link = new ControlLink({
      up: ChannelSender.join(shape, () => {}, 1024),
      down: ChannelReceiver.join(createChannel({ ringBytes: 4096 }), () => {}),
      connectionOf: () => undefined,
      touched: () => {},
      close: () => {},
      apply: () => {},
    });
    this.wait = new CreationWait({
      link,
      view: this.view,
      now: () => this.now,
      calls: new CountedCalls().calls,
      run: (connection, frame) => this.sendFrame(frame, connection),
      touched: () => {},
      clock: () => {
        this.ticks += this.tick;
        return this.ticks;
      },
      goOn: () => this.unfinished++,
      refusals: this.refusals,
    });
    this.creation = this.wait;
    this.link = link;
  }

  readonly link: ControlLink;

  /** A send of the client, as its socket reads it. */
  post(client: Client, topic: string, more: Partial<RemotingCommand> = {}): void {
    const body = Buffer.from(`${client.connection.slot}/${topic}/${client.sent}`);
    const command = requestCommand(RequestCode.SEND_MESSAGE_V2, sendFields({ b: topic }), body);
    client.pending.push(encodeCommand({ ...command, opaque: client.sent++, ...more }).subarray(4));
    if (!this.blocked.includes(client)) this.#handle(client);
  }

  /** Asks that control finds in its ring. */
  asked(): number {
    this.link.publish();
    let asked = 0;
    while (this.control.next()) asked += this.control.type === LINK_ENSURE ? 1 : 0;
    this.control.release();
    return asked;
  }

  ensured(name: string, code = 0, remark = ''): void {
    this.wait.ensured({ kind: 'ensured', what: 'topic', name, code, remark });
    this.wait.retry();
  }

  /** The writer has had its turn: what waited for rings goes on, in the order of the agent. */
  room(): void {
    this.write();
    this.acknowledger.drain(this.now);
    this.wait.retry();
    for (let n = this.blocked.length; n > 0; n--) this.#handle(this.blocked.shift() as Client);
  }

  /** Bodies in the log, in order. */
  stored(): string[] {
    const bodies: string[] = [];
    for (let at = 0; at < this.log.position; ) {
      const record = this.record(at);
      bodies.push(Buffer.from(decodeRecord(record)?.body ?? []).toString());
      at += record.length;
    }
    return bodies;
  }

  #handle(client: Client): void {
    for (let frame = client.pending[0]; frame !== undefined; frame = client.pending[0]) {
      if (this.sendFrame(frame, client.connection) === CUT_BLOCKED) {
        this.blocked.push(client);
        return;
      }
      client.pending.shift();
    }
  }
}

/** Random sends of three clients to two topics that are made, in every state that making them has. */
function play(seed: number): void {
  const random = new Random(seed);
  const rig = new Rig(3);
  const topics = ['X', 'Y'];
  const known = new Set<string>();
  const ready = new Set<string>();
  for (let n = 0; n < 400; n++) {
    const choice = random.next();
    if (choice < 0.75) rig.post(random.pick(rig.clients), random.pick(['T', ...topics]));
    else if (choice < 0.85) rig.room();
    else if (choice < 0.9) {
      rig.asked();
      // Room in the link: whoever could not ask goes on.
      rig.room();
    } else if (n > 50) {
      const topic = random.pick(topics);
      if (!known.has(topic)) {
        known.add(topic);
        rig.view.apply(topicDelta(topic, { queues: topic === 'X' ? [5, 6, 7, 8] : [9, 10, 11, 12] }));
      } else if (n > 200 && !ready.has(topic)) {
        ready.add(topic);
        rig.ensured(topic);
      }
    }
  }
  for (const topic of topics) {
    rig.view.apply(topicDelta(topic, { queues: topic === 'X' ? [5, 6, 7, 8] : [9, 10, 11, 12] }));
    rig.ensured(topic);
  }
  for (let i = 0; i < 200; i++) {
    rig.asked();
    rig.ensured('X');
    rig.ensured('Y');
    rig.room();
  }
  assert.equal([rig.blocked.length, rig.wait.hasReady], [0, false]);
  const stored = rig.stored();
  assert.is(new Set(stored).size, stored.length, 'each once');
  assert.is(
    stored.length,
    rig.clients.reduce((sum, { sent }) => sum + sent, 0),
    'none is lost',
  );
  for (const { connection } of rig.clients) {
    for (const topic of ['T', ...topics]) {
      const prefix = `${connection.slot}/${topic}/`;
      const mine = stored.filter((body) => body.startsWith(prefix)).map((body) => Number(body.split('/')[2]));
      assert.ok(
        mine.every((sent, i) => i === 0 || sent > (mine[i - 1] as number)),
        `${prefix} in order: ${mine}`,
      );
    }
  }
}

test('sends to a topic that is made are stored once, in the order of each client', () => {
  for (const seed of seeds('CREATION_SEED', 60)) {
    try {
      play(seed);
    } catch (error) {
      throw new Error(`CREATION_SEED=${seed}: ${(error as Error).message}`, { cause: error });
    }
  }
});

test('control is asked once, and what comes between the topic and the answer goes behind what waits', () => {
  const rig = new Rig(2, 64 * 1024);
  const [first, second] = rig.clients as [Client, Client];
  rig.post(first, 'X');
  rig.post(second, 'X');
  assert.is(rig.asked(), 1);
  rig.view.apply(topicDelta('X'));
  rig.post(second, 'X');
  rig.post(first, 'T');
  rig.room();
  assert.equal(rig.stored(), ['0/T/1']);
  rig.ensured('X');
  rig.room();
  assert.equal(rig.stored(), ['0/T/1', '0/X/0', '1/X/0', '1/X/1']);
  assert.is(rig.asked(), 0);
});

test('more than the limit for one topic is refused by its name, and what was there before is stored', () => {
  const rig = new Rig(1, 1024 * 1024, 16 * 1024);
  const [client] = rig.clients as [Client];
  const fits = 40;
  const body = Buffer.alloc(Math.floor(MAX_CREATION_BYTES / fits) - 700);
  for (let i = 0; i < fits + 2; i++) rig.post(client, 'X', { body });
  const refused = client.collect();
  assert.equal(
    refused.map(({ code, opaque }) => [code, opaque]),
    [
      [ResponseCode.SYSTEM_BUSY, fits],
      [ResponseCode.SYSTEM_BUSY, fits + 1],
    ],
  );
  assert.match(refused[0]?.remark ?? '', /limit MAX_CREATION_BYTES/);
  rig.view.apply(topicDelta('X'));
  rig.ensured('X');
  for (let i = 0; i < 20; i++) rig.room();
  assert.is(rig.stored().length, fits);
});

test('once the topic is there, what finds the rings full is not refused but waits', () => {
  const rig = new Rig(2, 1024 * 1024, 16);
  const [client, other] = rig.clients as [Client, Client];
  const body = Buffer.alloc(100 * 1024);
  for (let i = 0; i < 30; i++) rig.post(client, 'X', { body });
  rig.view.apply(topicDelta('X'));
  rig.ensured('X');
  for (let i = 0; i < 30; i++) rig.post(other, 'X', { body });
  assert.equal([client.collect().length, other.collect().length], [0, 0]);
  assert.ok(rig.blocked.includes(other));
  for (let i = 0; i < 40; i++) rig.room();
  assert.is(rig.stored().length, 60);
});

test('the limit for all names holds, and the bytes come back when frames run, expire or are refused', () => {
  const parked = new ParkedFrames();
  const { connection } = fakeConnection();
  const frame = new Uint8Array(1024 * 1024);
  let names = 0;
  while (parked.park(`t:${names}`, { connection, frame }, names) === undefined) names++;
  assert.is(parked.park('t:more', { connection, frame }, 0), 'MAX_ALL_CREATION_BYTES');
  assert.ok(
    parked.bytes <= MAX_ALL_CREATION_BYTES && parked.bytes > MAX_ALL_CREATION_BYTES - 2 * frame.length,
  );
  const always = () => true;
  const overdue = parked.overdue(3000 + 9);
  assert.equal(
    overdue,
    Array.from({ length: 10 }, (_, i) => `t:${i}`),
  );
  const refusal = { code: 1, remark: '' };
  for (const key of overdue) parked.markReady(key, refusal);
  parked.runReady((_, __, why) => why === refusal, always);
  assert.is(parked.size, names - 10);
  parked.markReady('t:11');
  parked.runReady(() => false, always);
  parked.runReady(always, always);
  parked.markReady('t:12');
  assert.ok(parked.hasReady);
  const late = parked.overdue(1e9);
  assert.is(late.length, names - 12, 'what is ready does not expire');
  for (const key of [...late, 't:12']) parked.markReady(key, refusal);
  const refused: string[] = [];
  parked.runReady((_, key, why) => (why === undefined ? true : refused.push(key) > 0), always);
  assert.equal(refused.sort(), late.sort(), 'the first answer counts');
  assert.equal([parked.size, parked.bytes, parked.hasReady], [0, 0, false]);
});

test('what is ready runs in slices, by turns of its names, and each in its order', () => {
  const parked = new ParkedFrames();
  const { connection } = fakeConnection();
  for (let i = 0; i < 6; i++)
    for (const key of ['t:a', 't:b']) parked.park(key, { connection, frame: Uint8Array.of(i) }, 0);
  for (const key of ['t:a', 't:b']) parked.markReady(key);
  const ran: string[] = [];
  const slice = (run: (key: string) => boolean) => {
    let left = 4;
    return parked.runReady(
      ({ frame }, key) => run(key) && ran.push(`${key.slice(2)}${frame[0]}`) > 0,
      () => left-- > 0,
    );
  };
  while (slice(() => true)) {}
  assert.equal(ran.splice(0).join(' '), 'a0 a1 a2 a3 b0 b1 b2 b3 a4 a5 b4 b5');
  // Those that find no room keep nobody else from running, and a slice of nothing else asks for no other.
  for (const key of ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => `t:${name}`)) {
    parked.park(key, { connection, frame: Uint8Array.of(0) }, 0);
    parked.markReady(key);
  }
  const blocked = (key: string) => key > 't:d';
  assert.equal([slice(blocked), ran.splice(0)], [false, []]);
  assert.equal([slice(blocked), ran.splice(0)], [true, ['e0', 'f0']]);
});

test('thousands that waited do not run in one turn, and none is left', () => {
  for (const code of [0, ResponseCode.SYSTEM_ERROR]) {
    const rig = new Rig(2, 1024 * 1024, 16 * 1024);
    rig.tick = 1;
    const [client, other] = rig.clients as [Client, Client];
    for (let i = 0; i < 50; i++) rig.post(client, 'X');
    if (code === 0) rig.view.apply(topicDelta('X'));
    rig.ensured('X', code);
    const answered = () => (code === 0 ? rig.stored().length : client.collect().length);
    rig.write();
    assert.ok(answered() > 0 && answered() < 10, `${answered()} in one slice`);
    // Whoever comes now waits behind them, and is served after the last.
    rig.post(other, 'X');
    while (rig.unfinished > 0) {
      rig.unfinished = 0;
      rig.room();
    }
    rig.room();
    assert.is(answered(), code === 0 ? 51 : 50);
  }
});

test('very many that have waited for too long are refused in several goes', () => {
  const parked = new ParkedFrames();
  const { connection } = fakeConnection();
  for (let i = 0; i < 10_000; i++) parked.park(`t:${i}`, { connection, frame: new Uint8Array(10) }, 0);
  const goes: number[] = [];
  while (parked.size > 0) {
    const overdue = parked.overdue(3000);
    goes.push(overdue.length);
    for (const key of overdue) parked.markReady(key, { code: 1, remark: '' });
    parked.runReady(
      () => true,
      () => true,
    );
  }
  assert.equal(goes, [4096, 4096, 1808]);
  assert.is(parked.bytes, 0);
});

test('what waits for too long is refused once, and a late answer changes nothing', () => {
  const rig = new Rig();
  const [client] = rig.clients as [Client];
  rig.post(client, 'X');
  rig.now += 1000;
  rig.post(client, 'X');
  rig.wait.expire();
  rig.wait.retry();
  assert.is(client.collect().length, 0);
  rig.now += 2000;
  rig.wait.expire();
  rig.wait.retry();
  assert.equal(
    client.collect().map(({ code, opaque }) => [code, opaque]),
    [
      [ResponseCode.SYSTEM_BUSY, 0],
      [ResponseCode.SYSTEM_BUSY, 1],
    ],
  );
  rig.view.apply(topicDelta('X'));
  rig.ensured('X');
  rig.room();
  assert.equal([rig.stored(), client.collect().length], [[], 2]);
});

test("control's refusal goes to everybody who waits and wants an answer, and is still connected", () => {
  const rig = new Rig(3);
  const [first, oneway, gone] = rig.clients as [Client, Client, Client];
  rig.post(first, 'X');
  rig.post(oneway, 'X', { flag: FLAG_ONEWAY });
  rig.post(gone, 'X');
  gone.connection.closed = true;
  rig.ensured('X', ResponseCode.NO_PERMISSION, 'not this one');
  assert.equal(
    rig.clients.map((client) => client.collect().map(({ code, remark }) => [code, remark])),
    [[[ResponseCode.NO_PERMISSION, 'not this one']], [], []],
  );
  assert.is(rig.wait.hasReady, false);
});

test('sends are stored although their producer has closed meanwhile', () => {
  const rig = new Rig();
  const [client] = rig.clients as [Client];
  rig.post(client, 'X', { flag: FLAG_ONEWAY });
  rig.post(client, 'X');
  client.connection.closed = true;
  rig.view.apply(topicDelta('X'));
  rig.ensured('X');
  rig.room();
  assert.equal(rig.stored(), ['0/X/0', '0/X/1']);
  assert.is(client.collect().length, 0);
});

test('a topic that is deleted before its first sends run: they are told so', () => {
  const rig = new Rig();
  const [client] = rig.clients as [Client];
  rig.post(client, 'X');
  rig.view.apply(topicDelta('X'));
  rig.view.apply({ kind: 'topicDeleted', name: 'X' });
  rig.post(client, 'X');
  rig.ensured('X');
  rig.room();
  const answers = client.collect();
  assert.equal(
    answers.map(({ code }) => code),
    [ResponseCode.TOPIC_NOT_EXIST, ResponseCode.TOPIC_NOT_EXIST],
  );
  assert.match(answers[0]?.remark ?? '', /was deleted/);
  assert.is(rig.wait.hasReady, false);
});

test('where control cannot be asked the frame stays with its connection', () => {
  const rig = new Rig(40);
  for (const [i, client] of rig.clients.entries()) rig.post(client, `new-topic-${i}`);
  assert.ok(rig.blocked.length > 0);
  const before = rig.clients.length - rig.blocked.length;
  assert.is(rig.asked(), before);
  rig.room();
  assert.is(rig.asked() > 0, true);
  for (let i = 0; i < 10; i++) {
    rig.room();
    rig.asked();
  }
  assert.equal([rig.blocked, rig.clients.every((client) => client.collect().length === 0)], [[], true]);
});

test('names that no topic has are refused at once', () => {
  const rig = new Rig();
  const [client] = rig.clients as [Client];
  rig.post(client, 'no topic!');
  assert.is(client.collect()[0]?.code, ResponseCode.INVALID_PARAMETER);
  assert.equal([rig.asked(), rig.blocked.length], [0, 0]);
});

test.run();
