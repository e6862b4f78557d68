/**
 * Requests of a few clients in turn through one view, as a network thread reads them: both forms of headers, the same
 * request again with other values, lengths that two forms have in common, now and then a byte that is wrong. Each must
 * be read as the general decoder does, and by those who look for a request's fields as from a view that knows nothing.
 */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { AckFields } from '../../src/broker/pop/ack-fields.ts';
import { PullFields } from '../../src/broker/pull/pull-fields.ts';
import { SendFields } from '../../src/broker/send/send-fields.ts';
import { encodeBinaryHeader } from '../../src/protocol/binary-header.ts';
import { RequestCode } from '../../src/protocol/codes.ts';
import { requestCommand, SERIALIZE_BINARY, SERIALIZE_JSON } from '../../src/protocol/command.ts';
import { encodeJsonHeader } from '../../src/protocol/json-header.ts';
import { RequestView } from '../../src/protocol/request-view.ts';
import { agree, frameOf, inPlace } from './agreement.ts';
import { fuzz } from './run.ts';

const test = suite('requests in turn');

const POPPED = ['consumerGroup', 'topic', 'queueId', 'extraInfo', 'offset', 'liteTopic'];
const KINDS: [code: number, names: readonly string[]][] = [
  [RequestCode.SEND_MESSAGE_V2, [...'abcdefghijklmn']],
  [RequestCode.SEND_BATCH_MESSAGE, [...'abcdefghijklm']],
  [
    RequestCode.SEND_MESSAGE,
    ['producerGroup', 'topic', 'defaultTopic', 'queueId', 'sysFlag', 'bornTimestamp', 'flag', 'properties'],
  ],
  [
    RequestCode.PULL_MESSAGE,
    [
      ...['consumerGroup', 'topic', 'queueId', 'queueOffset', 'maxMsgNums', 'sysFlag', 'commitOffset'],
      ...['suspendTimeoutMillis', 'subscription', 'subVersion', 'expressionType', 'liteTopic'],
    ],
  ],
  [RequestCode.ACK_MESSAGE, POPPED],
  [RequestCode.CHANGE_MESSAGE_INVISIBLETIME, [...POPPED, 'invisibleTime']],
  [RequestCode.END_TRANSACTION, ['producerGroup', 'tranStateTableOffset', 'commitLogOffset', 'msgId']],
];

const ODD = '\0\x01\x02\x03"\\\n\x7f-{}:,é中\ud800';
const value = fc.oneof(
  { weight: 20, arbitrary: fc.constantFrom('0', '4', '-1', '17', '1750000000000', 'true', 'Topic', '') },
  { weight: 5, arbitrary: fc.constantFrom('KEYS\x01k1\x02TAGS\x01a\x02', 'UNIQ_KEY\x01AB\x02WAIT\x01no') },
  { weight: 1, arbitrary: fc.string({ unit: fc.constantFrom(...`ab09${ODD}`), maxLength: 9 }) },
);

interface Client {
  code: number;
  names: readonly string[];
  values: string[];
  remark: string | undefined;
}

const client: fc.Arbitrary<Client> = fc
  .tuple(
    fc.constantFrom(...KINDS),
    fc.array(value, { minLength: 14, maxLength: 14 }),
    fc.nat(20),
    fc.constantFrom(...Array<undefined>(8), 'remark', 'é"\x01'),
  )
  .map(([[code, names], values, left, remark]) => {
    // Mostly all of them.
    return { code, names: names.filter((_, i) => i !== left), values, remark };
  });

interface Step {
  client: number;
  binary: boolean;
  /** Whether a binary header is made as long as the JSON header before, where that is longer. */
  collides: boolean;
  opaque: number;
  flag: number;
  /** How far digits are moved on. */
  shift: number;
  /** Units that are put into the values. */
  odd: [at: number, unit: string][];
  /** Bytes of the header that are replaced. */
  wrong: [at: number, byte: number][];
}

const rarely = <T>(some: fc.Arbitrary<T>) =>
  fc.oneof(
    { weight: 8, arbitrary: fc.constant<T[]>([]) },
    { weight: 1, arbitrary: fc.array(some, { minLength: 1, maxLength: 2 }) },
  );

const sixDigits = fc.integer({ min: 100_000, max: 999_999 });
const step: fc.Arbitrary<Step> = fc.record({
  client: fc.nat(1),
  binary: fc.boolean(),
  collides: fc.nat(3).map((n) => n === 0),
  opaque: fc.oneof({ weight: 6, arbitrary: sixDigits }, { weight: 1, arbitrary: fc.integer() }),
  flag: fc.constantFrom(...Array<number>(8).fill(0), 1, 2),
  shift: fc.nat(9),
  odd: rarely(fc.tuple(fc.nat(120), fc.constantFrom(...ODD))),
  wrong: rarely(
    fc.tuple(fc.nat(500), fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 2, 3, 0x22, 0x30, 0x5c, 0x80))),
  ),
});

/** The same length, other digits. Some of them are in names of properties, which must not differ. */
function moved(text: string, shift: number): string {
  return text.replace(/\d/g, (digit) => String((Number(digit) + shift) % 10));
}

function fieldsOf({ names, values }: Client, { shift, odd }: Step): Record<string, string> {
  const texts = names.map((_, i) => moved(values[i] as string, shift));
  for (const [at, unit] of odd) {
    const place = at % texts.length;
    const text = texts[place] as string;
    const cut = at % (text.length + 1);
    texts[place] = text.slice(0, cut) + unit + text.slice(cut + 1);
  }
  return Object.fromEntries(names.map((name, i) => [name, texts[i] as string]));
}

function headerOf(whose: Client, how: Step, lengthBefore: number): Uint8Array {
  const { opaque, flag, binary, collides, wrong } = how;
  const { code, remark } = whose;
  const request = { ...requestCommand(code, fieldsOf(whose, how)), opaque, flag, remark };
  let header = binary ? encodeBinaryHeader(request) : encodeJsonHeader(request);
  const missing = lengthBefore - header.length;
  if (binary && collides && missing > 0)
    header = encodeBinaryHeader({ ...request, remark: `${remark ?? ''}${'r'.repeat(missing)}` });
  for (const [at, byte] of wrong) header[at % header.length] = byte;
  return new Uint8Array(header);
}

/** What those who look for fields find, by request code. */
const READERS: Record<number, () => (request: RequestView) => object> = {
  [RequestCode.SEND_MESSAGE_V2]: sending(true),
  [RequestCode.SEND_BATCH_MESSAGE]: sending(true),
  [RequestCode.SEND_MESSAGE]: sending(false),
  [RequestCode.PULL_MESSAGE]: () => {
    const fields = new PullFields();
    return (request) => {
      fields.locate(request);
      return { ...fields };
    };
  },
  [RequestCode.ACK_MESSAGE]: acknowledging,
  [RequestCode.CHANGE_MESSAGE_INVISIBLETIME]: acknowledging,
};

function sending(letters: boolean) {
  return () => {
    const fields = new SendFields();
    return ({ fields: table }: RequestView) => {
      fields.locate(table, letters);
      const more = [fields.defaultTopicQueueNums(table), fields.defaultTopic(table), fields.unitMode(table)];
      return { ...fields, more };
    };
  };
}

function acknowledging() {
  const fields = new AckFields();
  return (request: RequestView) => {
    fields.locate(request);
    return { ...fields };
  };
}

test('headers of both forms in turn are read as the general decoder reads them', () => {
  const old = new RequestView();
  let runs = 0;
  const readers = new Map(Object.entries(READERS).map(([code, make]) => [Number(code), make()]));
  const seen = { frames: 0, json: 0, binary: 0 };
  fuzz(
    fc.tuple(
      fc.array(client, { minLength: 2, maxLength: 2 }),
      fc.array(step, { minLength: 10, maxLength: 30 }),
    ),
    ([clients, steps]) => {
      // One that has seen much has no room for new templates; a new one makes a template of each first header.
      const view = ++runs % 4 === 0 ? old : new RequestView();
      const read = inPlace(view);
      let lengthBefore = 0;
      for (const how of steps) {
        const header = headerOf(clients[how.client] as Client, how, lengthBefore);
        const type = how.binary ? SERIALIZE_BINARY : SERIALIZE_JSON;
        if (!how.binary) lengthBefore = header.length;
        const frame = frameOf(type, header, new Uint8Array(how.shift));
        agree(read, frame);
        seen.frames++;
        if (view.template !== undefined) seen[how.binary ? 'binary' : 'json']++;
        const fresh = new RequestView();
        if (!fresh.read(frame, new DataView(frame.buffer, frame.byteOffset), 0, frame.length)) continue;
        const find = readers.get(fresh.code);
        if (find !== undefined)
          assert.equal(find(view), (READERS[fresh.code] as typeof acknowledging)()(fresh));
      }
    },
    400,
  );
  const { frames, json, binary } = seen;
  assert.ok(
    json > frames / 10 && binary > frames / 10,
    `of ${frames} headers ${json} and ${binary} were known`,
  );
});

test.run();
