/** The steps of which the store's files tell: record, queue entry, index, what is known to be durable. */
import { SCHEDULE_TOPIC } from '../../lib/names.ts';
import type { StoredMessage } from '../../record/decode.ts';
import { counted } from '../admin/output.ts';
import { RECORD } from '../log/explain/formats/commit-log.ts';
import { ENTRY } from '../log/explain/formats/consume-queue.ts';
import { HEADER, INDEX_ENTRY, SLOT } from '../log/explain/formats/index-file.ts';
import { TIMER_UNIT, WHEEL_SLOT } from '../log/explain/formats/timers.ts';
import { time } from '../log/record-fields.ts';
import type { Hop } from './hops.ts';
import type { Piece } from './pieces/piece.ts';
import { storedPiece } from './pieces/stored.ts';
import { type Step, step } from './report.ts';
import type { FoundKey, FoundTimer, StoreView } from './store-view.ts';

const NO_STORE =
  "A broker's protocol does not show its files: give --store with the directory of its store to see this step.";
/** Entries of a chain that are shown before the message's own. */
const SHOWN_CHAIN = 5;

export function recordPieces({ records }: Hop): Piece[] {
  return records.flatMap(({ position, bytes }) =>
    bytes === undefined ? [] : [storedPiece(`CommitLog at ${position}`, RECORD, bytes, position)],
  );
}

export function queueStep(store: StoreView | undefined, hop: Hop): Step {
  if (store === undefined) return step(5, { unseen: NO_STORE });
  const messages = messagesOf(hop);
  const pieces: Piece[] = [];
  const missing: string[] = [];
  for (const message of messages) {
    const entry = store.queueEntry(message);
    const name = `${message.topic}, queue ${message.queueId}, entry ${message.queueOffset}`;
    if (entry === undefined) missing.push(name);
    else pieces.push(storedPiece(`${entry.file} at ${entry.at}: ${name}`, ENTRY, entry.bytes, entry.at));
  }
  const text = [
    'Entry n of a queue stands at byte n × 20 of its files: a pull finds a message by its number without a search.',
  ];
  if (messages.some(({ topic }) => topic === SCHEDULE_TOPIC))
    text.push(
      'In the schedule topic the entry has the time of delivery, ms since 1970, where others have the hash of the tag.',
    );
  return step(5, {
    ...{ text, pieces },
    unseen:
      missing.length > 0 ? `There is no entry for ${missing.join('; ')}: not yet, or no more.` : undefined,
  });
}

export function indexStep(store: StoreView | undefined, hop: Hop): Step {
  if (store === undefined) return step(6, { unseen: NO_STORE });
  const keys = messagesOf(hop).flatMap((message) => store.keysOf(message));
  const [first] = keys;
  if (first === undefined)
    return step(6, {
      unseen: 'The index has none of its keys: the message has none, or the index is off or gone.',
    });
  const header = storedPiece(`${first.header.file}: header`, HEADER, first.header.bytes, first.header.at);
  return step(6, {
    text: keys.map(keySentence),
    pieces: [header, ...keys.flatMap(keyPieces)],
    table: {
      columns: ['key', '#slot', '#entry', '#hash', '#position', 'which'],
      rows: keys.flatMap(chainRows),
    },
  });
}

function keySentence({ text, property, hash, slotNumber, chain }: FoundKey): string {
  const own = chain.at(-1)?.number;
  const newer = chain.length - 1;
  const over = counted(newer, 'newer one');
  const way = newer === 0 ? 'the slot leads straight to it' : `the chain leads over ${over} to it`;
  return `${property}: |Java hash of "${text}"| = ${hash}, slot ${slotNumber}; its entry is number ${own}: ${way}.`;
}

function keyPieces({ text, slot, chain, slotNumber }: FoundKey): Piece[] {
  const own = chain.at(-1);
  if (own === undefined) return [];
  return [
    storedPiece(`${slot.file} at ${slot.at}: slot ${slotNumber}, of ${text}`, SLOT, slot.bytes, slot.at),
    storedPiece(`${own.file} at ${own.at}: entry ${own.number}`, INDEX_ENTRY, own.bytes, own.at),
  ];
}

function chainRows({ text, slotNumber, chain, older }: FoundKey): (string | number)[][] {
  const own = chain.at(-1);
  const rows = chain
    .slice(0, -1)
    .slice(0, SHOWN_CHAIN)
    .map((entry) => [
      ...[text, slotNumber, entry.number, entry.hash, entry.physical],
      'newer, of the same slot',
    ]);
  const left = chain.length - 1 - SHOWN_CHAIN;
  if (left > 0) rows.push([text, slotNumber, '…', '', '', `${left} more`]);
  if (own !== undefined) rows.push([text, slotNumber, own.number, own.hash, own.physical, 'this message']);
  for (const { number, hash, physical } of older)
    rows.push([text, slotNumber, number, hash, physical, 'older, where its chain goes on']);
  return rows;
}

/** Of a message that was stored before: what the checkpoint says of it. */
export function checkpointStep(store: StoreView | undefined, hop: Hop): Step {
  const [message] = messagesOf(hop);
  if (store === undefined || message === undefined) return step(7, { unseen: NO_STORE });
  const { logTimestamp } = store.checkpoint();
  const stored = time(message.storeTimestamp);
  const known =
    logTimestamp >= message.storeTimestamp
      ? `The checkpoint says that what was stored up to ${time(logTimestamp)} is durable: the message, stored at ${stored}, is.`
      : `The checkpoint vouches for what was stored up to ${time(logTimestamp)}; the message was stored at ${stored}, so only its broker knows.`;
  return step(7, { text: [known], unseen: 'Which sync that was, and when, is kept nowhere.' });
}

export function timerPieces({ slot, unit }: FoundTimer): Piece[] {
  return [
    storedPiece(`${slot.file} at ${slot.at}: slot of the wheel`, WHEEL_SLOT, slot.bytes, slot.at),
    storedPiece(`${unit.file}: unit at ${unit.at} of the timer log`, TIMER_UNIT, unit.bytes, unit.at),
  ];
}

export function messagesOf({ records }: Hop): StoredMessage[] {
  return records.flatMap(({ message }) => (message === undefined ? [] : [message]));
}
