/** The files of a store, read where a message has left its marks. Never writes, and opens nothing for long. */
import { join } from 'node:path';
import { TIMER_OUT_MS } from '../../delivery/timer/rewrite.ts';
import { decodeTimerCheck } from '../../delivery/timer/timer-check.ts';
import {
  emptyUnit,
  readSlot,
  readUnit,
  SLOT_BYTES,
  type TimerUnit,
  UNIT_BYTES,
  WHEEL_SLOTS,
} from '../../delivery/timer/timer-layout.ts';
import { readInt64 } from '../../lib/int64.ts';
import { javaHashCode } from '../../lib/java-hash.ts';
import { decodeRecord, type StoredMessage } from '../../record/decode.ts';
import { PROPERTY_KEYS, PROPERTY_TAGS, PROPERTY_UNIQUE_KEY } from '../../record/properties.ts';
import type { Disk, RangeFile } from '../../store/disk/disk.ts';
import { readOnlyDisk } from '../../store/disk/read-only-disk.ts';
import {
  ENTRY_PHYSICAL,
  ENTRY_PREVIOUS,
  entryOffset,
  INDEX_COUNT,
  INDEX_ENTRY_BYTES,
  INDEX_HEADER_BYTES,
  SLOT_BYTES as INDEX_SLOT_BYTES,
  type IndexGeometry,
  storedHash,
} from '../../store/index/index-layout.ts';
import { type Checkpoint, readCheckpoint } from '../../store/log/checkpoint.ts';
import { fileNameOf } from '../../store/log/segments.ts';
import { storePaths } from '../../store/paths.ts';
import { ENTRY_BYTES, queueDirectoryPath } from '../../store/queue/consume-queue.ts';
import { indexGeometry } from '../log/index-geometry.ts';
import { findStore, positionFiles, type StoreFiles } from '../log/store-files.ts';

/** Entries of a chain that are read until the message's own has come. */
const LONGEST_CHAIN = 100_000;
const SHOWN_OLDER = 3;
const DEFAULT_PRECISION_MS = 1000;
const MOST_UNITS = 100_000;

/** Bytes of a file, and where they begin in it (for the CommitLog: in the log). */
export interface Found {
  /** From the store's root. */
  file: string;
  at: number;
  bytes: Uint8Array;
}

export interface FoundRecord extends Found {
  message: StoredMessage;
}

export interface ChainEntry extends Found {
  number: number;
  hash: number;
  position: number;
}

/** A key of a message in the index: from its slot along the chain to the message's own entry. */
export interface FoundKey {
  /** `topic#key` */
  text: string;
  /** Which property it is of. */
  property: string;
  hash: number;
  slotNumber: number;
  header: Found;
  slot: Found;
  /** From the newest entry of the slot to the message's own, which is the last one. */
  chain: ChainEntry[];
  /** Those that the message's own leads to, the next ones. */
  older: ChainEntry[];
}

export interface FoundTimer {
  slot: Found;
  unit: Found;
  precisionMs: number;
}

export class StoreView {
  readonly root: string;
  readonly #disk: Disk = readOnlyDisk;
  readonly #commitLog: string | undefined;
  readonly #slots: number | undefined;

  /** Throws a UserError when there is no store. */
  constructor(root: string, commitLog?: string, indexSlots?: number) {
    this.root = root;
    this.#commitLog = commitLog;
    this.#slots = indexSlots;
    this.#files();
  }

  /** Names of the topics that have a queue. */
  topics(): string[] {
    return [...new Set(this.#files().queues.map(({ topic }) => topic))];
  }

  /** The record that begins at a position of the log; undefined when none does. */
  recordAt(position: number): FoundRecord | undefined {
    const { logFileSize, commitLogDirectory } = this.#files();
    if (logFileSize === 0 || position < 0) return undefined;
    const at = position % logFileSize;
    const name = fileNameOf(position - at);
    const path = join(commitLogDirectory, name);
    const head = this.#read(path, at, 4);
    const size = head === undefined ? 0 : Buffer.from(head).readInt32BE(0);
    const bytes = size > 0 && at + size <= logFileSize ? this.#read(path, at, size) : undefined;
    const message = bytes && decodeRecord(bytes);
    if (bytes === undefined || message?.physicalOffset !== position) return undefined;
    return { file: `commitlog/${name}`, at: position, bytes, message };
  }

  /** The entry of a message in its ConsumeQueue; undefined when it has none (yet). */
  queueEntry({ topic, queueId, queueOffset, physicalOffset }: StoredMessage): Found | undefined {
    const { queueFileSize } = this.#files();
    if (queueFileSize === 0) return undefined;
    const byte = queueOffset * ENTRY_BYTES;
    const at = byte % queueFileSize;
    const name = fileNameOf(byte - at);
    const path = join(queueDirectoryPath(storePaths.consumeQueue(this.root), topic, queueId), name);
    const bytes = this.#read(path, at, ENTRY_BYTES);
    if (bytes === undefined || Number(Buffer.from(bytes).readBigInt64BE(0)) !== physicalOffset)
      return undefined;
    return { file: `consumequeue/${topic}/${queueId}/${name}`, at, bytes };
  }

  /** Where the index has the message: each of its keys. Those that it has not (yet) are left out. */
  keysOf(message: StoredMessage): FoundKey[] {
    const found: FoundKey[] = [];
    for (const { text, property } of keyTexts(message)) {
      const key = this.#find(text, (entry) => entry.position === message.physicalOffset);
      if (key !== undefined) found.push({ ...key, property });
    }
    return found;
  }

  /** The newest record with that unique key in a topic. */
  withUniqueKey(topic: string, key: string): FoundRecord | undefined {
    let record: FoundRecord | undefined;
    this.#find(`${topic}#${key}`, ({ position }) => {
      record = this.recordAt(position);
      return record?.message.topic === topic && record.message.properties.get(PROPERTY_UNIQUE_KEY) === key;
    });
    const isIt = record?.message.properties.get(PROPERTY_UNIQUE_KEY) === key;
    return isIt && record?.message.topic === topic ? record : undefined;
  }

  /** Slot of the timing wheel and unit of the timer log of a message that waits in the timer topic. */
  timerOf(message: StoredMessage): FoundTimer | undefined {
    const slotTime = Number(message.properties.get(TIMER_OUT_MS));
    const precisionMs = this.#precision();
    const at = (Math.floor(slotTime / precisionMs) % WHEEL_SLOTS) * SLOT_BYTES;
    const bytes = this.#read(storePaths.timerWheel(this.root), at, SLOT_BYTES);
    if (bytes === undefined) return undefined;
    const { slot, last } = readSlot(new DataView(bytes.buffer), 0);
    if (slot * precisionMs !== slotTime) return undefined;
    const unit = this.#unitOf(last, message.physicalOffset);
    return unit && { slot: { file: 'timerwheel', at, bytes }, unit, precisionMs };
  }

  checkpoint(): Checkpoint {
    return readCheckpoint(this.#disk, storePaths.checkpoint(this.root));
  }

  #precision(): number {
    const bytes = this.#disk.readWhole(storePaths.timerCheck(this.root));
    const check = bytes && decodeTimerCheck(bytes);
    return (typeof check === 'object' ? check.own?.precisionMs : undefined) ?? DEFAULT_PRECISION_MS;
  }

  #unitOf(last: number, physical: number): Found | undefined {
    const directory = storePaths.timerLog(this.root);
    const [name] = positionFiles(this.#disk, directory);
    if (name === undefined) return undefined;
    const fileSize = this.#disk.size(join(directory, name));
    const unit: TimerUnit = emptyUnit();
    for (let position = last, units = 0; position >= 0 && units < MOST_UNITS; units++) {
      const file = fileNameOf(position - (position % fileSize));
      const bytes = this.#read(join(directory, file), position % fileSize, UNIT_BYTES);
      if (bytes === undefined || !readUnit(new DataView(bytes.buffer), 0, unit)) return undefined;
      if (unit.physical === physical) return { file: `timerlog/${file}`, at: position, bytes };
      position = unit.previous;
    }
    return undefined;
  }

  /** Goes along the chain of a key, newest file first, until `isIt`. */
  #find(text: string, isIt: (entry: ChainEntry) => boolean): Omit<FoundKey, 'property'> | undefined {
    const hash = storedHash(javaHashCode(text));
    for (const name of this.#files().indexFiles.reverse()) {
      const file = new IndexView(this.#disk, this.root, name, this.#slots);
      const found = file.find(hash, isIt);
      if (found !== undefined) return { ...found, text, hash };
    }
    return undefined;
  }

  #read(path: string, at: number, length: number): Uint8Array | undefined {
    const file = this.#disk.open(path, -1);
    if (typeof file === 'number') return undefined;
    try {
      return readExactly(file, at, length);
    } finally {
      file.close();
    }
  }

  #files(): StoreFiles {
    return findStore(this.#disk, this.root, this.#commitLog);
  }
}

function readExactly(file: RangeFile, at: number, length: number): Uint8Array | undefined {
  const bytes = new Uint8Array(length);
  return file.read(at, bytes, 0, length) === length ? bytes : undefined;
}

function keyTexts({ topic, properties }: StoredMessage): { text: string; property: string }[] {
  const texts: { text: string; property: string }[] = [];
  const unique = properties.get(PROPERTY_UNIQUE_KEY);
  if (unique !== undefined) texts.push({ text: `${topic}#${unique}`, property: PROPERTY_UNIQUE_KEY });
  for (const key of (properties.get(PROPERTY_KEYS) ?? '').split(' ').filter((word) => word !== ''))
    texts.push({ text: `${topic}#${key}`, property: PROPERTY_KEYS });
  const tag = properties.get(PROPERTY_TAGS);
  if (tag !== undefined) texts.push({ text: `${topic}#T#${tag}`, property: PROPERTY_TAGS });
  return texts;
}

/** One index file. */
class IndexView {
  readonly #disk: Disk;
  readonly #path: string;
  readonly #name: string;
  readonly #geometry: IndexGeometry | undefined;

  constructor(disk: Disk, root: string, name: string, slots: number | undefined) {
    this.#disk = disk;
    this.#path = join(storePaths.index(root), name);
    this.#name = `index/${name}`;
    this.#geometry = geometryOf(disk, this.#path, slots);
  }

  find(
    hash: number,
    isIt: (entry: ChainEntry) => boolean,
  ): Omit<FoundKey, 'property' | 'text' | 'hash'> | undefined {
    const geometry = this.#geometry;
    const file = geometry === undefined ? -1 : this.#disk.open(this.#path, -1);
    if (geometry === undefined || typeof file === 'number') return undefined;
    try {
      const header = this.#found(file, 0, INDEX_HEADER_BYTES);
      const slotNumber = hash % geometry.slots;
      const slot = this.#found(file, INDEX_HEADER_BYTES + slotNumber * INDEX_SLOT_BYTES, INDEX_SLOT_BYTES);
      if (header === undefined || slot === undefined) return undefined;
      const count = viewOf(header.bytes).getInt32(INDEX_COUNT);
      const chain = this.#chain(
        file,
        geometry,
        viewOf(slot.bytes).getInt32(0),
        count,
        (entry) => entry.hash === hash && isIt(entry),
      );
      return chain && { header, slot, slotNumber, chain, older: this.#older(file, geometry, chain.at(-1)) };
    } finally {
      file.close();
    }
  }

  #chain(
    file: RangeFile,
    geometry: IndexGeometry,
    newest: number,
    count: number,
    isIt: (entry: ChainEntry) => boolean,
  ): ChainEntry[] | undefined {
    const chain: ChainEntry[] = [];
    for (let number = newest; number > 0 && chain.length < LONGEST_CHAIN; ) {
      const entry = this.#entry(file, geometry, number);
      if (entry === undefined) return undefined;
      // A broker at work may have put newer ones than its header counts.
      if (number < count) chain.push(entry);
      if (number < count && isIt(entry)) return chain;
      const previous = viewOf(entry.bytes).getInt32(ENTRY_PREVIOUS);
      if (previous >= number) return undefined;
      number = previous;
    }
    return undefined;
  }

  #older(file: RangeFile, geometry: IndexGeometry, own: ChainEntry | undefined): ChainEntry[] {
    const older: ChainEntry[] = [];
    for (let entry = own; entry !== undefined && older.length < SHOWN_OLDER; ) {
      const previous = viewOf(entry.bytes).getInt32(ENTRY_PREVIOUS);
      if (previous <= 0 || previous >= entry.number) break;
      entry = this.#entry(file, geometry, previous);
      if (entry !== undefined) older.push(entry);
    }
    return older;
  }

  #entry(file: RangeFile, geometry: IndexGeometry, number: number): ChainEntry | undefined {
    const found = this.#found(file, entryOffset(geometry, number), INDEX_ENTRY_BYTES);
    if (found === undefined) return undefined;
    const view = viewOf(found.bytes);
    return { ...found, number, hash: view.getInt32(0), position: readInt64(view, ENTRY_PHYSICAL) };
  }

  #found(file: RangeFile, at: number, length: number): Found | undefined {
    const bytes = readExactly(file, at, length);
    return bytes && { file: this.#name, at, bytes };
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function geometryOf(disk: Disk, path: string, slots: number | undefined): IndexGeometry | undefined {
  const size = disk.size(path);
  if (size < INDEX_HEADER_BYTES) return undefined;
  const mapping = disk.map(path, size);
  if (typeof mapping === 'number') return undefined;
  try {
    return indexGeometry(mapping, slots);
  } finally {
    mapping.close();
  }
}
