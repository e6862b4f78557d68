/** The store's small files: checkpoint, the texts in its root, RingMQ's own, and everything under config/. */
import { join } from 'node:path';
import type { Disk } from '../../store/disk/disk.ts';
import { storePaths } from '../../store/paths.ts';
import { dumpTimerCheck } from './dump-timers.ts';
import { CHECKPOINT, CHECKPOINT_FIELDS } from './explain/formats/checkpoint.ts';
import { formatOf } from './explain/formats/formats.ts';
import { pieceBytes } from './explain/formats/shape.ts';
import { jsonItems, textItem } from './explain/json-items.ts';
import { pieceFields } from './explain/piece-fields.ts';
import type { Damage, DumpFile, Field, Item } from './item.ts';
import { time } from './record-fields.ts';

/** In this order; the others of the root behind them. */
const FIRST = ['checkpoint', 'abort', 'lock', 'ringmq.timer-clock', 'ringmq.boot'];
/** Of a file of which nobody knows what it is. */
const SHOWN_BYTES = 64;
/** They are shown with the messages that they hold. */
const TIMER_WHEEL = /^timerwheel(?:\.\d+)?$/;

/** Those that exist; `explains`: members of JSON files one by one. */
export function dumpSmallFiles(disk: Disk, root: string, explains = false): DumpFile[] {
  const inRoot = filesIn(disk, root).filter((name) => !TIMER_WHEEL.test(name));
  const rank = (name: string) => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length);
  inRoot.sort((a, b) => rank(a) - rank(b));
  return [
    ...inRoot.map((name) => smallFile(disk, root, name, explains)),
    ...filesIn(disk, storePaths.config(root)).map((name) =>
      smallFile(disk, root, `config/${name}`, explains),
    ),
  ];
}

function filesIn(disk: Disk, directory: string): string[] {
  return disk
    .list(directory)
    .filter((name) => !disk.isDirectory(join(directory, name)))
    .sort();
}

function smallFile(disk: Disk, root: string, path: string, explains: boolean): DumpFile {
  const format = formatOf(path);
  const source = join(root, path);
  if (source === storePaths.timerCheck(root)) return dumpTimerCheck(disk, root);
  const about = `${path}: ${format?.about ?? 'a file that no broker puts here.'}`;
  if (format === CHECKPOINT) {
    const damage = () => checkpointDamage(disk, source);
    return { path, source, format, about, items: checkpoint(disk, source), damage };
  }
  const isJson = format?.members !== undefined && format.members[0]?.path !== '(text)';
  const items = explains ? explained(disk, source, format, isJson) : text(disk, source, format);
  return { path, source, format, about, items };
}

function* checkpoint(disk: Disk, path: string): Iterable<Item> {
  const whole = disk.readWhole(path);
  if (whole === undefined || whole.length < pieceBytes(CHECKPOINT_FIELDS)) return;
  const bytes = whole.subarray(0, pieceBytes(CHECKPOINT_FIELDS));
  const damage: Damage[] = [];
  const fields = pieceFields(CHECKPOINT_FIELDS, bytes).map(({ at, name, value, spec }): Field => {
    const date = name.endsWith('Timestamp') ? time(Number(value)) : '';
    if (Number(value) < 0 || !Number.isSafeInteger(Number(value)))
      damage.push({ at, text: `${name} is ${value}, which is no ${date === '' ? 'position' : 'time'}` });
    return { at, name, value, meaning: date === '' ? spec.meaning : `${spec.meaning}, ${date}` };
  });
  yield { what: 'checkpoint', at: 0, fields, bytes, piece: CHECKPOINT_FIELDS, damage };
}

function checkpointDamage(disk: Disk, path: string): Damage[] {
  const size = disk.size(path);
  const wanted = pieceBytes(CHECKPOINT_FIELDS);
  if (size >= wanted) return [];
  return [{ at: size, text: `the file ends here, ${wanted} bytes belong there: it counts as zeros` }];
}

function* text(disk: Disk, path: string, format: DumpFile['format']): Iterable<Item> {
  const bytes = format === undefined ? beginning(disk, path) : disk.readWhole(path);
  if (bytes !== undefined)
    yield { what: 'text', at: 0, fields: [], text: Buffer.from(bytes).toString('utf8'), bytes };
}

function* explained(disk: Disk, path: string, format: DumpFile['format'], isJson: boolean): Iterable<Item> {
  const bytes = format === undefined ? beginning(disk, path) : disk.readWhole(path);
  if (bytes === undefined) return;
  if (isJson && format !== undefined) yield* jsonItems(bytes, format);
  else
    yield format === undefined
      ? { what: 'its beginning', at: 0, fields: [], bytes }
      : textItem(bytes, format);
}

function beginning(disk: Disk, path: string): Uint8Array | undefined {
  const file = disk.open(path, -1);
  if (typeof file === 'number') return undefined;
  const bytes = new Uint8Array(SHOWN_BYTES);
  const read = file.read(0, bytes, 0, SHOWN_BYTES);
  file.close();
  return bytes.subarray(0, Math.max(0, read));
}
