/** The ways that a message took through the store, put together from notes, answers and files. */

import { SCHEDULE_TOPIC } from '../../lib/names.ts';
import { decodeRecord, type StoredMessage } from '../../record/decode.ts';
import { PROPERTY_UNIQUE_KEY } from '../../record/properties.ts';
import {
  APPEND_SEQUENCE,
  REPLY_END,
  REPLY_PHYSICAL_OFFSET,
  REPLY_SEQUENCE,
} from '../../ring/append-records.ts';
import { RECORD_HEADER_BYTES } from '../../ring/layout.ts';
import { AWAITED, DISPATCHED, FLUSHED } from '../../ring/positions.ts';
import {
  NOTE_ANSWERED,
  NOTE_PUBLISHED,
  NOTE_ROUND,
  NOTE_TAKEN,
  type Note,
  ROUND_POSITIONS,
} from '../../ring/trace-notes.ts';
import { recordsOfRequest } from './pieces/ring.ts';
import { positionIn, type Run } from './scenario.ts';

/** A message was put into the log once: by whom, and what the threads did with it then. */
export interface Hop {
  /** Who put it; undefined where that cannot be seen. */
  participant?: string;
  taken?: Note;
  published?: Note | undefined;
  answered?: Note | undefined;
  /** Rounds of writer, dispatcher and flusher that appended, dispatched and synced it. */
  appended?: Note | undefined;
  dispatched?: Note | undefined;
  flushed?: Note | undefined;
  /** As they lie in the log; `bytes` undefined where neither a file nor an answer shows them. */
  records: { position: number; bytes: Uint8Array | undefined; message: StoredMessage | undefined }[];
}

export function hopsOf(run: Run): Hop[] {
  return run.target.own === undefined ? hopsFromOutside(run) : hopsByNotes(run);
}

function hopsByNotes(run: Run): Hop[] {
  const notes = [...run.notes].sort((a, b) => a.began - b.began);
  const isOurs = ({ kind, bytes }: Note) =>
    kind === NOTE_TAKEN && recordsOfRequest(bytes).some((record) => run.keys.includes(uniqueKey(record)));
  return notes.filter(isOurs).map((taken) => hopByNotes(run, notes, taken));
}

function hopByNotes({ target }: Run, notes: readonly Note[], taken: Note): Hop {
  const [participant = 0] = taken.numbers;
  const name = target.own?.participants[participant] ?? '';
  const answered = notes.find(
    (note) =>
      note.kind === NOTE_ANSWERED &&
      note.numbers[0] === participant &&
      int32(note, REPLY_SEQUENCE) === int32(taken, APPEND_SEQUENCE),
  );
  const end = answered === undefined ? Number.POSITIVE_INFINITY : double(answered, REPLY_END);
  const start = answered === undefined ? -1 : double(answered, REPLY_PHYSICAL_OFFSET);
  const reaching = (thread: string, slot: number) =>
    notes.find((note) => note.kind === NOTE_ROUND && note.thread === thread && after(note, slot) >= end);
  let position = start;
  const records = recordsOfRequest(taken.bytes).map((request) => {
    const found = target.store?.recordAt(position);
    const record = { position, bytes: found?.bytes, message: found?.message };
    position += request.length;
    return record;
  });
  return {
    participant: name,
    taken,
    answered,
    published: notes.findLast(
      ({ kind, thread, began }) => kind === NOTE_PUBLISHED && thread === name && began <= taken.ended,
    ),
    appended: notes.find(
      (note) => note.kind === NOTE_ROUND && note.thread === 'writer' && note.began === taken.began,
    ),
    dispatched: reaching('dispatcher', DISPATCHED),
    flushed: reaching('flusher', FLUSHED),
    records,
  };
}

/** What the answers tell, and the files where they can be read. */
function hopsFromOutside(run: Run): Hop[] {
  const { sent, deliveries, keys, target, plan, givenBack } = run;
  const isParked = plan.delayLevel !== undefined || plan.delayMs !== undefined;
  const first = isParked ? undefined : deliveries[0];
  const later = isParked ? deliveries : deliveries.slice(1);
  const hops: Hop[] = [];
  if (first !== undefined) hops.push({ records: first.records.map(recordOf) });
  else hops.push({ records: [recordAt(run, positionIn(sent))] });
  for (const delivery of later) {
    const [key = ''] = keys;
    const waited = givenBack && target.store?.withUniqueKey(SCHEDULE_TOPIC, key);
    if (waited !== undefined)
      hops.push({ records: [{ position: waited.at, bytes: waited.bytes, message: waited.message }] });
    if (!isSeen(hops, delivery.records)) hops.push({ records: delivery.records.map(recordOf) });
  }
  return hops;
}

function isSeen(hops: readonly Hop[], records: readonly Uint8Array[]): boolean {
  const positions = new Set(hops.flatMap((hop) => hop.records.map(({ position }) => position)));
  return records.every((record) => positions.has(recordOf(record).position));
}

function recordAt({ target }: Run, position: number): Hop['records'][number] {
  const found = target.store?.recordAt(position);
  return { position, bytes: found?.bytes, message: found?.message };
}

function recordOf(bytes: Uint8Array): Hop['records'][number] {
  const message = decodeRecord(bytes);
  return { position: message?.physicalOffset ?? -1, bytes, message };
}

function uniqueKey(record: Uint8Array): string {
  return decodeRecord(record)?.properties.get(PROPERTY_UNIQUE_KEY) ?? '';
}

function int32({ bytes }: Note, at: number): number {
  return Buffer.from(bytes).readInt32LE(RECORD_HEADER_BYTES + at);
}

function double({ bytes }: Note, at: number): number {
  return Buffer.from(bytes).readDoubleLE(RECORD_HEADER_BYTES + at);
}

/** A position before, and after, the round of a note. */
export function before({ numbers }: Note, slot: number): number {
  return numbers[ROUND_POSITIONS + slot] as number;
}

export function after({ numbers }: Note, slot: number): number {
  return numbers[ROUND_POSITIONS + AWAITED + slot] as number;
}
