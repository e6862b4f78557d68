/**
 * `log dump --at`: one message, wherever the store has something of it: its record, its entry in the ConsumeQueue, its
 * keys in the index with slot and chain.
 */
import { UserError } from '../../../lib/user-error.ts';
import { decodeMessageId } from '../../../record/message-id.ts';
import type { Disk } from '../../../store/disk/disk.ts';
import { fileNameOf } from '../../../store/log/segments.ts';
import { recordItem } from '../dump-commit-log.ts';
import type { Against } from '../dump-queue.ts';
import type { DumpFile, Item } from '../item.ts';
import { recordKeys } from '../record-keys.ts';
import type { RecordLookup } from '../record-lookup.ts';
import type { StoreFiles } from '../store-files.ts';
import type { Explainer } from './explain-files.ts';
import { COMMIT_LOG } from './formats/commit-log.ts';
import { placesInIndex, positionOfKey } from './index-places.ts';
import { placesInQueues } from './queue-places.ts';
import { recordDamage } from './unsound.ts';

/** `at` is a position in the log, or a message id: the one with the position in it, or UNIQ_KEY. */
export function explainMessage(
  disk: Disk,
  store: StoreFiles,
  at: string,
  against: Against,
  explainer: Explainer,
  slots?: number,
): void {
  const position = positionOf(disk, store, at, against, slots);
  const { records } = against;
  const problem = records.problemAt(position);
  const { mapping } = records;
  if (mapping === undefined || problem === 'the log has no file for this position')
    throw outside(store, at, position);
  const start = position - records.at;
  const file: DumpFile = {
    path: `commitlog/${fileNameOf(start)}`,
    source: `${store.commitLogDirectory}/${fileNameOf(start)}`,
    format: COMMIT_LOG,
    about: 'The record.',
    items: [
      problem === undefined
        ? recordItem(mapping, records.check.size, start, records.at)
        : noRecord(records, position),
    ],
  };
  if (problem !== undefined) {
    explainer.file(file);
    return;
  }
  const keys = recordKeys(mapping, records.check.parts);
  const topic = topicOf(records);
  const queues = placesInQueues(disk, store, position, against);
  const index = placesInIndex(disk, store, position, topic, keys, slots);
  explainer.file(file);
  for (const place of queues) explainer.file(place, `${place.path}: its entry in the ConsumeQueue`);
  for (const place of index) explainer.file(place, `${place.path}: its keys in the index`);
}

function positionOf(disk: Disk, store: StoreFiles, at: string, { records }: Against, slots?: number): number {
  if (/^\d{1,16}$/.test(at)) return Number(at);
  const start = Number(store.logFiles[0] ?? 0);
  const end = Number(store.logFiles.at(-1) ?? 0) + store.logFileSize;
  const position = decodeMessageId(at)?.physicalOffset ?? -1;
  // Ids that clients make look the same, and lead anywhere when they are read as a position.
  if (position >= start && position < end && records.problemAt(position) === undefined) return position;
  const found = positionOfKey(disk, store, at, records, slots);
  if (found !== undefined) return found;
  throw new UserError(
    `--at ${at} is no message of this store: give a position in the log (${start} to ${end}), or the id of a message ` +
      'that is still in the log and, for an id that the client has made, in the index.',
  );
}

function outside({ logFiles, logFileSize }: StoreFiles, at: string, position: number): UserError {
  const start = Number(logFiles[0] ?? 0);
  const end = Number(logFiles.at(-1) ?? 0) + logFileSize;
  return new UserError(
    `--at ${at}: the log has the positions ${start} to ${end}, and no file for ${position}.`,
  );
}

function topicOf({ mapping, check: { parts } }: RecordLookup): string {
  if (mapping === undefined) return '';
  const { topicOffset, topicLength } = parts;
  return Buffer.from(mapping.bytes.buffer, mapping.bytes.byteOffset + topicOffset, topicLength).toString(
    'utf8',
  );
}

/** What stands there instead, and where the nearest records begin. */
function noRecord(records: RecordLookup, position: number): Item {
  const { mapping, at } = records;
  if (mapping === undefined) throw new Error('there is no file');
  const start = position - at;
  const { check } = records;
  if (check.blank)
    return {
      what: 'BLANK',
      at: position,
      byte: at,
      fields: [
        { name: 'size', value: check.size, meaning: 'the file ends here; the log goes on in the next one' },
      ],
      bytes: mapping.bytes.subarray(at, at + 8),
    };
  const damage = recordDamage(mapping, at, start, check.reason);
  const before = records.recordBefore(position);
  return {
    what: 'no record',
    at: position,
    byte: at,
    fields:
      before === undefined
        ? []
        : [
            {
              name: 'record in front',
              value: before.at,
              meaning: `it has ${before.size} bytes and ends at ${before.at + before.size}`,
            },
          ],
    bytes: mapping.bytes.subarray(at, Math.min(at + 64, mapping.size)),
    damage: [damage],
  };
}
