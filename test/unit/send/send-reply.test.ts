/** Answers to sends from templates, byte by byte against the general encoder, for both forms of headers. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { SendReply } from '../../../src/broker/send/send-reply.ts';
import { PendingSends, SEND_BINARY, SEND_PLAIN_KEY } from '../../../src/net/pending-sends.ts';
import { responseTo, SERIALIZE_BINARY, SERIALIZE_JSON } from '../../../src/protocol/command.ts';
import { encodeCommand } from '../../../src/protocol/command-codec.ts';
import { encodeMessageId, type HostAddress } from '../../../src/record/message-id.ts';
import { fakeConnection } from '../../support/fake-connection.ts';
import { STORE_HOST } from '../../support/messages.ts';
import { Random } from '../../support/random.ts';

const test = suite('send reply');

const INDEX = 2;
const IPV6: HostAddress = { address: Uint8Array.from({ length: 16 }, (_, i) => 255 - i), port: 10911 };
const OPAQUES = [0, 7, 10, 99_999, 2147483647, -1, -10, -2147483648];
const OFFSETS = [0, 9, 10, 123_456, 2147483647, 2147483648, 9007199254740990];
const PLAIN_KEYS = ['', 'K', '7F0000010000A1B20000000000000001', 'x'.repeat(64)];
const ODD_KEYS = ['x'.repeat(65), 'a"b', 'a\\b', '\t', 'ünïcödé', '中文', '\u0000'];
const HANDLES = ['djEgdCBiIDE3IGs=', 'djEgdCBiIDE3IGw=', `v1-_${'A'.repeat(507)}`, 'A'.repeat(512)];
const REGIONS = ['DefaultRegion', '', 'msgId', '"queueId":"', 'Köln'];

interface Sent {
  binary: boolean;
  opaque: number;
  queueId: number;
  queueOffset: number;
  position: number;
  key: Uint8Array;
  plainKey: boolean;
  /** Record sizes of a batch. */
  sizes: number[] | undefined;
  recallHandle?: string | undefined;
}

function place(sends: PendingSends, sent: Sent): void {
  sends.clear(INDEX);
  sends.opaque[INDEX] = sent.opaque;
  sends.queueId[INDEX] = sent.queueId;
  sends.queueOffset[INDEX] = sent.queueOffset;
  sends.physicalOffset[INDEX] = sent.position;
  sends.flags[INDEX] = (sent.binary ? SEND_BINARY : 0) | (sent.plainKey ? SEND_PLAIN_KEY : 0);
  sends.setKey(INDEX, sent.key, 0, sent.key.length);
  if (sent.recallHandle !== undefined) sends.recallHandles.set(INDEX, sent.recallHandle);
  if (sent.sizes !== undefined) sends.batchSizes.set(INDEX, Int32Array.from(sent.sizes));
}

function expected(sent: Sent, code: number, storeHost: HostAddress, regionId: string): Buffer {
  let position = sent.position;
  const ids = [encodeMessageId(storeHost, position)];
  for (const size of sent.sizes?.slice(0, -1) ?? []) {
    position += size;
    ids.push(encodeMessageId(storeHost, position));
  }
  const fields: Record<string, string> = {
    MSG_REGION: regionId,
    TRACE_ON: 'true',
    msgId: ids.join(','),
    queueId: String(sent.queueId),
    queueOffset: String(sent.queueOffset),
  };
  if (sent.key.length > 0) fields['transactionId'] = Buffer.from(sent.key).toString();
  if (sent.recallHandle !== undefined) fields['recallHandle'] = sent.recallHandle;
  const serializeType = sent.binary ? SERIALIZE_BINARY : SERIALIZE_JSON;
  return encodeCommand(responseTo({ opaque: sent.opaque, serializeType }, code, undefined, fields));
}

function anySent(random: Random): Sent {
  const sizes = [undefined, undefined, [300], [300, 300], Array<number>(32).fill(1252)];
  const plainKey = random.chance(0.7);
  const bytes = random.chance(0.1) ? Uint8Array.from([0x61, 0xff, 0xc3, 0x28]) : undefined;
  return {
    binary: random.chance(0.5),
    opaque: random.pick(OPAQUES),
    queueId: random.pick([0, 3, 10, 4095]),
    queueOffset: random.pick(OFFSETS),
    position: random.pick([0, 1252, 5_000_000_000, 2 ** 52]),
    key: plainKey ? Buffer.from(random.pick(PLAIN_KEYS)) : (bytes ?? Buffer.from(random.pick(ODD_KEYS))),
    plainKey,
    sizes: random.pick(sizes),
    recallHandle: random.chance(0.3) ? random.pick(HANDLES) : undefined,
  };
}

for (const [name, storeHost] of [
  ['IPv4', STORE_HOST],
  ['IPv6', IPV6],
] as const) {
  test(`answers of all kinds in turn are those of the general encoder, store host ${name}`, () => {
    const random = new Random(3);
    const sends = new PendingSends(4);
    const client = fakeConnection();
    for (const regionId of REGIONS) {
      const reply = new SendReply({ storeHost, regionId, traceOn: () => true });
      for (let run = 0; run < 2000; run++) {
        const sent = anySent(random);
        const code = random.chance(0.05) ? 10 : 0;
        place(sends, sent);
        reply.write(client.connection, sends, INDEX, code);
        const [frame] = client.frames();
        assert.equal(frame, expected(sent, code, storeHost, regionId), JSON.stringify(sent));
      }
    }
  });
}

test('a key that is not known to be plain is looked at, and a plain one stands in the same template', () => {
  const reply = new SendReply({ storeHost: STORE_HOST, regionId: 'R', traceOn: () => true });
  const sends = new PendingSends(4);
  const client = fakeConnection();
  for (const binary of [true, false]) {
    for (const text of ['abcd', 'a"cd', 'éé', 'abcd', 'wxyz']) {
      const key = Buffer.from(text);
      const sent = { binary, opaque: 5, queueId: 1, queueOffset: 2, position: 3, key, plainKey: false };
      place(sends, { ...sent, sizes: undefined });
      reply.write(client.connection, sends, INDEX, 0);
      const [frame] = client.frames();
      assert.equal(frame, expected({ ...sent, sizes: undefined }, 0, STORE_HOST, 'R'), text);
    }
  }
});

test.run();
