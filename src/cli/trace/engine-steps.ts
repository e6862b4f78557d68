/** The steps of the engine: ring, append, positions, sync, as the threads have noted them. */
import { AWAITED, FLUSHED, POSITION_NAMES } from '../../ring/positions.ts';
import type { Note } from '../../ring/trace-notes.ts';
import { after, before, type Hop } from './hops.ts';
import { since, writeNote, writeSentences } from './network-steps.ts';
import { framePiece } from './pieces/frame.ts';
import type { Piece } from './pieces/piece.ts';
import { answerFields, recordsOfRequest, requestFields } from './pieces/ring.ts';
import { type Step, spanOfTime, step, type Table } from './report.ts';
import type { Run } from './scenario.ts';
import { recordPieces } from './store-steps.ts';

const RINGS = 'Rings are memory of the broker, which another process does not see';
const PAGE = 4096;

export function ringStep(run: Run, { taken, published, participant }: Hop): Step {
  if (taken === undefined) return step(2, { unseen: `${RINGS}.` });
  const [, at = 0] = taken.numbers;
  const text = [
    `${participant} wrote ${taken.bytes.length} bytes at byte ${at} of its ring to the writer: a head of 8 bytes, what is asked ` +
      'of the writer, and the record in the layout that it has in the log. Four of its fields are left open.',
  ];
  if (published !== undefined)
    text.push(
      `Its turn showed them to the writer in ${spanOfTime(published.ended - published.began)}, and the writer began its round ` +
        `${spanOfTime(taken.began - published.began)} after that began.`,
    );
  const piece: Piece = {
    title: `record of the ring from ${participant} to the writer`,
    bytes: taken.bytes,
    from: at,
    fields: requestFields(taken.bytes),
  };
  const began = published?.began ?? taken.began;
  return step(2, {
    text,
    pieces: [piece],
    began: since(run, began),
    ended: since(run, published?.ended ?? taken.began),
  });
}

export function appendedStep(run: Run, hop: Hop): Step {
  const { appended, taken, answered, records } = hop;
  const pieces = recordPieces(hop);
  if (appended === undefined || taken === undefined) {
    const [first] = records;
    const unseen =
      first?.bytes === undefined
        ? `The record lies at ${first?.position} of the log; the protocol shows a record to its consumers only: give --store to see it.`
        : 'From outside only the record is seen, not when it was appended.';
    return step(3, { pieces, unseen });
  }
  if (answered !== undefined)
    pieces.push({
      title: 'the answer of the writer, in the ring back',
      bytes: answered.bytes,
      from: answered.numbers[1] ?? 0,
      fields: answerFields(answered.bytes),
    });
  const text = [
    `The writer's round took ${spanOfTime(appended.ended - appended.began)}: it copied the record behind its predecessors, ` +
      'computed the CRC of the body on the way, and wrote the round to the file in one go, the first eight bytes last.',
    ...recordsOfRequest(taken.bytes).flatMap((request, i) => differences(request, records[i]?.bytes)),
  ];
  return step(3, { text, pieces, began: since(run, appended.began), ended: since(run, appended.ended) });
}

/** What the writer has changed of the bytes that came by the ring. */
function differences(request: Uint8Array, stored: Uint8Array | undefined): string[] {
  if (stored === undefined) return ['The file did not show the record.'];
  const changed = [...stored.keys()].filter((i) => stored[i] !== request[i]);
  const ranges = rangesOf(changed).map(([from, to]) => (from === to ? `${from}` : `${from}–${to}`));
  return [
    `Of its ${stored.length} bytes ${stored.length - changed.length} are those of the ring; the writer has changed the bytes ` +
      `${ranges.join(', ')}: CRC, queue offset, position and store time.`,
  ];
}

function rangesOf(numbers: readonly number[]): [number, number][] {
  const ranges: [number, number][] = [];
  for (const number of numbers) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === number - 1) last[1] = number;
    else ranges.push([number, number]);
  }
  return ranges;
}

export function positionsStep(run: Run, { appended, dispatched, flushed }: Hop): Step {
  if (appended === undefined)
    return step(4, {
      unseen: 'Positions are words of memory that the threads of a broker share: no other process sees them.',
    });
  const columns: (readonly [string, Note, (note: Note, slot: number) => number])[] = [
    ['#before', appended, before],
  ];
  columns.push(['#append', appended, after]);
  if (dispatched !== undefined) columns.push(['#dispatch', dispatched, after]);
  if (flushed !== undefined) columns.push(['#sync', flushed, after]);
  const rows = Array.from({ length: AWAITED }, (_, slot) => [
    POSITION_NAMES[slot] ?? `slot ${slot}`,
    ...columns.map(([, note, at]) => at(note, slot)),
  ]);
  const table: Table = { columns: ['position', ...columns.map(([name]) => name)], rows };
  const moved = table.rows.filter(([, first, ...others]) => others.some((value) => value !== first));
  return step(4, {
    text: [
      'As they were before the writer began its round, and when the rounds that appended, dispatched and synced the record had ended.',
      `Those that moved: ${moved.map(([name]) => name).join(', ')}.`,
    ],
    table,
    began: since(run, appended.began),
    ended: since(run, Math.max(appended.ended, dispatched?.ended ?? 0, flushed?.ended ?? 0)),
  });
}

export function durableStep(run: Run, hop: Hop, index: number): Step {
  const { flushed } = hop;
  const acknowledged = index === 0 ? acknowledgement(run, flushed) : { text: [], pieces: [] };
  if (flushed === undefined)
    return step(7, {
      ...acknowledged,
      unseen:
        'A sync is a call of the broker: the protocol tells only, by the code of an answer, what it has waited for.',
    });
  const [, syncs = 0, micros = 0] = flushed.numbers;
  const [from, to] = [before(flushed, FLUSHED), after(flushed, FLUSHED)];
  const pages = Math.ceil(to / PAGE) - Math.floor(from / PAGE);
  const text = [
    `The flusher synced ${from} to ${to} of the log, ${to - from} bytes in ${pages} page${pages === 1 ? '' : 's'} of its file ` +
      `(fdatasync): ${syncs} sync${syncs === 1 ? '' : 's'} in ${spanOfTime(micros / 1000)}, its round ` +
      `${spanOfTime(flushed.ended - flushed.began)}. FLUSHED then was ${to}, so the record is on the device.`,
    ...acknowledged.text,
  ];
  return step(7, {
    text,
    pieces: acknowledged.pieces,
    began: since(run, flushed.began),
    ended: since(run, flushed.ended),
  });
}

/** The round goes on after it: those who wait for it are woken, and may be quick. */
function syncEnded({ began, numbers: [, , micros = 0] }: Note): number {
  return began + micros / 1000;
}

function acknowledgement(run: Run, flushed: Note | undefined): { text: string[]; pieces: Piece[] } {
  const { sent } = run;
  const pieces = [framePiece(`acknowledgement, ${sent.answerFrame.length} bytes`, sent.answerFrame)];
  const note = writeNote(run, sent);
  const had = `The producer had its acknowledgement ${spanOfTime(since(run, sent.answeredAt))} after its write began`;
  if (note === undefined) return { text: [`${had}.`], pieces };
  const order =
    flushed === undefined
      ? ''
      : note.began < syncEnded(flushed)
        ? ', before the sync was done'
        : ', after the sync';
  return {
    text: [
      `The acknowledgement left${order}: ${writeSentences(note)[0]}`,
      `${had}: ${run.target.own?.confirmed} had to be past the end of the record for it.`,
    ],
    pieces,
  };
}
