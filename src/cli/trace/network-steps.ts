/** The steps of the network thread: frames that come, what is copied into answers, what is written to sockets. */
import { NOTE_COPIED, NOTE_FRAME, NOTE_READ, type Note } from '../../ring/trace-notes.ts';
import { STATUS_NAMES } from '../../store/read/pull-reader.ts';
import { framePiece } from './pieces/frame.ts';
import { positionOf } from './pieces/stored.ts';
import { type Step, spanOfTime, step } from './report.ts';
import { type Delivery, isWriteOf, type Run } from './scenario.ts';
import type { Exchange } from './trace-client.ts';

const OUTSIDE = 'From outside a broker no thread is seen at work';

/** Ms from the moment the producer began to write. */
export function since({ sent }: Run, at: number): number {
  return at - sent.writeBegan;
}

export function frameStep(run: Run, exchange: Exchange, who: string): Step {
  const note = frameNote(run, exchange);
  const { frame, writeBegan, writeEnded } = exchange;
  const text = [
    `${capital(who)} wrote ${frame.length} bytes to its socket, which took ${spanOfTime(writeEnded - writeBegan)}.`,
  ];
  const began = since(run, writeBegan);
  const pieces = [framePiece(`frame of ${frame.length} bytes`, note?.bytes ?? frame)];
  if (note === undefined)
    return step(1, {
      ...{ text, pieces, began, ended: since(run, writeEnded) },
      unseen: `${OUTSIDE}: when the bytes were read and understood is not known.`,
    });
  const [, readAt = note.began] = note.numbers;
  const same = Buffer.compare(note.bytes, frame) === 0;
  text.push(
    `${note.thread} had them in its read buffer ${spanOfTime(readAt - writeBegan)} after the write began, and handled the ` +
      `frame there in ${spanOfTime(note.ended - note.began)}: these are the bytes of that buffer, ` +
      `${same ? 'the same as were written' : 'which differ from what was written'}.`,
  );
  return step(1, { text, pieces, began, ended: since(run, note.ended) });
}

export function frameNote({ notes }: Run, { port, frame, writeBegan }: Exchange): Note | undefined {
  return notes.find(
    ({ kind, numbers, bytes, began }) =>
      kind === NOTE_FRAME && numbers[0] === port && began >= writeBegan && bytes.length === frame.length,
  );
}

/** The write of an answer to whoever asked. */
export function writeNote({ notes }: Run, exchange: Exchange): Note | undefined {
  return notes.find((note) => isWriteOf(note, exchange));
}

export function copiedStep(run: Run, { exchange, records }: Delivery): Step {
  const { answerFrame } = exchange;
  const pieces = [framePiece(`answer to the pull, ${answerFrame.length} bytes`, answerFrame)];
  const checked = records.map((record) => checkedSentence(run, record));
  const written = writeNote(run, exchange);
  const ofThread = run.notes.filter(
    ({ thread, began }) => thread === written?.thread && began <= (written?.began ?? 0),
  );
  const copied = ofThread.findLast(({ kind }) => kind === NOTE_COPIED);
  const read = ofThread.findLast(({ kind, began }) => kind === NOTE_READ && began <= (copied?.began ?? 0));
  if (copied === undefined || read === undefined)
    return step(8, {
      text: checked,
      pieces,
      unseen: `${OUTSIDE}: the answer shows what was copied, not when.`,
    });
  const [status = 0, found = 0] = read.numbers;
  const [count = 0, bytes = 0, ...places] = copied.numbers;
  const from = places.filter((_, i) => i % 2 === 0).join(', ');
  return step(8, {
    began: since(run, read.began),
    ended: since(run, copied.ended),
    text: [
      `${read.thread} read the queue in ${spanOfTime(read.ended - read.began)}: ${STATUS_NAMES[status]}, ` +
        `${found} found, by their ConsumeQueue entries.`,
      `Then it copied ${count === 1 ? 'the record' : `${count} records`}, ${bytes} bytes at ${from} of the log, from its ` +
        `mapping of the CommitLog into the answer, in ${spanOfTime(copied.ended - copied.began)}.`,
      ...checked,
    ],
    pieces,
  });
}

function checkedSentence({ target }: Run, record: Uint8Array): string {
  const position = positionOf(record);
  const stored = target.store?.recordAt(position);
  if (stored === undefined)
    return `The answer holds the record of position ${position}, ${record.length} bytes.`;
  const same = Buffer.compare(stored.bytes, record) === 0;
  return same
    ? `The ${record.length} bytes in the answer are those of the file at ${position}, byte for byte.`
    : `The ${record.length} bytes in the answer DIFFER from those of the file at ${position}.`;
}

export function writtenStep(run: Run, { exchange }: Delivery): Step {
  const { answerFrame, answeredAt } = exchange;
  const note = writeNote(run, exchange);
  if (note === undefined)
    return step(9, {
      ended: since(run, answeredAt),
      text: [
        `The answer of ${answerFrame.length} bytes was there ${spanOfTime(since(run, answeredAt))} after the send began.`,
      ],
      unseen: `${OUTSIDE}: the call was made in another process.`,
    });
  return step(9, {
    began: since(run, note.began),
    ended: since(run, note.ended),
    text: [
      ...writeSentences(note),
      `The consumer had it ${spanOfTime(answeredAt - note.began)} after the write began, ` +
        `${spanOfTime(since(run, answeredAt))} after the producer's.`,
    ],
    pieces: [framePiece(`${note.bytes.length} bytes that were written`, note.bytes)].filter(
      () => Buffer.compare(note.bytes, answerFrame) !== 0,
    ),
  });
}

/** What is known of a write to a socket. */
export function writeSentences(note: Note): string[] {
  const [descriptor, , unsent = 0, calls = -1, bytes = -1] = note.numbers;
  const counted =
    calls < 0
      ? 'This system does not count the calls of a thread (/proc/thread-self/io).'
      : `The kernel counted ${calls} call${calls === 1 ? '' : 's'} of the write family by this thread meanwhile, of ${bytes} bytes.`;
  return [
    `${note.thread} handed ${note.bytes.length} bytes to the socket with descriptor ${descriptor}, all that its turn had ` +
      `for this connection, in ${spanOfTime(note.ended - note.began)} (libuv's uv_try_write).`,
    counted,
    unsent === 0
      ? 'The kernel took all of them at once: nothing was left to be sent later.'
      : `${unsent} bytes were left to be sent later.`,
  ];
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
