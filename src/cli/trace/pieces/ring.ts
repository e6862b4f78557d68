/** Records of the rings between network threads and writer, byte by byte (ring/layout.ts, ring/append-records.ts). */
import {
  APPEND,
  APPEND_HEADER,
  APPEND_RAW,
  APPEND_TWICE,
  RETIRE_QUEUES,
  TWICE_HEADER,
} from '../../../ring/append-records.ts';
import { RECORD_HEADER_BYTES } from '../../../ring/layout.ts';
import { FieldList, type PieceField } from './piece.ts';
import { recordFields, recordsOf } from './stored.ts';

const TYPES: ReadonlyMap<number, string> = new Map([
  [APPEND, 'APPEND'],
  [APPEND_TWICE, 'APPEND_TWICE: for two queues'],
  [APPEND_RAW, 'APPEND_RAW: as a master has written it'],
  [RETIRE_QUEUES, 'RETIRE_QUEUES'],
]);

/** Fields of a record that only the writer can know: it alone has the end of the log. */
const LEFT_OPEN: ReadonlySet<string> = new Set([
  'bodyCrc',
  'queueOffset',
  'physicalOffset',
  'storeTimestamp',
]);

/** What a participant asks of the writer: the ring's own head, the request's, the records in their final layout. */
export function requestFields(bytes: Uint8Array): PieceField[] {
  const list = new FieldList(bytes);
  const type = ringHead(list, (value) => TYPES.get(value) ?? '');
  if (type !== APPEND && type !== APPEND_TWICE) return list.rest('payload', '').fields;
  little(list, 'sequence', 'number of the request; the answer has the same');
  little(list, 'queue', 'id of the queue among the threads of this run');
  little(list, 'bytes', 'of all records together');
  little(list, 'count', 'records: more than one is a batch');
  if (type === APPEND_TWICE) {
    little(list, 'second queue', 'id');
    little(list, 'digits', 'where in the record its number in that queue goes');
  }
  const head = RECORD_HEADER_BYTES + (type === APPEND_TWICE ? TWICE_HEADER : APPEND_HEADER);
  const records = recordsOf(bytes.subarray(head));
  for (const [i, record] of records.entries())
    list.inside(recordFields(record).map(leftOpen), records.length > 1 ? `[${i}] ` : '');
  if (list.at < bytes.length) list.rest('?', 'no record');
  return list.fields;
}

/** Records of the store that a request holds, without the four fields that the writer fills in. */
export function recordsOfRequest(bytes: Uint8Array): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const type = view.getInt32(4, true);
  if (type !== APPEND && type !== APPEND_TWICE) return [];
  return recordsOf(bytes.subarray(RECORD_HEADER_BYTES + (type === APPEND ? APPEND_HEADER : TWICE_HEADER)));
}

/** The writer's answer: where the records went. */
export function answerFields(bytes: Uint8Array): PieceField[] {
  const list = new FieldList(bytes);
  ringHead(list, () => 'APPENDED_REPLY');
  little(list, 'sequence', 'of the request');
  little(list, 'status', '0 = appended');
  double(list, 'queueOffset', 'of the first record');
  double(list, 'physicalOffset', 'of the first record');
  double(list, 'end', 'behind the last record: the acknowledgement waits for it');
  double(list, 'storeTimestamp', 'ms since 1970');
  if (list.at < bytes.length) list.rest('?', '');
  return list.fields;
}

function ringHead(list: FieldList, typeMeaning: (type: number) => string): number {
  little(list, 'size', 'of this record of the ring, these 8 bytes included');
  const type = list.view.getInt32(list.at, true);
  little(list, 'type', typeMeaning(type));
  return type;
}

function little(list: FieldList, name: string, meaning: string): void {
  list.add(4, name, list.view.getInt32(list.at, true), `${meaning}; little-endian`);
}

function double(list: FieldList, name: string, meaning: string): void {
  list.add(8, name, list.view.getFloat64(list.at, true), `${meaning}; a double`);
}

function leftOpen(field: PieceField): PieceField {
  return LEFT_OPEN.has(field.name) ? { ...field, meaning: 'left open: the writer fills it in' } : field;
}
