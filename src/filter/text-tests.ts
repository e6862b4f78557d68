/**
 * Tests of a property's text against one that the filter names, over the stored UTF-8. A text that bytes cannot stand
 * for (half a surrogate pair, or U+FFFD, which a value gets for what is no UTF-8) is compared as a string instead.
 */
import type { SearchWay } from './expression.ts';
import type { PropertyRow } from './property-row.ts';

/** Of a property that is there. */
export type TextTest = (row: PropertyRow, slot: number) => boolean;

/** Whether UTF-8 in place says all about `text`. */
export function isPlain(text: string): boolean {
  return !/[\p{Surrogate}\ufffd]/u.test(text);
}

export function textEquals(text: string): TextTest {
  const wanted = Buffer.from(text);
  const { length } = wanted;
  if (!isPlain(text)) {
    // U+FFFD has three bytes and stands for up to three of them, so no longer value can be equal.
    return (row, slot) => lengthOf(row, slot) <= length && row.text(slot) === text;
  }
  return (row, slot) => lengthOf(row, slot) === length && isAt(row.bytes, row.from[slot] as number, wanted);
}

/** By length: most values fall out by it, and the others are compared with those of their own. */
export function textIsOneOf(texts: readonly string[]): TextTest {
  const odd = texts.filter((text) => !isPlain(text)).map(textEquals);
  const plain = [...new Set(texts.filter(isPlain))].map((text) => Buffer.from(text)).sort(Buffer.compare);
  const byLength = new Map<number, Uint8Array[]>();
  for (const bytes of plain) {
    const others = byLength.get(bytes.length);
    if (others === undefined) byLength.set(bytes.length, [bytes]);
    else others.push(bytes);
  }
  return (row, slot) => {
    const candidates = byLength.get(lengthOf(row, slot));
    if (candidates !== undefined && isAmong(candidates, row, slot)) return true;
    for (const test of odd) if (test(row, slot)) return true;
    return false;
  };
}

export function textSearch(way: SearchWay, text: string): TextTest {
  if (!isPlain(text)) return stringSearch(way, text);
  const wanted = Buffer.from(text);
  const { length } = wanted;
  switch (way) {
    case 'STARTSWITH':
      return (row, slot) =>
        lengthOf(row, slot) >= length && isAt(row.bytes, row.from[slot] as number, wanted);
    case 'ENDSWITH':
      return (row, slot) =>
        lengthOf(row, slot) >= length && isAt(row.bytes, (row.to[slot] as number) - length, wanted);
    default:
      return containing(wanted);
  }
}

function stringSearch(way: SearchWay, text: string): TextTest {
  return (row, slot) => isFound(row.text(slot), way, text);
}

export function isFound(value: string, way: SearchWay, text: string): boolean {
  switch (way) {
    case 'STARTSWITH':
      return value.startsWith(text);
    case 'ENDSWITH':
      return value.endsWith(text);
    default:
      return value.includes(text);
  }
}

/** Knuth, Morris and Pratt: a value is gone through once, whatever it and the text that is looked for are made of. */
function containing(wanted: Uint8Array): TextTest {
  const { length } = wanted;
  const falls = fallsOf(wanted);
  return ({ bytes, from, to }, slot) => {
    const end = to[slot] as number;
    let matched = 0;
    for (let at = from[slot] as number; at < end; at++) {
      const byte = bytes[at] as number;
      while (matched > 0 && wanted[matched] !== byte) matched = falls[matched - 1] as number;
      if (wanted[matched] === byte) matched++;
      if (matched === length) return true;
    }
    return false;
  };
}

/** For each head of `wanted`, how long its longest tail is that is a head too. */
function fallsOf(wanted: Uint8Array): Int32Array {
  const falls = new Int32Array(wanted.length);
  let matched = 0;
  for (let i = 1; i < wanted.length; i++) {
    while (matched > 0 && wanted[matched] !== wanted[i]) matched = falls[matched - 1] as number;
    if (wanted[matched] === wanted[i]) matched++;
    falls[i] = matched;
  }
  return falls;
}

const TRUE_TEXT = Buffer.from('true');
const LOWER_CASE = 0x20;

/** `Boolean.valueOf`: "true" in any case, nothing else. */
export function isTrueText(row: PropertyRow, slot: number): boolean {
  const { bytes } = row;
  const start = row.from[slot] as number;
  if (lengthOf(row, slot) !== TRUE_TEXT.length) return false;
  for (let i = 0; i < TRUE_TEXT.length; i++) {
    if (((bytes[start + i] as number) | LOWER_CASE) !== TRUE_TEXT[i]) return false;
  }
  return true;
}

function lengthOf({ from, to }: PropertyRow, slot: number): number {
  return (to[slot] as number) - (from[slot] as number);
}

function isAt(bytes: Uint8Array, at: number, wanted: Uint8Array): boolean {
  for (let i = 0; i < wanted.length; i++) if (bytes[at + i] !== wanted[i]) return false;
  return true;
}

/** `sorted` are of the value's own length. */
function isAmong(sorted: readonly Uint8Array[], { bytes, from }: PropertyRow, slot: number): boolean {
  const start = from[slot] as number;
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const order = compareAt(sorted[middle] as Uint8Array, bytes, start);
    if (order === 0) return true;
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  return false;
}

function compareAt(own: Uint8Array, bytes: Uint8Array, at: number): number {
  for (let i = 0; i < own.length; i++) {
    const difference = (own[i] as number) - (bytes[at + i] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}
