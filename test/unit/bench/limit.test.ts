/** The bare limit program: what it answers to the generator and to single requests, and what it stores. */
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { buildBatchBody } from '../../../bench/load/batch-body.ts';
import type { LoadResult } from '../../../bench/load/recorder.ts';
import { createTopics } from '../../../bench/rocketmq/admin.ts';
import { LIMIT } from '../../../bench/rocketmq/contestant.ts';
import { startTarget } from '../../../bench/rocketmq/start.ts';
import { javaHashCode } from '../../../src/lib/java-hash.ts';
import { type RemotingCommand, requestCommand, SERIALIZE_BINARY } from '../../../src/protocol/command.ts';
import { messageIdOf } from '../../../src/record/decode.ts';
import {
  builtLimit,
  type LimitMode,
  LimitServer,
  LOG_FILE_BYTES,
  RawClient,
  removeLimitFolder,
  runFolder,
} from './limit-server.ts';
import { type FoundRecord, indexedPlaces, queueEntry, recordsOf } from './limit-store.ts';

const program = await builtLimit();
const limited = program === undefined ? test.skip : test;
test.after(removeLimitFolder);

const TOPIC = 'ringmq_bench';
const verdict = ({ lost, duplicates, foreign, errors }: LoadResult) => [lost, duplicates, foreign, errors];

/** Returns where its store lies, complete. */
async function withLimit(mode: LimitMode, work: (limit: LimitServer) => Promise<void>): Promise<string> {
  const limit = await LimitServer.start(program as string, mode);
  let code: number | null = null;
  try {
    await work(limit);
  } finally {
    code = await limit.stop();
  }
  assert.is(code, 0);
  return limit.store;
}

/** Each record is in its queue, with the entry that names it, and in the index by its key. */
function checkQueuesAndIndex(store: string, records: readonly FoundRecord[]): void {
  const next = [0, 0, 0, 0];
  for (const [place, { message, size }] of records.entries()) {
    const { queueId, queueOffset, physicalOffset, properties } = message;
    assert.is(queueOffset, next[queueId]);
    next[queueId] = queueOffset + 1;
    const entry = queueEntry(store, TOPIC, queueId, queueOffset);
    assert.equal(entry, [physicalOffset, size, javaHashCode('TagA')]);
    const key = properties.get('UNIQ_KEY') as string;
    if (place % 50 === 0) assert.ok(indexedPlaces(store, TOPIC, key).includes(physicalOffset), key);
  }
}

for (const mode of ['async', 'sync'] as const) {
  limited(`${mode}: what was sent in every form is stored and comes back once`, async () => {
    const store = await withLimit(mode, async (limit) => {
      const ways = [[], ['--header', 'binary']].flatMap((header) => [header, [...header, '--batch', '5']]);
      for (const [run, way] of ways.entries()) {
        const load = ['--connections', '3', '--in-flight', '7', '--messages', '300', '--run', String(run)];
        const sent = await limit.load(...load, '--ledger', limit.ledger, ...way);
        assert.equal([sent.messages, sent.errors], [300, 0]);
      }
      for (const header of ['json', 'binary']) {
        const how = ['--mode', 'pull', '--once', '--header', header, '--connections', '2'];
        const pulled = await limit.load(...how, '--ledger', limit.ledger);
        assert.equal(verdict(pulled), [0, 0, 0, 0]);
        assert.equal([pulled.messages, pulled.wholePasses], [1200, 1]);
      }
    });
    const records = recordsOf(store);
    assert.is(records.length, 1200);
    const fileOf = ({ message }: FoundRecord): number => Math.floor(message.physicalOffset / LOG_FILE_BYTES);
    assert.ok(new Set(records.map(fileOf)).size > 2, 'the log goes on in further files');
    assert.is(new Set(records.map(({ message }) => message.properties.get('UNIQ_KEY'))).size, 1200);
    assert.ok(records.every(({ message }) => message.topic === TOPIC && message.body.length === 1024));
    checkQueuesAndIndex(store, records);
  });

  for (const header of ['json', 'binary']) {
    limited(`${mode}: end to end with ${header} headers nothing is lost or doubled`, async () => {
      await withLimit(mode, async (limit) => {
        const load = ['--mode', 'end-to-end', '--header', header, '--connections', '2', '--in-flight', '4'];
        const times = ['--warmup', '60', '--warmup-messages', '400', '--seconds', '0.05'];
        const result = await limit.load(...load, ...times);
        assert.equal(verdict(result), [0, 0, 0, 0]);
        assert.ok((result.throughMessages as number) >= 400);
      });
    });
  }
}

function asked(code: number, fields: Record<string, string>, binary: boolean, body?: Uint8Array) {
  const request = { ...requestCommand(code, fields, body), opaque: 7 };
  return binary ? { ...request, serializeType: SERIALIZE_BINARY } : request;
}

function sendFields(queueId: number, properties: string): Record<string, string> {
  return { a: 'p', b: 't', c: 'TBW102', d: '4', e: String(queueId), f: '0', g: '123', h: '5', i: properties };
}

function pullFields(offset: number, suspendMillis: number): Record<string, string> {
  const place = { topic: 't', queueId: '9', queueOffset: String(offset), maxMsgNums: '2' };
  return { ...place, sysFlag: '2', suspendTimeoutMillis: String(suspendMillis) };
}

for (const binary of [false, true]) {
  const form = binary ? 'binary' : 'JSON';

  limited(`${form}: an answer names the message as it is stored`, async () => {
    let single: RemotingCommand | undefined;
    let batch: RemotingCommand | undefined;
    const store = await withLimit('async', async (limit) => {
      const client = new RawClient(limit.port);
      const odd = 'A\x01"\\ü\u20ac\n\x02UNIQ_KEY\x01one\x02';
      single = await client.call(asked(310, sendFields(3, odd), binary, Buffer.from('body')));
      const items = buildBatchBody(3, Buffer.from('item'), Buffer.from('UNIQ_KEY\x01many\x02'));
      batch = await client.call(asked(320, sendFields(3, 'UNIQ_KEY\x01all\x02'), binary, items.bytes));
      client.end();
    });
    const [first, ...others] = recordsOf(store).map(({ message }) => message);
    if (first === undefined) throw new Error('nothing is stored');
    const common = { MSG_REGION: 'DefaultRegion', TRACE_ON: 'true', queueId: '3' };
    const names = { msgId: messageIdOf(first), queueOffset: '0', transactionId: 'one' };
    assert.equal({ ...single?.fields }, { ...common, ...names });
    assert.equal([single?.code, single?.opaque, single?.flag], [0, 7, 1]);
    const ids = { msgId: others.map(messageIdOf).join(','), queueOffset: '1', transactionId: 'all' };
    assert.equal({ ...batch?.fields }, { ...common, ...ids });
    assert.equal([first.properties.get('A'), first.flag, first.bornTimestamp], ['"\\ü\u20ac\n', 5, 123]);
    assert.is(others.length, 3);
    assert.ok(others.every(({ body, queueId }) => Buffer.from(body).toString() === 'item' && queueId === 3));
  });

  limited(`${form}: a pull waits for what comes, and no longer than it asked for`, async () => {
    await withLimit('async', async (limit) => {
      const [consumer, producer] = [new RawClient(limit.port), new RawClient(limit.port)];
      const late = await consumer.call(asked(11, pullFields(0, 10), binary));
      assert.equal([late?.code, late?.fields['nextBeginOffset'], late?.body], [19, '0', undefined]);
      consumer.send(asked(11, pullFields(0, 60_000), binary));
      await producer.call(asked(310, sendFields(9, 'UNIQ_KEY\x01one\x02'), binary, Buffer.from('body')));
      const found = await consumer.answer();
      assert.is(found?.code, 0);
      assert.equal(
        ['nextBeginOffset', 'minOffset', 'maxOffset'].map((name) => found?.fields[name]),
        ['1', '0', '1'],
      );
      const end = await producer.call(asked(30, { topic: 't', queueId: '9' }, binary));
      assert.is(end?.fields['offset'], '1');
      for (const client of [consumer, producer]) client.end();
    });
  });
}

/** A frame with a header of these bytes. */
function frame(
  kind: number,
  header: Uint8Array,
  body = Buffer.alloc(0),
  headerLength = header.length,
): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(4 + header.length + body.length, 0);
  head.writeUInt32BE((kind << 24) | headerLength, 4);
  return Buffer.concat([head, header, body]);
}

/** A binary header whose one field claims to be longer than it is. */
function tornField(): Buffer {
  const header = Buffer.alloc(21 + 9);
  header.writeUInt16BE(310, 0);
  header.writeUInt32BE(9, 17);
  header.writeUInt16BE(1, 21);
  header.writeUInt32BE(0xffffffff, 24);
  return header;
}

const MALFORMED: [string, () => Uint8Array | RemotingCommand][] = [
  ['a frame of 4 GiB', () => Buffer.alloc(4, 0xff)],
  ['a frame without a header word', () => Buffer.from([0, 0, 0, 2, 0, 0])],
  ['a header beyond its frame', () => frame(0, Buffer.from('{"code":34,"opaque":1}'), undefined, 500)],
  ['an unknown kind of header', () => frame(7, Buffer.from('{"code":34,"opaque":1}'))],
  ['a header without code', () => frame(0, Buffer.from('{"opaque":1}'))],
  ['a string without end', () => frame(0, Buffer.from('{"code":310,"opaque":1,"extFields":{"b":"t'))],
  ['a binary header that is too short', () => frame(1, Buffer.alloc(20))],
  ['a binary field beyond its header', () => frame(1, tornField())],
  ['a queue that there is not', () => asked(310, sendFields(10, ''), false, Buffer.from('body'))],
  ['a pull from a queue that there is not', () => asked(11, { ...pullFields(0, 0), queueId: '10' }, true)],
  ['the end of a queue that there is not', () => asked(30, { topic: 't', queueId: '99' }, false)],
  ['a topic that is a path', () => asked(310, { ...sendFields(0, ''), b: 'a/b' }, false)],
  ['a topic that is too long', () => asked(310, { ...sendFields(0, ''), b: 'x'.repeat(128) }, true)],
  ['properties that are too long', () => asked(310, sendFields(0, 'x'.repeat(40_000)), true)],
  ['half an item', () => asked(320, sendFields(0, ''), false, Buffer.from([0, 0, 0, 60, 1, 2, 3]))],
  ['an item of nothing', () => asked(320, sendFields(0, ''), true, Buffer.alloc(40))],
];

limited('escapes of a JSON header are undone', async () => {
  const store = await withLimit('async', async (limit) => {
    const client = new RawClient(limit.port);
    const properties = 'A\\u0001\\u00fc\\u20AC\\"\\\\\\t\\/\\u0002';
    const fields = `"b":"t","e":"0","f":"0","g":"1","h":"0","i":"${properties}"`;
    client.write(frame(0, Buffer.from(`{"code":310,"extFields":{${fields}},"opaque":1}`), Buffer.from('b')));
    assert.is((await client.answer())?.code, 0);
    client.end();
  });
  assert.is(recordsOf(store)[0]?.message.properties.get('A'), '\u00fc\u20ac"\\\t/');
});

limited('input that cannot be read closes its connection, and the others go on', async () => {
  await withLimit('async', async (limit) => {
    const other = new RawClient(limit.port);
    for (const [name, input] of MALFORMED) {
      const client = new RawClient(limit.port);
      const bytes = input();
      if (bytes instanceof Uint8Array) client.write(bytes);
      else client.send(bytes);
      assert.is(await client.answer(), undefined, name);
      assert.is((await other.call(asked(34, {}, false)))?.code, 0, name);
    }
    other.end();
  });
});

limited('the oldest files of the log go, and what lay there is found no more', async () => {
  const kept = 2;
  const limit = await LimitServer.start(program as string, 'async', kept);
  const client = new RawClient(limit.port);
  const pull = (queueOffset: number) =>
    client.call(asked(11, { ...pullFields(queueOffset, 0), queueId: '0', sysFlag: '0' }, true));
  await limit.load('--connections', '2', '--in-flight', '8', '--messages', '3000', '--batch', '4');
  const end = await client.call(asked(30, { topic: TOPIC, queueId: '0' }, true));
  const [first, last] = [await pull(0), await pull(Number(end?.fields['offset']) - 1)];
  assert.equal([first?.code, first?.body], [19, undefined]);
  assert.is(last?.code, 0);
  client.end();
  assert.is(await limit.stop(), 0);
  const files = fs.readdirSync(path.join(limit.store, 'commitlog'));
  // One is made ahead, and one may have been left when it ended.
  assert.ok(files.length <= kept + 2, files.join());
  assert.not.ok(files.includes('0'.repeat(20)));
});

limited('it starts as a contestant does, and takes its topic', async () => {
  const context = { folder: runFolder, lib: '', heap: '' };
  const target = await startTarget(context, LIMIT, 'SYNC_FLUSH', path.join(runFolder.path, 'contestant'));
  try {
    await createTopics(target.port, [TOPIC], 4);
    assert.is(target.death, undefined);
    assert.ok(target.store.startsWith(runFolder.path));
  } finally {
    await target.stop();
  }
});

test.run();
