/**
 * The data path's view of a request against the general decoder: on every frame the two must agree, whether it is a
 * command, and what it says. FUZZ_SEED=<n> tries others.
 */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isPlainText } from '../../src/lib/byte-template.ts';
import { encodeBinaryHeader } from '../../src/protocol/binary-header.ts';
import { requestCommand, SERIALIZE_BINARY, SERIALIZE_JSON } from '../../src/protocol/command.ts';
import { ABSENT, FieldTable } from '../../src/protocol/field-table.ts';
import { RequestView } from '../../src/protocol/request-view.ts';
import { PropertyScan } from '../../src/record/property-scan.ts';
import { fullRun } from '../support/random.ts';
import { agree, frameOf, inPlace, type Reader, type Reading } from './agreement.ts';
import { binaryHeaders, jsonHeaders } from './headers.ts';
import { fuzz } from './run.ts';

const test = suite('request view');

/** Of one thread, which lives on from test to test. */
const readInPlace = inPlace(new RequestView());

const bodies = fc.uint8Array({ maxLength: 4 });
const jsonFrames = fc
  .tuple(jsonHeaders, bodies)
  .map(([header, body]) => frameOf(SERIALIZE_JSON, header, body));
const binaryFrames = fc
  .tuple(binaryHeaders, bodies)
  .map(([header, body]) => frameOf(SERIALIZE_BINARY, header, body));

test('JSON headers', () => {
  fuzz(jsonFrames, (frame) => agree(readInPlace, frame), 16_000);
});

test('binary headers', () => {
  fuzz(binaryFrames, (frame) => agree(readInPlace, frame), 10_000);
});

test('frames of any bytes', () => {
  const frames = fc.uint8Array({ maxLength: 60 }).map((bytes) => {
    const frame = bytes.slice();
    // Mostly a serialize type that exists and a header length that may fit.
    if (frame.length > 4 && (frame[3] ?? 0) > 16) frame.set([(frame[0] ?? 0) & 1, 0, 0, frame.length - 4]);
    return frame;
  });
  fuzz(frames, (frame) => agree(readInPlace, frame), 10_000);
});

test('the usual headers are read without the general decoder', () => {
  const header =
    '{"code":310,"extFields":{"a":"p","b":"T","i":"TAGS\\u0001A\\u0002"},"flag":0,"language":"JAVA","opaque":7,' +
    '"serializeTypeCurrentRPC":"JSON","version":513}';
  const frame = frameOf(SERIALIZE_JSON, Buffer.from(header), new Uint8Array(0));
  const request = new RequestView();
  assert.ok(request.read(frame, new DataView(frame.buffer, frame.byteOffset), 0, frame.length));
  // The general decoder lays fields out in memory of its own.
  assert.ok(request.fields.bytes === frame);
  assert.is(request.text('i'), 'TAGS\x01A\x02');
});

/** A header, and others of its length that differ in a few bytes: what a template is there for. */
function variationsOf(headers: fc.Arbitrary<Uint8Array>, bytes: Uint8Array): fc.Arbitrary<Uint8Array[]> {
  const change = fc.tuple(fc.nat(400), fc.oneof(fc.constantFrom(...bytes), fc.nat(255)));
  const changes = fc.array(fc.array(change, { minLength: 1, maxLength: 3 }), { maxLength: 6 });
  return fc.tuple(headers, changes).map(([header, variants]) => [
    header,
    ...variants.map((some) => {
      const variant = header.slice();
      for (const [at, byte] of some) if (variant.length > 0) variant[at % variant.length] = byte;
      return variant;
    }),
    header,
  ]);
}

const jsonVariations = variationsOf(jsonHeaders, Buffer.from('0159afzA"\\u\x01{}:,-'));
const binaryVariations = variationsOf(
  binaryHeaders,
  Uint8Array.from([0, 1, 2, 3, 4, 5, 0x31, 0x61, 0x80, 0xff]),
);

const VARIATIONS: [name: string, type: number, variations: fc.Arbitrary<Uint8Array[]>][] = [
  ['JSON', SERIALIZE_JSON, jsonVariations],
  ['binary', SERIALIZE_BINARY, binaryVariations],
];

/** All of them by one reader; a new one, so that the first header is sure to become its template. */
function agreeInTurn(type: number, headers: Uint8Array[], read = inPlace(new RequestView())): void {
  for (const header of headers) agree(read, frameOf(type, header, new Uint8Array(0)));
}

for (const [name, type, variations] of VARIATIONS) {
  test(`${name} headers of one length, one after the other`, () => {
    fuzz(variations, (headers) => agreeInTurn(type, headers), 10_000);
  });

  test(`${name} headers of one length, after many others`, () => {
    fuzz(variations, (headers) => agreeInTurn(type, headers, readInPlace), 3_000);
  });
}

test('the same bytes as a header of either form', () => {
  const read = inPlace(new RequestView());
  const headers = fc.oneof(jsonHeaders, binaryHeaders);
  fuzz(
    headers,
    (header) => {
      for (const type of [SERIALIZE_JSON, SERIALIZE_BINARY, SERIALIZE_JSON, SERIALIZE_BINARY])
        agree(read, frameOf(type, header, new Uint8Array(0)));
    },
    5_000,
  );
});

/** A header whose only field, i, holds these properties; every character is a byte of them. */
interface PropertyForm {
  name: string;
  units: string;
  frame(properties: string): Uint8Array;
}

const PROPERTY_FORMS: PropertyForm[] = [
  {
    name: 'JSON',
    units: 'abzAZ019 _-:"\\\x01\x02\n\x7f\0',
    frame: (properties) => {
      const header =
        `{"code":310,"extFields":{"i":${javaQuoted(properties)}},"flag":0,"language":"JAVA","opaque":7,` +
        '"serializeTypeCurrentRPC":"JSON","version":513}';
      return frameOf(SERIALIZE_JSON, Buffer.from(header), new Uint8Array(0));
    },
  },
  {
    name: 'binary',
    units: 'abzAZ019 _-:"\\\x01\x02\x03\n\x7f\0\x80\xc3\xf4\xff',
    frame: (properties) => {
      const header = Buffer.alloc(28 + properties.length);
      header.writeInt16BE(310, 0);
      header.writeInt32BE(7 + properties.length, 17);
      header.writeInt16BE(1, 21);
      header.write('i', 23);
      header.writeInt32BE(properties.length, 24);
      header.write(properties, 28, 'latin1');
      return frameOf(SERIALIZE_BINARY, header, new Uint8Array(0));
    },
  },
];

/** What the record writer takes from a template must be what a scan of the copied properties finds. */
function agreeOnProperties(request: RequestView, properties: string): boolean {
  const field = request.fields.find('i');
  const known = request.template?.properties(field);
  if (known === undefined) return false;
  const copy = new Uint8Array(known.length + 2);
  const view = new DataView(copy.buffer);
  known.copy(request.view, request.fields.valueStart(field), view, 1);
  assert.is(Buffer.from(copy.subarray(1, -1)).toString('latin1'), properties);
  const scan = new PropertyScan();
  scan.scan(copy, view, 1, copy.length - 1, 1);
  assert.equal(placesOf(known.scan), placesOf(scan));
  assert.is(known.nul, properties.includes('\0'));
  const plainKey = isPlainText(copy, 1 + scan.uniqueKeyOffset, scan.uniqueKeyLength);
  assert.ok(plainKey || !known.plainKey, 'a key that is taken for plain is plain');
  return true;
}

function joined(list: [name: string, value: string][], terminated: boolean): string {
  const text = list.map(([name, value]) => `${name}\x01${value}`).join('\x02');
  return terminated ? `${text}\x02` : text;
}

function changed(text: string, changes: [at: number, unit: string][]): string {
  const units = [...text];
  for (const [at, unit] of changes) if (units.length > 0) units[at % units.length] = unit;
  return units.join('');
}

for (const { name, units, frame } of PROPERTY_FORMS) {
  test(`properties of a known layout in a ${name} header`, () => {
    const text = fc.string({ unit: fc.constantFrom(...units), maxLength: 8 });
    const key = fc.oneof(
      fc.constantFrom('KEYS', 'TAGS', 'WAIT', 'UNIQ_KEY', 'DELAY', 'TRAN_MSG', 'TIMER_X'),
      text,
    );
    const entries = fc.array(fc.tuple(key, text), { maxLength: 5 });
    const changes = fc.array(fc.tuple(fc.nat(60), fc.constantFrom(...units)), { maxLength: 2 });
    const inputs = fc.tuple(entries, fc.array(text, { maxLength: 5 }), fc.boolean(), changes);
    let known = 0;
    fuzz(
      inputs,
      ([first, values, terminated, some]) => {
        const request = new RequestView();
        const second = first.map(([name, value], i): [string, string] => [
          name,
          values[i]?.padEnd(value.length, 'x').slice(0, value.length) ?? value,
        ]);
        const [one, two] = [first, second].map((list) => joined(list, terminated)) as [string, string];
        for (const properties of [one, one, two, changed(one, some), one]) {
          const bytes = frame(properties);
          assert.ok(request.read(bytes, new DataView(bytes.buffer, bytes.byteOffset), 0, bytes.length));
          if (agreeOnProperties(request, properties)) known++;
        }
      },
      10_000,
    );
    assert.ok(known > 8_000, `only ${known} headers were known`);
  });
}

const OTHER_BYTES = fullRun
  ? Array.from({ length: 256 }, (_, byte) => byte)
  : [
      ...Array.from({ length: 8 }, (_, byte) => byte),
      ...Buffer.from('\n\x1f "+,-/0129:@Aaftu[\\\\]{}~\x7f\x80\xc3\xff', 'latin1'),
    ];

/** A header with all that is odd: a remark, entries that are no fields, a field twice, bytes behind the fields. */
const ODD_BINARY = Uint8Array.from(
  Buffer.concat([
    encodeBinaryHeader({
      ...{ ...requestCommand(310), opaque: 0x00020100, remark: 'é\x01' },
      fields: {
        a: '',
        '': 'b',
        b: 'T',
        i: 'WAIT\x01\x80\x01a\x02TAGS\x01b\x02UNIQ_KEY\x01c1',
        '~': '17',
        e: '-9',
        x: 'T\x01',
      },
    }),
    Buffer.from([0, 1, 0x62]),
  ]),
);
ODD_BINARY[ODD_BINARY.indexOf('~'.charCodeAt(0))] = 'e'.charCodeAt(0);
const ODD_JSON = Uint8Array.from(
  Buffer.from(
    '{"code":310,"opaque":1,"extFields":{"b":"x"},"extFields":{"a":"","b":"T","i":"WAIT\\u0001a\\u0002TAGS\\u0001b"' +
      ',"e":17,"e":"-9","m":true,"x":"a\\\\"},"flag":0,"language":"JAVA","opaque":-205,"remark":"\\u0001",' +
      '"serializeTypeCurrentRPC":"JSON","version":513}',
  ),
);

for (const [name, type, header] of [
  ['JSON', SERIALIZE_JSON, ODD_JSON],
  ['binary', SERIALIZE_BINARY, ODD_BINARY],
] as const) {
  test(`every byte of a known ${name} header replaced by others`, () => {
    const view = new RequestView();
    const read = inPlace(view);
    let known = 0;
    for (let at = 0; at < header.length; at++) {
      for (const [i, byte] of OTHER_BYTES.entries()) {
        // So that it is the template that the changed one is compared with.
        if (i % 16 === 0) agree(read, frameOf(type, header, new Uint8Array(0)));
        const other = header.slice();
        other[at] = byte;
        agree(read, frameOf(type, other, new Uint8Array(0)));
        if (view.template === undefined) continue;
        known++;
        const field = view.fields.find('i');
        const copy = Buffer.alloc(view.fields.valueLength[field] ?? 0);
        const length = view.fields.copyTo(field, copy, 0);
        agreeOnProperties(view, copy.toString('latin1', 0, length));
      }
    }
    assert.ok(known > 200, `only ${known} changed headers were known`);
  });
}

/** As fastjson writes it: control characters as \\u00xx. */
function javaQuoted(text: string): string {
  return JSON.stringify(text).replaceAll('\\n', '\\u000a');
}

/** Offsets of what is not there mean nothing. */
function placesOf(scan: PropertyScan): unknown[] {
  const { delayLength, transactional, timer, brokerOwned, terminated, length } = scan;
  const pairs = (['tags', 'keys', 'uniqueKey', 'wait'] as const).map((name) => {
    const size = scan[`${name}Length`];
    return size === 0 ? 0 : [scan[`${name}Offset`], size];
  });
  return [...pairs, delayLength, transactional, timer, brokerOwned, terminated, length];
}

test('a wrong reader is found out', () => {
  const byJsonParse: Reader = (frame) => {
    const correct = readInPlace(frame);
    try {
      const length = Buffer.from(frame).readUIntBE(1, 3);
      const { extFields = {} } = JSON.parse(Buffer.from(frame.subarray(4, 4 + length)).toString()) as {
        extFields?: Record<string, unknown>;
      };
      return correct && { ...correct, text: (name) => String(extFields[name]) };
    } catch {
      return correct;
    }
  };
  const deafToEscapes: Reader = (frame) => {
    const correct = readInPlace(frame);
    return correct && { ...correct, text: (name) => correct.text(name).replaceAll('\\', '') };
  };
  for (const wrong of [byJsonParse, deafToEscapes]) {
    assert.throws(() => fuzz(jsonFrames, (frame) => agree(wrong, frame), 20_000), /Property failed/);
  }
});

test('a wrong template is found out', () => {
  for (const [name, type, variations] of VARIATIONS) {
    for (const wrong of [byLength, byLayout]) {
      const inTurn = (headers: Uint8Array[]) => agreeInTurn(type, headers, wrong());
      assert.throws(() => fuzz(variations, inTurn, 10_000), /Property failed/, `${wrong.name}, ${name}`);
    }
  }
});

/** Trusts the length alone: what a template must never do. */
function byLength(): Reader {
  let last: { length: number; reading: Reading | undefined } | undefined;
  return (frame) => {
    if (last?.length !== frame.length) last = { length: frame.length, reading: readInPlace(frame.slice()) };
    return last.reading;
  };
}

/** Takes fields to stand where those of the last header of that length stood, whatever lies between them. */
function byLayout(): Reader {
  const own = new RequestView();
  const fields = new FieldTable(true);
  let length = -1;
  return (frame) => {
    const reading = readInPlace(frame);
    if (reading === undefined) return reading;
    if (length !== frame.length) {
      length = frame.length;
      own.read(frame, new DataView(frame.buffer, frame.byteOffset), 0, length);
      if (own.fields.bytes !== frame) length = -1;
      fields.adopt(own.fields, 0);
    }
    if (length < 0) return reading;
    fields.moveTo(frame, 0);
    return {
      ...reading,
      has: (name) => fields.find(name) !== ABSENT,
      text: (name) => fields.text(fields.find(name)),
      integer: (name) => fields.integer(fields.find(name)),
      isTrue: (name) => fields.isTrue(fields.find(name)),
    };
  };
}

test.run();
