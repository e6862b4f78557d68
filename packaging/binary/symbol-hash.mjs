/**
 * The tables by which the dynamic loader finds the symbols of an ELF file (DT_GNU_HASH, DT_SYMTAB; 64 bit, little
 * endian). Who puts something into a file moves what is in it, and has to write both anew. That may go wrong: the program
 * then runs, and addons do not find Node's functions in it, or something else in their place.
 */
import { SetupError } from '../lib/errors.mjs';

const HEADER = { segments: 32, segmentSize: 54, segmentCount: 56 };
const LOADED = 1;
const DYNAMIC = 2;
const TAGS = { strings: 5n, symbols: 6n, hash: 0x6ffffef5n };
const SYMBOL_BYTES = 24;
const SYMBOL = { section: 6, value: 8 };
/** What addons look for. */
const PROBES = ['napi_create_function', 'napi_fatal_error', 'napi_module_register', 'napi_wrap'];

/**
 * The file as it is where Node's functions are found in their places; else with the tables of the one that it was made
 * of, and the places moved as far as everything has moved.
 */
export function withSymbolHash(file, original) {
  const [from, to] = [tableOf(original), tableOf(file)];
  const moved = to.address - from.address;
  if (agrees(to, from, moved)) return file;
  const mended = Buffer.from(file);
  original.copy(mended, to.begin, from.begin, from.end);
  const { count } = from;
  for (let index = 0; index < count; index++) {
    const value = original.readBigUInt64LE(from.entryAt(index) + SYMBOL.value);
    const isDefined = original.readUInt16LE(from.entryAt(index) + SYMBOL.section) !== 0;
    if (isDefined) mended.writeBigUInt64LE(value + moved, to.entryAt(index) + SYMBOL.value);
  }
  if (agrees(tableOf(mended), from, moved)) return mended;
  throw new SetupError('Node.js was changed so that its functions are not found in it any more.');
}

function agrees(table, from, moved) {
  return PROBES.every((name) => {
    const place = from.find(name);
    return place !== undefined && table.find(name) === place + moved;
  });
}

function tableOf(file) {
  const segments = segmentsOf(file);
  const placeOf = (address) => {
    const segment = segments.find(
      ({ type, start, bytes }) => type === LOADED && address >= start && address < start + bytes,
    );
    if (segment === undefined) throw new SetupError('The program of Node.js has a table outside of itself.');
    return Number(address - segment.start + segment.offset);
  };
  const tags = tagsOf(
    file,
    segments.find(({ type }) => type === DYNAMIC),
  );
  const [begin, strings, symbols] = [TAGS.hash, TAGS.strings, TAGS.symbols].map((tag) =>
    placeOf(tags.get(tag) ?? 0n),
  );
  const entryAt = (index) => symbols + index * SYMBOL_BYTES;
  const [buckets, firstSymbol, words] = [0, 4, 8].map((at) => file.readUInt32LE(begin + at));
  const bucketsAt = begin + 16 + words * 8;
  const chainAt = bucketsAt + buckets * 4 - firstSymbol * 4;
  const nameOf = (index) => {
    const at = strings + file.readUInt32LE(entryAt(index));
    return file.toString('latin1', at, file.indexOf(0, at));
  };
  const isLast = (index) => (file.readUInt32LE(chainAt + index * 4) & 1) === 1;
  const count = () => {
    let last = 0;
    for (let i = 0; i < buckets; i++) last = Math.max(last, file.readUInt32LE(bucketsAt + i * 4));
    while (!isLast(last)) last++;
    return last + 1;
  };
  return {
    begin,
    entryAt,
    address: tags.get(TAGS.symbols),
    get count() {
      return count();
    },
    get end() {
      return chainAt + count() * 4;
    },
    /** Address of a symbol; undefined when it is not found. */
    find: (name) => {
      const hash = hashOf(name);
      let index = file.readUInt32LE(bucketsAt + (hash % buckets) * 4);
      if (index < firstSymbol || !mayHave(file, begin + 16, words, file.readUInt32LE(begin + 12), hash))
        return undefined;
      while (nameOf(index) !== name && !isLast(index)) index++;
      return nameOf(index) === name ? file.readBigUInt64LE(entryAt(index) + SYMBOL.value) : undefined;
    },
  };
}

/** By the filter before the buckets, of `words` words. */
function mayHave(file, filterAt, words, shift, hash) {
  const word = file.readBigUInt64LE(filterAt + ((hash >>> 6) % words) * 8);
  const bit = (number) => (word >> BigInt(number & 63)) & 1n;
  return bit(hash) === 1n && bit(hash >>> shift) === 1n;
}

function hashOf(name) {
  let hash = 5381;
  for (const byte of Buffer.from(name)) hash = (Math.imul(hash, 33) + byte) >>> 0;
  return hash;
}

function segmentsOf(file) {
  const begin = Number(file.readBigUInt64LE(HEADER.segments));
  const size = file.readUInt16LE(HEADER.segmentSize);
  return Array.from({ length: file.readUInt16LE(HEADER.segmentCount) }, (_, i) => {
    const at = begin + i * size;
    return {
      type: file.readUInt32LE(at),
      offset: file.readBigUInt64LE(at + 8),
      start: file.readBigUInt64LE(at + 16),
      bytes: file.readBigUInt64LE(at + 32),
    };
  });
}

function tagsOf(file, { offset }) {
  const tags = new Map();
  for (let at = Number(offset); ; at += 16) {
    const tag = file.readBigUInt64LE(at);
    if (tag === 0n) return tags;
    tags.set(tag, file.readBigUInt64LE(at + 8));
  }
}
