/** The steps of reading a header one by one: scan, fields of a send, unescape, topic lookup. */
import { SendFields } from '../../src/broker/send/send-fields.ts';
import { BytesMap } from '../../src/lib/bytes-map.ts';
import { BinaryScan } from '../../src/protocol/binary-scan.ts';
import { FieldTable } from '../../src/protocol/field-table.ts';
import { JsonScan } from '../../src/protocol/json-scan.ts';
import { RequestView } from '../../src/protocol/request-view.ts';
import { type Chunk, sendChunk, TOPIC } from './samples.ts';
import { repeat, type Subject, type Suite } from './suite.ts';

const FRAMES = 32;

function scanning(chunk: Chunk): Subject {
  const scan = new JsonScan();
  const table = new FieldTable();
  return {
    name: `JsonScan.scan, ${chunk.headerBytes} bytes`,
    batch: FRAMES,
    run: repeat(FRAMES, (i) => {
      const from = (chunk.offsets[i] as number) + chunk.headerAt;
      if (!scan.scan(chunk.bytes, from, from + chunk.headerBytes, table)) throw new Error('not scanned');
      return scan.opaque;
    }),
  };
}

function scanningBinary(chunk: Chunk): Subject {
  const scan = new BinaryScan();
  const table = new FieldTable();
  return {
    name: `BinaryScan.scan, ${chunk.headerBytes} bytes`,
    batch: FRAMES,
    run: repeat(FRAMES, (i) => {
      const from = (chunk.offsets[i] as number) + chunk.headerAt;
      if (!scan.scan(chunk.bytes, chunk.view, from, from + chunk.headerBytes, table))
        throw new Error('not scanned');
      return scan.opaque;
    }),
  };
}

function copying(name: string, chunk: Chunk): Subject {
  const request = new RequestView();
  request.read(chunk.bytes, chunk.view, chunk.offsets[0] as number, chunk.frameBytes);
  const { fields } = request;
  const properties = fields.find('i');
  const target = new Uint8Array(1024);
  const times = 100;
  return {
    name: `FieldTable.copyTo, ${fields.valueLength[properties]} bytes of ${name} properties`,
    batch: times,
    run: repeat(times, (i) => fields.copyTo(properties, target, i)),
  };
}

function locating(chunk: Chunk): Subject {
  const request = new RequestView();
  request.read(chunk.bytes, chunk.view, chunk.offsets[0] as number, chunk.frameBytes);
  const fields = new SendFields();
  const times = 200;
  return {
    name: 'SendFields.locate',
    batch: times,
    run: repeat(times, () => {
      fields.locate(request.fields, true);
      return fields.bornTimestamp;
    }),
  };
}

function lookingUp(): Subject {
  const topics = new BytesMap<number>();
  for (let i = 0; i < 1000; i++) topics.set(`${TOPIC}_${i}`, i);
  topics.set(TOPIC, 1);
  const name = new Uint8Array(Buffer.from(TOPIC));
  const times = 500;
  return {
    name: 'BytesMap.get, a topic among 1000',
    batch: times,
    run: repeat(times, () => topics.get(name, 0, name.length) ?? 0),
  };
}

export function open(): Suite {
  const json = sendChunk('json', FRAMES);
  const binary = sendChunk('binary', FRAMES);
  return {
    subjects: [
      scanning(json),
      scanningBinary(binary),
      copying('escaped', json),
      copying('plain', binary),
      locating(json),
      lookingUp(),
    ],
  };
}
