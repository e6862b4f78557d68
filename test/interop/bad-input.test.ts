// What a broker says to nonsense. The codes and texts are those of the real one (run with INTEROP_TARGET=rocketmq);
// where it answers with the text of a Java exception, only the code is compared.

import type { Test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  frame,
  frameOf,
  pull,
  RawConnection,
  type RawRequest,
  type RawResponse,
  send,
} from './support/raw.ts';
import { clusterSuite } from './support/suite.ts';
import { target } from './support/target.ts';

const MIB = 1024 * 1024;
const FRAME_LIMIT = 16 * MIB;
const CLOSE_TIMEOUT = 5_000;

const { test, cluster } = clusterSuite('bad input');

interface Case {
  readonly name: string;
  readonly request: RawRequest;
  readonly code: number;
  readonly remark?: RegExp;
  /** RocketMQ's answer is the accident of a Java exception: any code that blames the request will do. */
  readonly accident?: true;
}

const BLAMES_THE_REQUEST = [1, 13, 29];

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value | 0);
  return bytes;
}

/** Padded: a real broker decides on the protocol of a connection only after its first 12 bytes. */
function lying(length: number, header: number, rest = Buffer.alloc(32, 'x')): Buffer {
  return Buffer.concat([int32(length), int32(header), rest]);
}

function json(text: string): Buffer {
  return frameOf(Buffer.from(text), Buffer.alloc(0));
}

const FATAL_FRAMES: readonly [string, Buffer][] = [
  ['a length of 2^31 - 1', lying(2 ** 31 - 1, 10)],
  ['a length one byte over the limit', lying(FRAME_LIMIT - 3, 10)],
  ['a negative length', lying(-1, 10)],
  ['the most negative length', lying(-(2 ** 31), 10)],
  ['a length of 0', lying(0, 0)],
  ['a length too short for a header length', lying(3, 0)],
  ['a header longer than its frame', lying(20, 100, Buffer.alloc(16, 'x'))],
  ['a header length of 2^24 - 1', lying(20, 0xffffff, Buffer.alloc(16, 'x'))],
  ['an unknown kind of header', lying(20, 0x07000010, Buffer.alloc(16, 'x'))],
  ['garbage as a binary header', lying(20, 0x01000010, Buffer.alloc(16, 'x'))],
  ['JSON that ends early', json('{"code":30,')],
  ['a JSON array', json('[1,2]')],
  ['JSON null', json('null')],
  ['a code that is no number', json('{"code":"abc","opaque":1}')],
  ['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')],
];

const SENDS: readonly Case[] = [
  ...['../x', 'a b', 'a/b', 'tö'].map((topic) => ({
    name: `topic ${topic}`,
    request: send(topic),
    code: 29,
    remark: /The specified topic: .* contains illegal characters, allowing only \^\[%\|a-zA-Z0-9_-\]\+\$/,
  })),
  { name: 'blank topic', request: send(''), code: 29, remark: /The specified topic is blank\./ },
  {
    name: 'topic of 128',
    request: send('x'.repeat(128)),
    code: 29,
    remark: /longer than topic max length: 127/,
  },
  { name: 'topic of 127', request: send('x'.repeat(127)), code: 0 },
  {
    name: 'system topic',
    request: send('SCHEDULE_TOPIC_XXXX'),
    code: 16,
    remark: /Sending message to topic\[SCHEDULE_TOPIC_XXXX\] is forbidden/,
  },
  {
    name: 'retry topic of an impossible group',
    request: send(`%RETRY%${'g'.repeat(240)}`),
    code: 26,
    remark: /subscription group not exist/,
  },
  {
    name: 'queue 4 of 4',
    request: send('ok', { queueId: 4 }),
    code: 29,
    remark: /request queueId\[4\] is illegal/,
  },
  { name: 'queue 2^31 - 1', request: send('ok', { queueId: 2147483647 }), code: 29, remark: /is illegal/ },
  { name: 'queue -1: the broker chooses', request: send('ok', { queueId: -1 }), code: 0 },
  { name: 'queue abc', accident: true, request: send('ok', { queueId: 'abc' }), code: 1, remark: /queueId/i },
  {
    name: 'queue beyond int32',
    accident: true,
    request: send('ok', { queueId: '99999999999' }),
    code: 1,
    remark: /queueId/i,
  },
  {
    name: 'time of birth in words',
    accident: true,
    request: send('ok', { bornTimestamp: 'yesterday' }),
    code: 1,
    remark: /bornTimestamp/i,
  },
  { name: '4 MiB', request: send('ok', {}, 'x'.repeat(4 * MIB)), code: 0 },
  {
    name: '4 MiB and one',
    request: send('ok', {}, 'x'.repeat(4 * MIB + 1)),
    code: 13,
    remark: /message is illegal.*4194304/,
  },
  {
    name: 'properties of 32,768 bytes',
    request: send('ok', { properties: `K\u0001${'v'.repeat(32_765)}\u0002` }),
    code: 13,
    remark: /properties length limit 32KB/,
  },
  ...['x', '1.5', ' 3', '1e1', '2147483648'].map((level) => ({
    name: `delay level "${level}"`,
    accident: true as const,
    request: send('ok', { properties: `DELAY\u0001${level}\u0002` }),
    code: 1,
    remark: /DELAY|NumberFormatException/,
  })),
  ...['', '+3', '-1', '003', '2147483647'].map((level) => ({
    name: `delay level "${level}"`,
    request: send('ok', { properties: `DELAY\u0001${level}\u0002` }),
    code: 0,
  })),
  { name: 'properties without separators', request: send('ok', { properties: 'garbage' }), code: 0 },
  {
    name: 'topic with a template that is not there',
    request: send('nope', { defaultTopic: 'nowhere' }),
    code: 17,
    remark: /topic\[nope\] not exist/,
  },
  { name: 'nothing but the code', accident: true, request: { code: 10 }, code: 1 },
  { name: 'no topic', accident: true, request: { code: 10, ext: { producerGroup: 'g' } }, code: 1 },
  { name: 'V2 with one field', accident: true, request: { code: 310, ext: { a: 'g' } }, code: 1 },
  {
    name: 'batch of garbage',
    accident: true,
    request: batch(Buffer.from('garbage-garbage-garbage')),
    code: 1,
  },
];

const PULLS: readonly Case[] = [
  { name: 'unknown topic', request: pull('unknown'), code: 17, remark: /topic\[unknown\] not exist/ },
  { name: 'topic ../x', request: pull('../x'), code: 17, remark: /topic\[\.\.\/x\] not exist/ },
  {
    name: 'group ../g',
    request: pull('ok', { consumerGroup: '../g' }),
    code: 26,
    remark: /group.*\.\.\/g/,
  },
  { name: 'queue 4 of 4', request: pull('ok', { queueId: 4 }), code: 29, remark: /queueId\[4\] is illegal/ },
  { name: 'queue -1', request: pull('ok', { queueId: -1 }), code: 29, remark: /queueId\[-1\] is illegal/ },
  { name: 'offset -1', request: pull('ok', { queueOffset: -1 }), code: 21, remark: /OFFSET_TOO_SMALL/ },
  {
    name: 'offset far beyond',
    request: pull('ok', { queueOffset: 1000 }),
    code: 21,
    remark: /OFFSET_OVERFLOW_BADLY/,
  },
  { name: 'offset beyond 2^53', request: pull('ok', { queueOffset: '9007199254740993' }), code: 21 },
  { name: 'offset abc', accident: true, request: pull('ok', { queueOffset: 'abc' }), code: 1 },
  {
    name: 'a group nobody has heard of',
    request: pull('ok', { sysFlag: 0, consumerGroup: 'unheard' }),
    code: 24,
    remark: /consumer's group info not exist/,
  },
  {
    name: 'SQL',
    request: pull('ok', { expressionType: 'SQL92', subscription: 'a > 3' }),
    code: 1,
    remark: /does not support consumer to filter message by SQL92/,
  },
  { name: '0 messages', request: pull('ok', { maxMsgNums: 0 }), code: 0 },
  { name: '-5 messages', request: pull('ok', { maxMsgNums: -5 }), code: 0 },
  { name: 'nothing but the code', accident: true, request: { code: 11 }, code: 1 },
];

const OTHERS: readonly Case[] = [
  { name: 'unknown code', request: { code: 9999 }, code: 3, remark: /request type 9999 not supported/ },
  { name: 'code -1', request: { code: -1 }, code: 3, remark: /request type -1 not supported/ },
  {
    name: 'max offset, unknown topic',
    request: { code: 30, ext: { topic: 'unknown', queueId: 0 } },
    code: 0,
  },
  {
    name: 'view far beyond',
    request: { code: 33, ext: { offset: 2 ** 40 } },
    code: 1,
    remark: /can not find message by the offset, 1099511627776/,
  },
  {
    name: 'view -1',
    request: { code: 33, ext: { offset: -1 } },
    code: 1,
    remark: /can not find message by the offset, -1/,
  },
  { name: 'view inside a record', accident: true, request: { code: 33, ext: { offset: 3 } }, code: 1 },
  {
    name: 'query without a hit',
    request: {
      code: 12,
      ext: { topic: 'ok', key: 'zzz', maxNum: 32, beginTimestamp: 0, endTimestamp: '9223372036854775807' },
    },
    code: 22,
    remark: /can not find message, maybe time range not correct/,
  },
  {
    name: 'offset of a group on an unknown topic',
    request: { code: 14, ext: { consumerGroup: 'g', topic: 'unknown', queueId: 0 } },
    code: 22,
    remark: /maybe this group consumer boot first/,
  },
  {
    name: 'commit for an unknown group',
    request: { code: 15, ext: { consumerGroup: 'g', topic: 'ok', queueId: 0, commitOffset: 5 } },
    code: 26,
    remark: /Group g not exist/,
  },
  {
    name: 'send back what is not there',
    request: {
      code: 36,
      ext: { offset: 2 ** 40, group: 'back', delayLevel: 0, originTopic: 'ok', maxReconsumeTimes: 3 },
    },
    code: 1,
    remark: /look message by offset failed, 1099511627776/,
  },
  {
    name: 'send back, group ../g',
    request: { code: 36, ext: { offset: 0, group: '../g', delayLevel: 0, originTopic: 'ok' } },
    code: 26,
    remark: /group.*\.\.\/g/,
  },
  {
    name: 'heartbeat of broken JSON',
    accident: true,
    request: { code: 34, body: Buffer.from('{not json') },
    code: 1,
  },
  { name: 'heartbeat without a body', accident: true, request: { code: 34 }, code: 1 },
  { name: 'lock with broken JSON', accident: true, request: { code: 41, body: Buffer.from('[') }, code: 1 },
  {
    name: 'members of nobody',
    request: { code: 38, ext: { consumerGroup: 'nobody' } },
    code: 1,
    remark: /no consumer for this group, nobody/,
  },
  {
    name: 'connections of nobody',
    request: { code: 203, ext: { consumerGroup: 'nobody' } },
    code: 206,
    remark: /the consumer group\[nobody\] not online/,
  },
  {
    name: 'statistics of an unknown topic',
    request: { code: 202, ext: { topic: 'unknown' } },
    code: 17,
    remark: /topic\[unknown\] not exist/,
  },
  {
    name: 'create topic ../x',
    request: createTopic('../x'),
    code: 29,
    remark: /contains illegal characters/,
  },
  {
    name: 'create topic TBW102',
    request: createTopic('TBW102'),
    code: 29,
    remark: /conflict with system topic/,
  },
  { name: 'create topic without fields', accident: true, request: { code: 17 }, code: 1 },
  {
    name: 'delete a system topic',
    request: { code: 215, ext: { topic: 'TBW102' } },
    code: 29,
    remark: /conflict with system topic/,
  },
  {
    name: 'delete a blank topic',
    request: { code: 215, ext: { topic: '' } },
    code: 29,
    remark: /The specified topic is blank/,
  },
  { name: 'delete an unknown topic', request: { code: 215, ext: { topic: 'unknown' } }, code: 0 },
  {
    name: 'create group of broken JSON',
    accident: true,
    request: { code: 200, body: Buffer.from('{') },
    code: 1,
  },
  {
    name: 'create group ../g',
    request: { code: 200, body: Buffer.from('{"groupName":"../g"}') },
    code: 29,
    remark: /The specified group: \.\.\/g, contains illegal/,
  },
];

const NAME_SERVER: readonly Case[] = [
  { name: 'unknown code', request: { code: 9999 }, code: 3, remark: /request type 9999 not supported/ },
  {
    name: 'unknown topic',
    request: { code: 105, ext: { topic: 'unknown' } },
    code: 17,
    remark: /No topic route info in name server for the topic: unknown/,
  },
  { name: 'no topic', accident: true, request: { code: 105 }, code: 17 },
  {
    name: 'registration of garbage',
    accident: true,
    request: { code: 103, ext: { brokerName: 'b' }, body: Buffer.from('x') },
    code: 1,
  },
];

function batch(body: Buffer): RawRequest {
  const ext = {
    a: 'g',
    b: 'ok',
    c: 'TBW102',
    d: 4,
    e: 0,
    f: 0,
    g: Date.now(),
    h: 0,
    i: '',
    j: 0,
    k: 'false',
    l: 0,
    m: 'true',
  };
  return { code: 320, ext, body };
}

function createTopic(topic: string): RawRequest {
  const shape = {
    readQueueNums: 4,
    writeQueueNums: 4,
    perm: 6,
    topicFilterType: 'SINGLE_TAG',
    topicSysFlag: 0,
  };
  return { code: 17, ext: { topic, defaultTopic: 'TBW102', ...shape, order: 'false' } };
}

/** Every case on one connection that must outlive them all, beside a neighbour that must notice nothing. */
function refuses(name: string, address: () => string, cases: readonly Case[]): void {
  test(name, async () => {
    const neighbour = await RawConnection.open(cluster().broker.address);
    const connection = await RawConnection.open(address());
    for (const one of cases) {
      const answer = await connection.request(one.request);
      const said = `${one.name}: ${answer.code} ${answer.remark ?? ''}`;
      const codes = one.accident && target === 'ringmq' ? [one.code, ...BLAMES_THE_REQUEST] : [one.code];
      assert.ok(codes.includes(answer.code), `${said}, expected ${codes.join(' or ')}`);
      if (one.code !== 0) assert.ok((answer.remark ?? '').length > 0, `${said}: no remark`);
      if (one.remark !== undefined) assert.match(answer.remark ?? '', one.remark, said);
      await undisturbed(neighbour);
    }
    assert.not(connection.closed);
    connection.destroy();
    neighbour.destroy();
  });
}

async function undisturbed(neighbour: RawConnection): Promise<void> {
  const answer: RawResponse = await neighbour.request({ code: 30, ext: { topic: 'ok', queueId: 0 } });
  assert.is(answer.code, 0);
}

function closes(name: string, address: () => string): void {
  test(name, async () => {
    const neighbour = await RawConnection.open(cluster().broker.address);
    for (const [what, bytes] of FATAL_FRAMES) {
      const connection = await RawConnection.open(address());
      connection.write(bytes);
      assert.ok(await connection.closes(CLOSE_TIMEOUT), `not closed after ${what}`);
      await undisturbed(neighbour);
    }
    neighbour.destroy();
  });
}

function survives(name: string, address: () => string): void {
  test(name, async () => {
    const connection = await RawConnection.open(address());
    connection.write(json('{"code":0,"opaque":99,"flag":1,"language":"JAVA","version":1}')); // nobody asked
    connection.write(json('{"code":9999,"opaque":501,"flag":0,"language":"KLINGON","version":1}'));
    assert.is((await connection.response(501)).code, 3);
    for (const byte of frame({ code: 9999 }, 502)) connection.write(Buffer.from([byte]));
    assert.is((await connection.response(502)).code, 3);
    const many = [503, 504, 505].map((opaque) => frame({ code: 9999, oneway: opaque === 504 }, opaque));
    connection.write(Buffer.concat(many));
    assert.is((await connection.response(503)).code, 3);
    assert.is((await connection.response(505)).code, 3);
    connection.write(frame({ code: 9999 }, 506).subarray(0, 40));
    connection.end();
    assert.ok(
      await connection.closes(CLOSE_TIMEOUT),
      'a frame cut short by the end of the stream is dropped',
    );
  });
}

const broker = (): string => cluster().broker.address;
const nameServer = (): string => cluster().nameServer.address;

(test as Test)('the topic of the other cases', async () => {
  const connection = await RawConnection.open(broker());
  assert.is((await connection.request(send('ok'))).code, 0);
  connection.destroy();
});
refuses('sends', broker, SENDS);
refuses('pulls', broker, PULLS);
refuses('everything else', broker, OTHERS);
refuses('the name server', nameServer, NAME_SERVER);
closes('broken frames close the connection, the broker', broker);
closes('broken frames close the connection, the name server', nameServer);
survives('odd but sound: answers nobody asked for, dripping bytes, many at once, a cut end', broker);
survives('the same at the name server', nameServer);

test('a frame just under the limit is awaited, not refused', async () => {
  const connection = await RawConnection.open(broker());
  connection.write(lying(FRAME_LIMIT - 4, 10));
  assert.not(await connection.closes(1_000), 'the frame may still come');
  connection.destroy();
});

test.run();
