/** What a hostile client puts where a name, a text or a number is expected. */
import { plain, type WireValue } from './wire.ts';

const KIB = 1024;

/** Bytes that are no UTF-8, as they are, in both formats. */
function raw(name: string, bytes: Buffer): WireValue {
  return { name, json: Buffer.concat([Buffer.from('"'), bytes, Buffer.from('"')]), binary: bytes };
}

/** A JSON literal without quotes: numbers, true, null. */
function literal(text: string): WireValue {
  return { name: `literal ${text.slice(0, 20)}`, json: Buffer.from(text), binary: Buffer.from(text) };
}

function huge(kib: number): WireValue[] {
  const size = kib * KIB;
  return [
    plain('n'.repeat(size), `${kib} KiB of n`),
    raw(`${kib} KiB of ff`, Buffer.alloc(size, 0xff)),
    plain('\0'.repeat(size / 8), `${kib / 8} KiB of NUL`),
  ];
}

export const nothing: readonly WireValue[] = [plain('', 'empty'), plain(' ', 'blank'), literal('null')];

export const oddTexts: readonly WireValue[] = [
  plain('a\0b', 'NUL'),
  plain('a\u0001b\u0002c\u0001\u0002', '0x01 and 0x02'),
  plain('\u0000\u0007\u001b[31m\u007f\r\n', 'controls'),
  raw('bytes ff', Buffer.from('61ff62fe', 'hex')),
  raw('cut UTF-8', Buffer.from('61e282', 'hex')),
  { name: 'lone surrogate', json: Buffer.from('"a\\ud800b"'), binary: Buffer.from('61eda08062', 'hex') },
  { name: 'lone low surrogate', json: Buffer.from('"\\udfff"'), binary: Buffer.from('edbfbf', 'hex') },
  { name: 'bad escape', json: Buffer.from('"\\u12"'), binary: Buffer.from('\\u12') },
  { name: 'open text', json: Buffer.from('"abc'), binary: Buffer.from('"abc') },
  plain('../../x', 'path upwards'),
  plain('/etc/passwd', 'absolute path'),
  plain('.', 'dot'),
  plain('..', 'two dots'),
  plain('a/b', 'slash'),
  plain('__proto__'),
  plain('constructor'),
  plain('{"$ref":"$"}', 'reference'),
  plain('😀\u2028\u202e', 'emoji and separators'),
  plain('%RETRY%'),
  plain('%RETRY%../x', 'retry path'),
  plain('%DLQ%hostile'),
  plain('SCHEDULE_TOPIC_XXXX'),
  plain('RMQ_SYS_TRANS_HALF_TOPIC'),
  plain('TBW102'),
  plain('x'.repeat(127), '127 characters'),
  plain('x'.repeat(128), '128 characters'),
  plain('x'.repeat(255), '255 characters'),
  plain('x'.repeat(256), '256 characters'),
  literal('{"a":[1,{"b":null}]}'),
  literal(`${'['.repeat(2000)}${']'.repeat(2000)}`),
];

export const oddNumbers: readonly WireValue[] = [
  ...['-1', '0', '2147483647', '2147483648', '-2147483649', '4294967295', '9007199254740993'],
  ...['9223372036854775807', '9223372036854775808', '-9223372036854775808', '1e400', '-1e400', '1e5'],
  ...['9'.repeat(400), '0'.repeat(400), 'NaN', 'Infinity', '-0', '1.5', '0x10', ' 7', '7 ', '+7', '--7', '٧'],
].flatMap((text) => [plain(text), literal(text)]);

export const kilobytes: readonly WireValue[] = huge(1);
export const manyKilobytes: readonly WireValue[] = huge(64);
export const megabytes: readonly WireValue[] = huge(6 * KIB);

/** All that are small enough to be tried everywhere. */
export const smallValues: readonly WireValue[] = [...nothing, ...oddTexts, ...oddNumbers, ...kilobytes];
