/** What each thread did with the message, for the picture. */

import { NOTE_COPIED, NOTE_READ, type Note } from '../../ring/trace-notes.ts';
import type { Hop } from './hops.ts';
import { frameNote, writeNote } from './network-steps.ts';
import type { Span } from './report.ts';
import type { Run } from './scenario.ts';
import type { Exchange } from './trace-client.ts';

const PRODUCER = 'producer';
const CONSUMER = 'consumer';

export function spansOf(run: Run, hops: readonly Hop[]): Span[] {
  const spans = new SpanList(run.sent.writeBegan);
  asked(spans, run, run.sent, PRODUCER, 'writes the frame', 'has its acknowledgement');
  if (run.givenBack) asked(spans, run, run.givenBack, CONSUMER, 'gives it back', 'knows that it is taken');
  for (const hop of hops) hopSpans(spans, hop);
  for (const { exchange } of run.deliveries) {
    const written = writeNote(run, exchange);
    if (written !== undefined) {
      const ofThread = run.notes.filter(
        ({ thread, began }) => thread === written.thread && began <= written.began,
      );
      const copied = ofThread.findLast(({ kind }) => kind === NOTE_COPIED);
      spans.add(
        ofThread.findLast(({ kind, began }) => kind === NOTE_READ && began <= (copied?.began ?? 0)),
        'reads the queue',
        8,
      );
      spans.add(copied, 'copies the record', 8);
      spans.add(written, 'writes the answer', 9);
    }
    spans.point(CONSUMER, 'has the message', exchange.answeredAt, 9);
  }
  return spans.sorted();
}

function asked(
  spans: SpanList,
  run: Run,
  exchange: Exchange,
  who: string,
  does: string,
  hears: string,
): void {
  spans.of(who, does, exchange.writeBegan, exchange.writeEnded, 1);
  spans.add(frameNote(run, exchange), 'handles the frame', 1);
  spans.add(writeNote(run, exchange), 'answers', 7);
  spans.point(who, hears, exchange.answeredAt, 7);
}

function hopSpans(spans: SpanList, { published, appended, dispatched, flushed }: Hop): void {
  spans.add(published, 'shows it to the writer', 2);
  spans.add(appended, 'appends', 3);
  spans.add(dispatched, 'queue and index', 5);
  spans.add(flushed, 'syncs', 7);
}

class SpanList {
  readonly #zero: number;
  readonly #spans: Span[] = [];

  constructor(zero: number) {
    this.#zero = zero;
  }

  add(note: Note | undefined, label: string, step: number): void {
    if (note !== undefined) this.of(note.thread, label, note.began, note.ended, step);
  }

  of(lane: string, label: string, began: number, ended: number, step: number): void {
    const span = { lane, label, began: began - this.#zero, ended: ended - this.#zero, step };
    if (!this.#spans.some((other) => other.lane === lane && other.began === span.began))
      this.#spans.push(span);
  }

  point(lane: string, label: string, at: number, step: number): void {
    this.of(lane, label, at, at, step);
  }

  sorted(): Span[] {
    return this.#spans.sort((a, b) => a.began - b.began);
  }
}
