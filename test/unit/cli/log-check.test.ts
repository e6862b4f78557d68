import { readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkStore } from '../../../src/cli/log/check.ts';
import type { Problem } from '../../../src/cli/log/report.ts';
import { WHEEL_SLOTS } from '../../../src/delivery/timer/timer-layout.ts';
import { TimerRig } from '../delivery/timer-support.ts';
import {
  bytesAt,
  checked,
  endOf,
  FILE_SIZE,
  logFile,
  makeStore,
  patch,
  queueFile,
  removeStore,
  SLOTS,
  type TestStore,
} from './store-support.ts';

interface Context {
  store: TestStore;
}

const test = suite<Context>('log check');

test.before.each(async (context) => {
  context.store = await makeStore();
});

test.after.each(({ store }) => removeStore(store));

function only(problems: readonly Problem[], file: string, at: number, text: RegExp): void {
  assert.is(problems.length, 1, JSON.stringify(problems, undefined, 1));
  assert.is(problems[0]?.file, file);
  assert.is(problems[0]?.at, at);
  assert.match(problems[0]?.text ?? '', text);
}

function indexFile(store: TestStore): string {
  const directory = join(store.root, 'index');
  return join(directory, readdirSync(directory).sort()[0] as string);
}

test('a sound store has no problem', ({ store }) => {
  const { count, lines } = checked(store);
  assert.is(count, 0, lines.join('\n'));
  assert.match(
    lines.at(-1) ?? '',
    /^120 records in \d CommitLog files, 120 entries in 3 queues, \d+ keys in \d index files: nothing wrong\.$/,
  );
});

test('store times of a clock that was ahead are no damage; those that go back a little are', ({ store }) => {
  const stamp = (i: number, change: number) => {
    const { path, at } = logFile(store, store.positions[i] as number);
    const bytes = bytesAt(path, at + 56, 8);
    bytes.writeBigInt64BE(bytes.readBigInt64BE() + BigInt(change));
    patch(path, at + 56, bytes);
  };
  for (const i of [40, 41, 42]) stamp(i, 365 * 24 * 3_600_000);
  const { count, lines } = checked(store);
  assert.is(count, 0, lines.join('\n'));
  assert.is(lines.filter((line) => /store times go back by \d+ ms/.test(line)).length, 1);
  stamp(80, -1000);
  const at = store.positions[80] as number;
  only(
    checked(store).problems,
    `commitlog/${logFile(store, at).path.slice(-20)}`,
    at,
    /stored 993 ms before/,
  );
});

test('a check changes nothing', ({ store }) => {
  const files = readdirSync(store.root, { recursive: true, withFileTypes: true }).filter((file) =>
    file.isFile(),
  );
  const contents = () =>
    files.map((file) => readFileSync(join(file.parentPath, file.name)).toString('base64'));
  const before = contents();
  checked(store);
  assert.equal(contents(), before);
});

test('a flipped byte in a body', ({ store }) => {
  const position = store.positions[10] as number;
  const { path, at } = logFile(store, position);
  patch(path, at + 100, Buffer.from([0xff]));
  only(checked(store).problems, 'commitlog/00000000000000000000', position, /CRC differs/);
});

test('a record that names another position', ({ store }) => {
  const position = store.positions[10] as number;
  const { path, at } = logFile(store, position);
  patch(path, at + 35, Buffer.from([(bytesAt(path, at + 35, 1)[0] as number) ^ 1]));
  const { problems } = checked(store);
  assert.is(problems[0]?.at, position);
  assert.match(problems[0]?.text ?? '', /says it belongs elsewhere.*next sound record is at/);
  assert.ok(
    problems.some(({ file, text }) => file.startsWith('consumequeue') && /names another position/.test(text)),
  );
});

test('a record whose size is wrong', ({ store }) => {
  const position = store.positions[20] as number;
  const { path, at } = logFile(store, position);
  patch(path, at + 2, Buffer.from([0x7f]));
  const { problems } = checked(store);
  assert.is(problems[0]?.at, position);
  assert.match(problems[0]?.text ?? '', new RegExp(`next sound record is at ${store.positions[21]}`));
});

test('zeros in the middle of the log', ({ store }) => {
  const position = store.positions[30] as number;
  const { path, at } = logFile(store, position);
  patch(path, at, Buffer.alloc((store.positions[31] as number) - position));
  const { problems } = checked(store);
  assert.match(problems[0]?.text ?? '', /zeros in the middle of the log/);
});

test('store times that step back', ({ store }) => {
  const position = store.positions[40] as number;
  const { path, at } = logFile(store, position);
  patch(path, at + 61, Buffer.from([0]));
  const { problems } = checked(store);
  assert.is(problems[0]?.at, position);
  assert.match(problems[0]?.text ?? '', /ms before the record in front/);
});

test('stale bytes behind the tail', ({ store }) => {
  const { path, at } = logFile(store, store.end);
  patch(path, at + 5000, Buffer.from([1]));
  only(
    checked(store).problems,
    `commitlog/${path.slice(-20)}`,
    store.end + 5000,
    /behind the end of the log .* not zero/,
  );
});

test('a stale record behind the tail', ({ store }) => {
  const source = logFile(store, store.positions[0] as number);
  const { path, at } = logFile(store, store.end);
  patch(path, at, bytesAt(source.path, source.at, endOf(store, 0)));
  const { problems } = checked(store);
  assert.match(problems[0]?.text ?? '', /behind the end of the log .* belongs elsewhere/);
});

test('a file that ends without BLANK', ({ store }) => {
  const last = store.positions.findLast((position) => position < FILE_SIZE) as number;
  const end = endOf(store, last);
  patch(logFile(store, 0).path, end, Buffer.alloc(8));
  const { problems } = checked(store);
  only(problems, 'commitlog/00000000000000000000', end, /without BLANK/);
});

test('a BLANK of the wrong size', ({ store }) => {
  const last = store.positions.findLast((position) => position < FILE_SIZE) as number;
  const at = endOf(store, last);
  patch(logFile(store, 0).path, at + 3, Buffer.from([1]));
  assert.is(checked(store).problems[0]?.at, at);
});

test('files that are missing, too short or do not belong', ({ store }) => {
  const commitLog = join(store.root, 'commitlog');
  writeFileSync(join(commitLog, 'notes.txt'), 'hello');
  only(checked(store).problems, 'commitlog/notes.txt', 0, /does not belong here/);
  rmSync(join(commitLog, 'notes.txt'));
  truncateSync(logFile(store, FILE_SIZE).path, FILE_SIZE - 4096);
  const short = checked(store).problems;
  assert.ok(
    short.some(({ text }) => /bytes, the others have/.test(text)),
    JSON.stringify(short),
  );
  truncateSync(logFile(store, FILE_SIZE).path, FILE_SIZE);
  renameSync(logFile(store, FILE_SIZE).path, join(commitLog, String(5 * FILE_SIZE).padStart(20, '0')));
  assert.ok(checked(store).problems.some(({ text }) => /missing in front/.test(text)));
});

test('a hole in a queue', ({ store }) => {
  patch(queueFile(store, 'Orders', 0), 5 * 20, Buffer.alloc(2 * 20));
  only(checked(store).problems, `consumequeue/Orders/0/${'0'.repeat(20)}`, 5, /entries 5 to 6 are missing/);
});

test('an entry that points to no record', ({ store }) => {
  patch(queueFile(store, 'Orders', 0), 5 * 20 + 7, Buffer.from([1]));
  const { problems } = checked(store);
  assert.match(problems[0]?.text ?? '', /entry 5 points to \d+: no magic/);
});

test("an entry of another queue's record", ({ store }) => {
  const other = bytesAt(queueFile(store, 'Events', 1), 5 * 20, 20);
  patch(queueFile(store, 'Events', 0), 5 * 20, other);
  assert.match(checked(store).problems[0]?.text ?? '', /belongs to queue 1/);
  patch(queueFile(store, 'Orders', 0), 5 * 20, other);
  assert.ok(checked(store).problems.some(({ text }) => /another topic/.test(text)));
});

test('entries out of order, of the wrong size, or with the wrong tag', ({ store }) => {
  const path = queueFile(store, 'Orders', 0);
  const original = bytesAt(path, 0, 200);
  patch(path, 5 * 20, original.subarray(3 * 20, 4 * 20));
  assert.ok(checked(store).problems.some(({ text }) => /is number 3$/.test(text)));
  patch(path, 0, original);
  patch(path, 5 * 20 + 11, Buffer.from([1]));
  assert.match(checked(store).problems[0]?.text ?? '', /the entry says/);
  patch(path, 0, original);
  patch(path, 5 * 20 + 19, Buffer.from([1]));
  assert.match(checked(store).problems[0]?.text ?? '', /its tag has the hash/);
});

test('a queue that ends too early: wrong after a clean stop, a note while the store is open', ({ store }) => {
  const path = queueFile(store, 'Orders', 0);
  patch(path, 39 * 20, Buffer.alloc(20));
  only(checked(store).problems, `consumequeue/Orders/0/${'0'.repeat(20)}`, 39, /the queue ends at 39/);
  writeFileSync(join(store.root, 'abort'), '1');
  const { count, lines } = checked(store);
  assert.is(count, 0);
  assert.ok(lines.some((line) => line.startsWith('note ') && line.includes('Orders/0')));
});

test('a broken chain in the index', ({ store }) => {
  const path = indexFile(store);
  patch(path, 40 + SLOTS * 4 + 9 * 20 + 16, Buffer.from([0, 0, 0, 200]));
  const { problems } = checked(store);
  assert.match(problems[0]?.text ?? '', /entry 9 goes on to entry 200/);
});

test('a slot, a position, a hash and a count of the index that are wrong', ({ store }) => {
  const path = indexFile(store);
  const original = readFileSync(path);
  const damage = (at: number, bytes: number[]): string => {
    writeFileSync(path, original);
    patch(path, at, Buffer.from(bytes));
    return checked(store)
      .problems.map(({ text }) => text)
      .join('\n');
  };
  const entry = 40 + SLOTS * 4 + 20;
  assert.match(damage(40, [0x7f, 0, 0, 0]), /slot 0 names entry/);
  assert.match(damage(entry + 11, [0x01]), /entry 1 points to \d+: no magic/);
  assert.match(damage(entry + 3, [0x55]), /has no key with the hash/);
  assert.match(damage(entry, [0xff]), /negative hash/);
  assert.match(damage(36, [0x7f, 0, 0, 0]), /room for/);
  assert.match(damage(32, [0x01]), /slots in use, there are/);
  assert.match(damage(23, [0x05]), /header begins at/);
});

test('index files of an unusual shape', async () => {
  const other = await makeStore({ maxHashSlotNum: 37, maxIndexNum: 1000 });
  try {
    const { count, lines } = checked(other);
    assert.is(count, 0, lines.join('\n'));
    assert.ok(lines.some((line) => /480 entries in 37 slots/.test(line)));
  } finally {
    removeStore(other);
  }
});

test('a checkpoint ahead of the log', ({ store }) => {
  const path = join(store.root, 'checkpoint');
  const original = readFileSync(path);
  patch(path, 42, Buffer.from([0x7f]));
  only(checked(store).problems, 'checkpoint', 40, /ahead of the end of the log/);
  writeFileSync(path, original);
  patch(path, 8, Buffer.from([0x01]));
  only(checked(store).problems, 'checkpoint', 8, /ahead of the last record/);
  writeFileSync(path, original);
  patch(path, 47, Buffer.from([1]));
  only(checked(store).problems, 'checkpoint', 40, /no record begins/);
});

test('very many problems of one file are counted, not all shown', ({ store }) => {
  patch(queueFile(store, 'Orders', 0), 0, Buffer.alloc(40 * 20, 0x55));
  const { count, problems, lines } = checked(store);
  assert.ok(count > 20);
  assert.is(problems.filter(({ file }) => file.includes('Orders')).length, 20);
  assert.ok(lines.some((line) => /… and \d+ more/.test(line)));
});

test('a directory without a store is refused with a sentence', ({ store }) => {
  rmSync(join(store.root, 'commitlog'), { recursive: true });
  assert.throws(() => checked(store), /does not exist: name the root directory of a store/);
});

test('the files of timed messages: a chain that leads astray, a unit without record, another size', async () => {
  const rig = new TimerRig({ wheelSlots: WHEEL_SLOTS, mappedFileSizeTimerLog: 52 * 10 + 16 });
  for (const at of [5_250, 5_500, 9_250]) rig.at(`m${at}`, rig.time.now() + at);
  await rig.time.advance(100);
  await rig.stop();
  const { disk } = rig;
  disk.makeDirectory('/store/commitlog');
  const check = () =>
    checkStore(disk, '/store', {}, () => {}).problems.map(({ file, text }) => `${file}: ${text}`);
  // The records are in another store: each unit that waits misses its own.
  assert.equal(
    check().map((text) => text.replace(/ points.*/, '')),
    [
      'timerwheel: unit 52 of slot 1700000005',
      'timerwheel: unit 0 of slot 1700000005',
      'timerwheel: unit 104 of slot 1700000009',
    ],
  );
  disk.bytesOf('/store/timerlog/00000000000000000000').fill(0, 104, 156);
  assert.match(
    check().at(-1) ?? '',
    /slot 1700000009 leads to 104 of the timer log, where no unit of it stands/,
  );
  disk.truncate('/store/timerwheel', 800);
  assert.match(check().at(-1) ?? '', /has 800 bytes, 38707200 belong there/);
  disk.bytesOf('/store/config/timercheck')[8] = 0xff;
  assert.match(check()[0] ?? '', /config\/timercheck: it holds -?\d+, which is no time and no position/);
});

test.run();
