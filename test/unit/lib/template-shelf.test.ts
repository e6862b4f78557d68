import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Template, TemplateShelf } from '../../../src/lib/template-shelf.ts';

const LONGEST = 2_000;
const BYTES = new Uint8Array(LONGEST * 2);
const VIEW = new DataView(BYTES.buffer);

/** Fits what begins with its byte. */
class First implements Template {
  readonly #byte: number;

  constructor(byte: number) {
    this.#byte = byte;
  }

  matches(bytes: Uint8Array, _view: DataView, from: number): boolean {
    return bytes[from] === this.#byte;
  }
}

test('a template is found by its length, whatever lengths there are', () => {
  const shelf = new TemplateShelf<First>(LONGEST);
  const lengths = [1, 300, 1_999, LONGEST];
  const templates = lengths.map((length) => {
    const template = new First(length & 0xff);
    assert.ok(shelf.wants(length));
    shelf.put(length, template);
    return template;
  });
  for (const [i, length] of lengths.entries()) {
    BYTES[7] = length & 0xff;
    assert.is(shelf.find(BYTES, VIEW, 7, length), templates[i]);
    assert.is(shelf.find(BYTES, VIEW, 8, length), undefined, 'another text');
    assert.is(shelf.find(BYTES, VIEW, 7, length - 1), undefined, 'another length');
  }
});

test('what is longer has no template, and wants none', () => {
  const shelf = new TemplateShelf<First>(LONGEST);
  for (const length of [LONGEST + 1, LONGEST * 2]) {
    assert.not(shelf.wants(length));
    assert.is(shelf.find(BYTES, VIEW, 0, length), undefined);
  }
});

test('the shelf is bounded: when it is full it begins anew', () => {
  const shelf = new TemplateShelf<First>(LONGEST);
  for (let length = 1; length <= 512; length++) shelf.put(length, new First(0));
  BYTES[0] = 0;
  assert.ok(shelf.find(BYTES, VIEW, 0, 1));
  shelf.put(600, new First(0));
  assert.ok(shelf.find(BYTES, VIEW, 0, 600));
  for (let length = 1; length <= 512; length++) assert.is(shelf.find(BYTES, VIEW, 0, length), undefined);
});

test('of one length four are kept, and one in 32 of the unknown ones takes the place of another', () => {
  const shelf = new TemplateShelf<First>(LONGEST);
  for (let i = 0; i < 4; i++) {
    assert.ok(shelf.wants(10));
    shelf.put(10, new First(i));
  }
  const wanted = Array.from({ length: 64 }, () => shelf.wants(10));
  assert.is(wanted.filter(Boolean).length, 2);
});

test('of unknown texts of ever new lengths 64 get a template at once, then one in 32, however full the shelf is', () => {
  const shelf = new TemplateShelf<First>(LONGEST);
  const made = (texts: number) => {
    let count = 0;
    for (let i = 0; i < texts; i++) {
      const length = 1 + ((i * 37) % LONGEST);
      if (shelf.find(BYTES, VIEW, 0, length) !== undefined || !shelf.wants(length)) continue;
      // Whether one is made of it or not.
      if (i % 3 > 0) shelf.put(length, new First(1));
      count++;
    }
    return count;
  };
  BYTES[0] = 0;
  assert.is(made(1_000), 64 + Math.floor(1_000 / 32));
  // Nothing is left over, and more than the shelf holds are made.
  assert.is(made(32_000), 1_000);
  // What is earned and not used adds up to no more than there was at first.
  for (let i = 0; i < 32_000; i++) shelf.wants(1);
  assert.ok(made(1_000) <= 64 + 32);
});

test('a length whose templates never fit is seldom compared with them, until one fits', () => {
  const shelf = new TemplateShelf<First>(LONGEST);
  let compared = 0;
  class Counting extends First {
    override matches(bytes: Uint8Array, view: DataView, from: number): boolean {
      compared++;
      return super.matches(bytes, view, from);
    }
  }
  for (let i = 1; i <= 4; i++) shelf.put(10, new Counting(i));
  const find = (byte: number, times: number) => {
    BYTES[0] = byte;
    let found = 0;
    for (let i = 0; i < times; i++) if (shelf.find(BYTES, VIEW, 0, 10) !== undefined) found++;
    return found;
  };
  assert.is(find(9, 1_600), 0);
  assert.is(compared, 4 * (64 + (1_600 - 64) / 16));
  // One that fits is met within 16, and from then on each is.
  assert.ok(find(1, 16) > 0);
  assert.is(find(1, 1_000), 1_000);
  // Those that fit now and then keep it so.
  for (let i = 0; i < 100; i++) assert.is(find(9, 60) + find(2, 1), 1);
  // The counts of other lengths are their own.
  shelf.put(11, new Counting(1));
  find(9, 1_600);
  BYTES[0] = 1;
  assert.ok(shelf.find(BYTES, VIEW, 0, 11));
});

test.run();
