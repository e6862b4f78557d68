/** Lab: reading a request's header in place, against JSON.parse. */
import { type CommandHeader, decodeBinaryHeader } from '../../src/protocol/binary-header.ts';
import { BinaryScan } from '../../src/protocol/binary-scan.ts';
import { FieldTable } from '../../src/protocol/field-table.ts';
import { decodeJsonHeader } from '../../src/protocol/json-header.ts';
import { JsonScan } from '../../src/protocol/json-scan.ts';
import { RequestView } from '../../src/protocol/request-view.ts';
import { measure } from '../micro/measure.ts';
import { type Chunk, sendChunk } from '../micro/samples.ts';
import type { Case, Lab, Scale } from './lib/lab.ts';

const FRAMES = 32;

const JSON_HEADER = 'JSON';
const BINARY_HEADER = 'binary';

const PARSE = 'JSON.parse';
const DECODER = 'general decoder';
const SCAN = 'scan in place';
const TEMPLATE = 'template of a header before';

/** Reads the header of the frame whose number is given; returns what depends on it. */
type Read = (frame: number) => number;

function headersOf(chunk: Chunk): Buffer[] {
  return chunk.offsets.map((offset) =>
    Buffer.from(chunk.bytes.buffer, offset + chunk.headerAt, chunk.headerBytes),
  );
}

function decoding(chunk: Chunk, decode: (header: Buffer) => Pick<CommandHeader, 'opaque'>): Read {
  const headers = headersOf(chunk);
  return (frame) => decode(headers[frame] as Buffer).opaque;
}

function scanning(chunk: Chunk, scan: JsonScan | BinaryScan): Read {
  const table = new FieldTable();
  return (frame) => {
    const from = (chunk.offsets[frame] as number) + chunk.headerAt;
    const to = from + chunk.headerBytes;
    const scanned =
      scan instanceof JsonScan
        ? scan.scan(chunk.bytes, from, to, table)
        : scan.scan(chunk.bytes, chunk.view, from, to, table);
    if (!scanned) throw new Error('not scanned');
    return scan.opaque;
  };
}

/** As network threads read: with templates of the headers that came before. */
function viewing(chunk: Chunk): Read {
  const request = new RequestView();
  return (frame) => {
    if (!request.read(chunk.bytes, chunk.view, chunk.offsets[frame] as number, chunk.frameBytes))
      throw new Error('the frame is no command');
    return request.opaque;
  };
}

function caseOf(place: string, way: string, read: Read, { timing }: Scale): Case {
  const run = () => {
    let sum = 0;
    for (let frame = 0; frame < FRAMES; frame++) sum += read(frame);
    return sum;
  };
  return {
    place,
    way,
    measure: () => {
      const { median } = measure({ name: way, batch: FRAMES, run }, timing);
      return { nanos: median, rate: 1e9 / median };
    },
  };
}

export const lab: Lab = {
  title: 'Reading a header: in place, and with JSON.parse',
  hypothesis:
    'A header need not become objects and strings to be understood. A scan that notes where each field lies is several ' +
    'times as fast as `JSON.parse` and leaves the collector nothing; and as a client writes the same header again and ' +
    'again, comparing it with one that was read before is faster still.',
  experiment:
    'The headers of 32 SEND_MESSAGE_V2 frames, as the Java client writes them, which differ in their opaque and unique ' +
    'key, are read again and again: by `JSON.parse`, by the general decoder that control uses, by the scan, and as ' +
    'network threads read them, with templates. Then the same headers in the binary form.',
  reading:
    '`JSON.parse` gives members as strings, of which each number still has to be parsed; the scan gives places. So the ' +
    'ways do not do the same work: they do what each must for the broker to know opaque, code and fields. For the binary ' +
    'form there is no JSON.parse; its scan is so short that a template gains nothing on it (what the template knows of the ' +
    'properties is used later).',
  uses: [
    { file: 'src/protocol/json-scan.ts', symbol: 'JsonScan', what: 'the scan' },
    { file: 'src/protocol/header-template.ts', symbol: 'HeaderTemplates', what: 'templates by length' },
    {
      file: 'src/protocol/request-view.ts',
      symbol: 'RequestView',
      what: 'which of them a frame goes through',
    },
    {
      file: 'src/protocol/json-header.ts',
      symbol: 'decodeJsonHeader',
      what: 'strange JSON, and the control path',
    },
  ],
  places: 'header',
  columns: [
    { key: 'nanos', title: 'ns a header' },
    { key: 'rate', title: 'headers a second' },
  ],
  chart: { column: 'nanos', logarithmic: false },
  bytes: () => 0,
  open({ scale }) {
    const json = sendChunk('json', FRAMES);
    const binary = sendChunk('binary', FRAMES);
    const cases: [string, string, Read][] = [
      [JSON_HEADER, PARSE, decoding(json, (header) => JSON.parse(header.toString()))],
      [JSON_HEADER, DECODER, decoding(json, decodeJsonHeader)],
      [JSON_HEADER, SCAN, scanning(json, new JsonScan())],
      [JSON_HEADER, TEMPLATE, viewing(json)],
      [BINARY_HEADER, DECODER, decoding(binary, decodeBinaryHeader)],
      [BINARY_HEADER, SCAN, scanning(binary, new BinaryScan())],
      [BINARY_HEADER, TEMPLATE, viewing(binary)],
    ];
    return { cases: cases.map(([place, way, read]) => caseOf(place, way, read, scale)) };
  },
  findings: [
    (look) => {
      const parse = look(JSON_HEADER, PARSE, 'nanos');
      const scan = (parse / look(JSON_HEADER, SCAN, 'nanos')).toFixed(1);
      const template = (parse / look(JSON_HEADER, TEMPLATE, 'nanos')).toFixed(1);
      return `JSON.parse took ${scan} times as long as the scan, and ${template} times as long as the template`;
    },
    (look) => {
      const times = look(BINARY_HEADER, DECODER, 'nanos') / look(BINARY_HEADER, SCAN, 'nanos');
      return `binary: the general decoder took ${times.toFixed(1)} times as long as the scan`;
    },
  ],
};
