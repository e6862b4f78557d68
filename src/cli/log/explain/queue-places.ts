/** Where the ConsumeQueues have a record: its own queue and, of a lite topic's message, the second one. */
import { LITE_QUEUE_ID } from '../../../lib/lite-names.ts';
import { modulo } from '../../../lib/modulo.ts';
import { SecondQueueReader } from '../../../record/second-queue.ts';
import { queueIdOf, queueOffsetOf, sysFlagOf } from '../../../record/view.ts';
import type { Disk } from '../../../store/disk/disk.ts';
import { entersQueue } from '../../../store/log/commit-log.ts';
import { fileNameOf } from '../../../store/log/segments.ts';
import { storePaths } from '../../../store/paths.ts';
import { ENTRY_BYTES, queueDirectoryPath } from '../../../store/queue/consume-queue.ts';
import { type Against, dumpQueueFile } from '../dump-queue.ts';
import type { DumpFile, Item } from '../item.ts';
import type { StoreFiles } from '../store-files.ts';
import { CONSUME_QUEUE } from './formats/consume-queue.ts';

interface Place {
  topic: string;
  queueId: number;
  offset: number;
}

/** Of the sound record at `position`, which `against.records` has found last. */
export function placesInQueues(
  disk: Disk,
  store: StoreFiles,
  position: number,
  against: Against,
): DumpFile[] {
  const { mapping, at, check } = against.records;
  if (mapping === undefined) return [];
  if (!entersQueue(sysFlagOf(mapping.view, at)))
    return [
      nowhere('consumequeue', 'a half message that was never given, or a rollback: it enters no queue'),
    ];
  const { topicOffset, topicLength } = check.parts;
  const bytes = Buffer.from(mapping.bytes.buffer, mapping.bytes.byteOffset, mapping.size);
  const topic = bytes.toString('utf8', topicOffset, topicOffset + topicLength);
  const places: Place[] = [
    { topic, queueId: queueIdOf(mapping.view, at), offset: queueOffsetOf(mapping.view, at) },
  ];
  const second = new SecondQueueReader();
  if (second.read(mapping.bytes, mapping.view, at, check.size))
    places.push({ topic: second.name, queueId: LITE_QUEUE_ID, offset: second.number });
  return places.map((place) => placeInQueue(disk, store, position, place, against));
}

function placeInQueue(
  disk: Disk,
  store: StoreFiles,
  position: number,
  place: Place,
  against: Against,
): DumpFile {
  const { topic, queueId, offset } = place;
  const byte = offset * ENTRY_BYTES;
  const start = byte - modulo(byte, store.queueFileSize);
  const directory = queueDirectoryPath(storePaths.consumeQueue(store.root), topic, queueId);
  const source = `${directory}/${fileNameOf(start)}`;
  const name = `consumequeue/${topic}/${queueId}`;
  if (store.queueFileSize === 0 || disk.size(source) < 0)
    return nowhere(
      `${name}/${fileNameOf(start)}`,
      `entry ${offset} is not there: the topic was deleted, the file has expired, or the dispatcher has not come so far`,
    );
  const file = dumpQueueFile(disk, store, source, offset, against);
  const [item] = file.items;
  if (item === undefined || item.at !== byte - start)
    return nowhere(
      file.path,
      `entry ${offset} would stand at byte ${byte - start}, where nothing was written yet`,
      source,
    );
  return { ...file, items: [atItsPlace(item, position)], damage: () => [] };
}

function atItsPlace(item: Item, position: number): Item {
  const points = item.fields.find(({ name }) => name === 'physicalOffset')?.value;
  if (points === position || item.damage !== undefined) return item;
  return {
    ...item,
    damage: [{ at: item.at, text: `it points to ${points}, and not to the record at ${position}` }],
  };
}

function nowhere(path: string, text: string, source = ''): DumpFile {
  const items: Item[] = [{ what: 'no entry', at: 0, fields: [{ name: 'why', value: text }] }];
  return { path, source, format: CONSUME_QUEUE, about: 'Where its entry would be.', items };
}
