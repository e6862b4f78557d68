/** Answers leave once, in order, and no earlier than promised. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RequestCode, ResponseCode } from '../../../src/protocol/codes.ts';
import { FLAG_ONEWAY, SERIALIZE_BINARY, SERIALIZE_JSON } from '../../../src/protocol/command.ts';
import { encodeMessageId } from '../../../src/record/message-id.ts';
import { APPENDED, FLUSHED, HALT_SYNC_FAILED } from '../../../src/ring/positions.ts';
import { STORE_HOST } from '../../support/messages.ts';
import { SendRig, sendFields } from '../../support/send-rig.ts';

const test = suite('acknowledger');

/** One item of a client's batch body. */
function item(body: string, properties: string): Buffer {
  const bytes = Buffer.alloc(22 + body.length + properties.length);
  bytes.writeInt32BE(bytes.length, 0);
  bytes.writeInt32BE(body.length, 16);
  bytes.write(body, 20);
  bytes.writeInt16BE(properties.length, 20 + body.length);
  bytes.write(properties, 22 + body.length);
  return bytes;
}

test('under SYNC_FLUSH an answer waits for its own end, and for no more', () => {
  const rig = new SendRig({ syncFlush: true });
  for (const opaque of [1, 2, 3]) rig.send({ opaque, fields: sendFields() });
  rig.write();
  assert.is(rig.drain().length, 0);
  const end = rig.positions.get(APPENDED);
  rig.positions.set(FLUSHED, (end / 3) * 2 - 1);
  assert.equal(
    rig.drain().map(({ opaque }) => opaque),
    [1],
  );
  rig.positions.set(FLUSHED, end);
  assert.equal(
    rig.drain().map(({ opaque, code }) => [opaque, code]),
    [
      [2, 0],
      [3, 0],
    ],
  );
});

test('a producer that does not wait is answered before the flush, and only then', () => {
  const rig = new SendRig({ syncFlush: true });
  rig.send({ opaque: 1, fields: sendFields() });
  rig.send({ opaque: 2, fields: sendFields({ i: 'WAIT\x01false\x02' }) });
  rig.send({ opaque: 3, fields: sendFields({ i: 'WAIT\x01true\x02' }) });
  rig.write();
  assert.equal(
    rig.drain().map(({ opaque }) => opaque),
    [2],
  );
  rig.positions.set(FLUSHED, rig.positions.get(APPENDED));
  assert.equal(
    rig.drain().map(({ opaque }) => opaque),
    [1, 3],
  );
  assert.is(rig.sends.size, 0);
});

test('after five seconds without a flush: FLUSH_DISK_TIMEOUT with the ids, once', () => {
  const rig = new SendRig({ syncFlush: true });
  rig.send({ opaque: 1, fields: sendFields({ i: 'UNIQ_KEY\x01K\x02' }) });
  rig.write();
  rig.now += 5000;
  assert.is(rig.drain().length, 0);
  rig.now += 1;
  const [reply] = rig.drain();
  assert.is(reply?.code, ResponseCode.FLUSH_DISK_TIMEOUT);
  assert.is(reply?.fields['msgId'], '0A00000100002A9F0000000000000000');
  assert.is(reply?.fields['transactionId'], 'K');
  rig.positions.set(FLUSHED, rig.positions.get(APPENDED));
  assert.is(rig.drain().length, 0);
});

test('a halted store acknowledges nothing, not even what does not wait', () => {
  for (const syncFlush of [true, false]) {
    const rig = new SendRig({ syncFlush });
    rig.send({ fields: sendFields() });
    rig.send({ fields: sendFields({ i: 'WAIT\x01false\x02' }) });
    rig.positions.halt(HALT_SYNC_FAILED, 5);
    rig.write();
    rig.positions.set(FLUSHED, rig.positions.get(APPENDED));
    assert.is(rig.drain().length, 0);
  }
});

test('an answer for a connection that has gone is dropped, the others keep their order', () => {
  const rig = new SendRig();
  rig.send({ opaque: 1, fields: sendFields() });
  rig.write();
  rig.connected = false;
  assert.is(rig.drain().length, 0);
  assert.is(rig.sends.size, 0);
  rig.connected = true;
  rig.send({ opaque: 2, fields: sendFields() });
  rig.write();
  assert.equal(
    rig.drain().map(({ opaque }) => opaque),
    [2],
  );
});

test('what the log refuses is said in RocketMQ codes', () => {
  const rig = new SendRig();
  rig.log.retire(1);
  rig.send({ fields: sendFields() });
  rig.send({ fields: sendFields({ e: '1' }) });
  rig.write();
  assert.equal(
    rig.drain().map(({ code }) => code),
    [ResponseCode.TOPIC_NOT_EXIST, ResponseCode.SUCCESS],
  );
});

test('without room for a file a send is refused with a remark, and the next one is taken when there is room', () => {
  const rig = new SendRig();
  rig.disk.full = true;
  rig.send({ fields: sendFields() });
  rig.write();
  const [refused] = rig.drain();
  assert.is(refused?.code, ResponseCode.SYSTEM_ERROR);
  assert.match(refused?.remark ?? '', /is the disk full/);
  rig.send({ fields: sendFields(), flag: FLAG_ONEWAY });
  rig.write();
  assert.equal(rig.drain(), []);
  assert.equal(
    rig.refusals.take().map(({ reason, count }) => [reason, count]),
    [['noRoom', 2]],
    'counted for the log, the one-way send too',
  );
  rig.disk.full = false;
  rig.send({ fields: sendFields() });
  rig.write();
  const [taken] = rig.drain();
  assert.equal([taken?.code, taken?.fields['queueOffset']], [ResponseCode.SUCCESS, '0']);
});

test('a batch is one append and one answer with all ids', () => {
  const rig = new SendRig();
  const body = Buffer.concat(['a', 'bb', 'ccc'].map((text) => item(text, 'TAGS\x01A\x02')));
  rig.send({ code: RequestCode.SEND_BATCH_MESSAGE, fields: sendFields({ e: '3' }), body });
  rig.send({ fields: sendFields({ e: '3', m: 'true' }), body });
  assert.is(rig.write(), 2);
  const replies = rig.drain();
  const size = (text: string) => 91 + 1 + text.length + 7;
  const starts = [0, size('a'), size('a') + size('bb')];
  const id = (position: number) => `0A00000100002A9F${position.toString(16).toUpperCase().padStart(16, '0')}`;
  assert.is(replies[0]?.fields['msgId'], starts.map(id).join(','));
  assert.is(replies[0]?.fields['queueOffset'], '0');
  assert.is(replies[1]?.fields['queueOffset'], '3');
});

test('the ids of short, long and very long batches, for hosts of both families, JSON and binary', () => {
  const ipv6 = { address: Uint8Array.from({ length: 16 }, (_, i) => i), port: 10911 };
  for (const storeHost of [STORE_HOST, ipv6]) {
    for (const count of [1, 2, 32, 128, 129]) {
      const rig = new SendRig({ storeHost });
      const body = Buffer.concat(Array.from({ length: count }, (_, i) => item(`body ${i}`, 'TAGS\x01A\x02')));
      const fields = sendFields({ m: 'true' });
      for (const serializeType of [SERIALIZE_JSON, SERIALIZE_BINARY])
        rig.send({ fields, body, serializeType });
      rig.write();
      const replies = rig.drain();
      assert.is(replies.length, 2);
      let position = 0;
      for (const reply of replies) {
        const ids = (reply.fields['msgId'] as string).split(',');
        assert.is(ids.length, count);
        for (const id of ids) {
          assert.is(id, encodeMessageId(storeHost, position));
          position += new DataView(rig.record(position).buffer).getInt32(0);
        }
      }
      assert.equal(Object.keys(replies[0]?.fields ?? {}), Object.keys(replies[1]?.fields ?? {}));
      assert.is(replies[1]?.fields['queueOffset'], String(count));
    }
  }
});

test('batches whose lengths lie are illegal and leave no trace', () => {
  const rig = new SendRig();
  const good = item('body', 'TAGS\x01A\x02');
  const with32 = (at: number, value: number) => {
    const bytes = Buffer.from(good);
    bytes.writeInt32BE(value, at);
    return bytes;
  };
  const negativeProperties = Buffer.from(good);
  negativeProperties.writeInt16BE(-1, 24);
  const lies = [
    good.subarray(0, good.length - 1),
    Buffer.concat([good, Buffer.from([0])]),
    with32(0, good.length + 1),
    with32(16, -1),
    with32(16, 0x7fffffff),
    negativeProperties,
    Buffer.alloc(0),
  ];
  for (const [i, body] of lies.entries()) {
    rig.send({ code: RequestCode.SEND_BATCH_MESSAGE, fields: sendFields(), body });
    assert.is(rig.client.replies()[0]?.code, ResponseCode.MESSAGE_ILLEGAL, `lie ${i}`);
  }
  assert.is(rig.write(), 0);
});

test('keys of every kind come back as they were: long, in need of escapes, in binary headers', () => {
  const rig = new SendRig();
  const keys = ['K', 'x'.repeat(64), 'x'.repeat(65), 'x'.repeat(5000), 'a"b\\c', 'ünïcödé中文', '\t'];
  for (const serializeType of [0, SERIALIZE_BINARY]) {
    for (const key of keys) {
      rig.send({ serializeType, fields: sendFields({ i: `UNIQ_KEY\x01${key}\x02` }) });
      rig.write();
      assert.is(rig.drain()[0]?.fields['transactionId'], key);
    }
  }
});

test('a key with escapes that stand for quotes comes back whole, also through a template', () => {
  const rig = new SendRig();
  const fields = JSON.stringify(sendFields({ i: 'PROPERTIES' }));
  const escaped = fields.replace('PROPERTIES', 'UNIQ_KEY\\u0001a\\u0022b\\u005cc\\u0002');
  for (const opaque of [10, 11, 12]) {
    const header = Buffer.from(
      `{"code":310,"extFields":${escaped},"flag":0,"language":"JAVA","opaque":${opaque},` +
        '"serializeTypeCurrentRPC":"JSON","version":513}',
    );
    const frame = Buffer.alloc(4 + header.length + 4);
    frame.writeInt32BE(header.length, 0);
    header.copy(frame, 4);
    frame.write('body', 4 + header.length);
    rig.sendFrame(frame);
    rig.write();
    const [reply] = rig.drain();
    assert.equal([reply?.opaque, reply?.fields['transactionId']], [opaque, 'a"b\\c']);
  }
});

test('numbers of every length stand whole in the answer', () => {
  const rig = new SendRig();
  for (const opaque of [0, 9, 10, 2147483647, -1, -2147483648]) {
    rig.send({ opaque, fields: sendFields({ e: '2' }) });
    rig.write();
    assert.is(rig.drain()[0]?.opaque, opaque);
  }
  for (const next of [9, 99, 2147483647, 2147483648, 9007199254740990]) {
    rig.directory.setNext(3, next);
    rig.send({ fields: sendFields({ e: '2' }) });
    rig.write();
    assert.is(rig.drain()[0]?.fields['queueOffset'], String(next));
  }
});

test('sequence numbers wrap around without losing an answer', () => {
  const rig = new SendRig({ pending: 4 });
  rig.sends.head = 0x7ffffffd;
  rig.sends.answered = 0x7ffffffd;
  rig.sends.tail = 0x7ffffffd;
  for (let opaque = 0; opaque < 10; opaque++) {
    rig.send({ opaque, fields: sendFields() });
    rig.write();
    assert.equal(
      rig.drain().map((reply) => reply.opaque),
      [opaque],
    );
  }
});

test('calls are counted by request and answer, with the time until the answer', () => {
  const rig = new SendRig({ syncFlush: true });
  rig.send({ fields: sendFields() });
  rig.send({ fields: sendFields(), flag: FLAG_ONEWAY });
  rig.send({ fields: sendFields(), body: undefined });
  rig.write();
  rig.now += 30;
  rig.positions.set(FLUSHED, rig.positions.get(APPENDED));
  rig.drain();
  rig.send({ fields: sendFields() });
  rig.write();
  rig.connected = false;
  rig.now += 5_001;
  rig.drain();
  assert.equal(rig.counted.all, [
    ['SEND_MESSAGE_V2', 'SUCCESS', 'at once', 1, 30],
    ['SEND_MESSAGE_V2', 'SUCCESS', 'oneway', 1, 30],
    ['SEND_MESSAGE_V2', 'FLUSH_DISK_TIMEOUT', 'lost', 1, 5_001],
    ['SEND_MESSAGE_V2', 'MESSAGE_ILLEGAL', 'at once', 1, 0],
  ]);
});

test.run();
