import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { JsonReplyHeader, MISSING } from '../../../bench/load/reply-header.ts';
import { ReplyScanner } from '../../../bench/load/reply-scanner.ts';
import { responseTo, SERIALIZE_BINARY, SERIALIZE_JSON } from '../../../src/protocol/command.ts';
import { encodeCommand } from '../../../src/protocol/command-codec.ts';

interface Reply {
  code: number;
  opaque: number;
  body: number;
}

function collect(): { replies: Reply[]; scanner: ReplyScanner } {
  const replies: Reply[] = [];
  const scanner = new ReplyScanner((code, opaque, body) => replies.push({ code, opaque, body }));
  return { replies, scanner };
}

/** Replies as brokers send them: with and without fields, remark and body, in both header formats. */
function sample(): { bytes: Buffer; expected: Reply[] } {
  const frames: Buffer[] = [];
  const expected: Reply[] = [];
  for (let index = 0; index < 12; index++) {
    const serializeType = index % 3 === 2 ? SERIALIZE_BINARY : SERIALIZE_JSON;
    const opaque = index === 5 ? -77 : 1_000_000_000 + index * 37;
    const code = index % 4 === 3 ? 2 : 0;
    const remark = code === 0 ? undefined : 'the "opaque":1 of another, {"code":9}';
    const fields =
      index % 2 === 0 ? { queueId: '3', msgId: 'AB'.repeat(16), queueOffset: String(10 ** index) } : {};
    const body = new Uint8Array(index * 7);
    frames.push(encodeCommand(responseTo({ opaque, serializeType }, code, remark, fields, body)));
    expected.push({ code, opaque, body: index * 7 });
  }
  return { bytes: Buffer.concat(frames), expected };
}

test('one chunk', () => {
  const { bytes, expected } = sample();
  const { replies, scanner } = collect();
  scanner.push(bytes, bytes.length);
  assert.equal(replies, expected);
  assert.is(scanner.pendingBytes, 0);
});

test('every size of chunk gives the same replies', () => {
  const { bytes, expected } = sample();
  for (let size = 1; size <= bytes.length; size++) {
    const { replies, scanner } = collect();
    // one buffer for all chunks, as a socket with a static buffer delivers them
    const chunk = new Uint8Array(size);
    for (let at = 0; at < bytes.length; at += size) {
      chunk.set(bytes.subarray(at, at + size));
      scanner.push(chunk, Math.min(size, bytes.length - at));
    }
    assert.equal(replies, expected, `chunks of ${size} bytes`);
  }
});

test('a frame larger than the first buffer for torn frames', () => {
  const frame = encodeCommand(
    responseTo({ opaque: 5, serializeType: SERIALIZE_JSON }, 0, undefined, {}, new Uint8Array(70_000)),
  );
  const { replies, scanner } = collect();
  for (let at = 0; at < frame.length; at += 1000)
    scanner.push(frame.subarray(at), Math.min(1000, frame.length - at));
  assert.equal(replies, [{ code: 0, opaque: 5, body: 70_000 }]);
});

test('lengths that no frame has are refused', () => {
  const { scanner } = collect();
  assert.throws(() => scanner.push(Buffer.from('HTTP/1.1'), 8), /claims/);
  const lying = Buffer.from([0, 0, 0, 4, 0, 0, 0, 99]);
  assert.throws(() => collect().scanner.push(lying, 8), /header of 99 bytes/);
});

test('members are found in any order and only at the top level', () => {
  const texts = [
    '{"code":17,"flag":1,"language":"JAVA","opaque":42,"version":513}',
    '{"opaque":42,"code":17}',
    '{"extFields":{"code":"1","opaque":"2"},"remark":"a \\"code\\":5, \\\\","code":17,"opaque":42}',
    '{"remark":"}{\\"opaque\\":1","opaque":42,"x":[{"code":4}],"code":17}',
  ];
  const header = new JsonReplyHeader();
  for (const text of texts) {
    const bytes = Buffer.from(text);
    assert.is(header.code(bytes, 0, bytes.length), 17, text);
    assert.is(header.opaque(bytes, 0, bytes.length), 42, text);
  }
  const empty = Buffer.from('{"flag":1}');
  assert.is(header.code(empty, 0, empty.length), MISSING);
  assert.is(header.opaque(empty, 0, empty.length), MISSING);
});

test.run();
