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
import { copied } from '../../lib/copied.ts';
import { javaHashCode } from '../../lib/java-hash.ts';
import { decodeRecord, type StoredMessage } from '../../record/decode.ts';
import { PROPERTY_KEYS, PROPERTY_TAGS, PROPERTY_UNIQUE_KEY } from '../../record/properties.ts';
import type { Disk, Mapping, RangeFile } from '../../store/disk/disk.ts';
import { readOnlyDisk } from '../../store/disk/read-only-disk.ts';
import {
  entryOffset,
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
import { chain, type Link, withIndex } from '../log/explain/index-places.ts';
import { findStore, positionFiles, type StoreFiles } from '../log/store-files.ts';

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

export interface ChainEntry extends Found, Link {}

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
      const key = this.#find(text, (entry) => entry.physical === message.physicalOffset);
      if (key !== undefined) found.push({ ...key, property });
    }
    return found;
  }

  /** The newest record with that unique key in a topic. */
  withUniqueKey(topic: string, key: string): FoundRecord | undefined {
    let record: FoundRecord | undefined;
    this.#find(`${topic}#${key}`, ({ physical }) => {
      record = this.recordAt(physical);
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
  #find(text: string, isIt: (link: Link) => boolean): Omit<FoundKey, 'property'> | undefined {
    const hash = storedHash(javaHashCode(text));
    for (const name of this.#files().indexFiles.reverse()) {
      const found = withIndex(
        this.#disk,
        join(storePaths.index(this.root), name),
        this.#slots,
        (mapping, geometry) => keyIn(`index/${name}`, mapping, geometry, hash, isIt),
      );
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

/** Undefined when none of the entries with this hash is it. */
function keyIn(
  file: string,
  mapping: Mapping,
  geometry: IndexGeometry,
  hash: number,
  isIt: (link: Link) => boolean,
): Omit<FoundKey, 'property' | 'text' | 'hash'> | undefined {
  const slotNumber = hash % geometry.slots;
  const links = chain(mapping, geometry, slotNumber);
  const own = links.findIndex((link) => link.hash === hash && isIt(link));
  if (own < 0) return undefined;
  const found = (at: number, length: number) => ({ file, at, bytes: copied(mapping.bytes, at, at + length) });
  const entry = (link: Link) => ({
    ...link,
    ...found(entryOffset(geometry, link.number), INDEX_ENTRY_BYTES),
  });
  return {
    slotNumber,
    header: found(0, INDEX_HEADER_BYTES),
    slot: found(INDEX_HEADER_BYTES + slotNumber * INDEX_SLOT_BYTES, INDEX_SLOT_BYTES),
    chain: links.slice(0, own + 1).map(entry),
    older: links.slice(own + 1, own + 1 + SHOWN_OLDER).map(entry),
  };
}
