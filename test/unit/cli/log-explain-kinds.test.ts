/** Explained: holes, expired messages, second queues, IPv6; and the checks of `log check`. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkStore } from '../../../src/cli/log/check.ts';
import { CHECKS, type CheckName, checksOf } from '../../../src/cli/log/explain/checks.ts';
import { recordFields } from '../../../src/cli/log/record-fields.ts';
import { storeAt } from '../../../src/cli/log/store-files.ts';
import { liteQueueOf } from '../../../src/lib/lite-names.ts';
import { encodeRecord, withHostFlags } from '../../../src/record/encode.ts';
import { nativeDisk } from '../../../src/store/disk/native-disk.ts';
import { PAGE } from '../../sim/sim-file.ts';
import { bodyFor, headFor, LOG, ROOT, smallStore } from '../../support/messages.ts';
import { explained, explainedLines } from './explain-support.ts';
import {
  bytesAt,
  FILE_SIZE,
  logFile,
  makeStore,
  patch,
  queueFile,
  removeStore,
  type TestStore,
} from './store-support.ts';

const test = suite('explained kinds');

test('a message of two queues is found in both', () => {
  const { store, disk, clock } = smallStore();
  const lite = liteQueueOf('parent', 'x');
  clock.time += 1000;
  store.append('parent', headFor(0), Buffer.from('other'), '');
  const { physicalOffset } = store.appendTwice('parent', headFor(0), Buffer.from('both'), new Map(), lite);
  store.flush();
  store.dispatch();
  const lines = explainedLines(ROOT, { at: String(physicalOffset) }, disk);
  const entries = lines
    .filter(({ what }) => /^entry /.test(String(what)))
    .map(({ file, what, at }) => [file, what, at]);
  const name = '0'.repeat(20);
  assert.equal(entries, [
    [`consumequeue/parent/0/${name}`, 'entry 1', 20],
    [`consumequeue/${lite}/0/${name}`, 'entry 0', 0],
  ]);
  assert.match(
    explained(ROOT, { at: String(physicalOffset) }, disk).text,
    /neither key nor tag, so it is not in the index/,
  );
});

test('what recovery has put in place of damage says so, and what it has kept is shown', () => {
  const first = smallStore();
  for (let i = 0; i < 10; i++) first.store.append('T', headFor(0), bodyFor(PAGE, 'T'), '');
  first.store.flush();
  first.store.dispatch();
  const bytes = first.disk.bytesOf(`${LOG}/${'0'.repeat(20)}`);
  bytes.fill(0xee, 3 * PAGE + 1000, 3 * PAGE + 1064);
  bytes.fill(0xee, 6 * PAGE, 7 * PAGE);
  first.disk.kill();
  smallStore({}, first.disk);
  // The simulated disk names its boots in another way than a kernel.
  const lines = explainedLines(ROOT, { limit: 0 }, first.disk).filter(({ file }) => file !== 'ringmq.boot');
  assert.equal(
    lines.flatMap(({ file, damage = [] }) => damage.map(({ at, text }) => [file, at, text])),
    [
      [
        `consumequeue/T/0/${'0'.repeat(20)}`,
        120,
        `points to ${6 * PAGE}: its message was lost in damage that has been filled`,
      ],
    ],
  );
  const at = (position: number) =>
    lines.find(({ file, at }) => at === position && /^commitlog\/0/.test(String(file)));
  assert.is(at(3 * PAGE)?.['damaged at'], String(3 * PAGE));
  assert.is(at(6 * PAGE)?.['fills'], 'a hole');
  const kept = lines.filter(({ file, what }) => /ringmq\.cut/.test(String(file)) && what !== undefined);
  const fields = kept.flatMap(({ explained: list }) => list as { name: string; value: unknown }[]);
  assert.is(fields.find(({ name }) => name === 'topic')?.value, 'T', 'its fields as far as they were kept');
  assert.match(explained(ROOT, { at: String(6 * PAGE) }, first.disk).text, /it enters no queue/);
});

test('hosts of IPv6, and by what a body is compressed', () => {
  const v6 = { address: Uint8Array.from([0xfe, 0x80, ...new Array(13).fill(0), 1]), port: 10911 };
  const sysFlag = withHostFlags(0x201, v6, v6);
  const head = headFor(0, { bornHost: v6, storeHost: v6, sysFlag });
  const record = encodeRecord(head, Buffer.from('t'), Buffer.from('b'), new Uint8Array(0));
  const fields = new Map(recordFields(record, true).map((field) => [field.name, field]));
  assert.is(fields.get('storeHost')?.value, '[fe80:0:0:0:0:0:0:1]:10911');
  assert.is(fields.get('storeHost')?.at, 76);
  assert.is(
    fields.get('sysFlag')?.meaning,
    'body compressed by Zstandard, bornHost is IPv6, storeHost is IPv6',
  );
});

test('entries of messages that have expired', async () => {
  const store = await makeStore();
  try {
    rmSync(join(store.root, 'commitlog', '0'.repeat(20)));
    const { text, damages } = explained(store.root, { topic: 'Orders', limit: 1 });
    assert.is(damages, 0, text);
    assert.match(text, new RegExp(`in front of the log \\(${FILE_SIZE}\\): the message has expired`));
  } finally {
    removeStore(store);
  }
});

function checkedLines(store: TestStore, form: { explain?: boolean; json?: boolean }): string[] {
  const lines: string[] = [];
  checkStore(nativeDisk, store.root, form, (line) => lines.push(line));
  return lines;
}

test('log check says what it looks at in front of each part, and why below what is wrong', async () => {
  const store = await makeStore();
  try {
    const position = store.positions[3] as number;
    patch(logFile(store, position).path, position + 500, Buffer.from([0]));
    patch(queueFile(store, 'Events', 1), 60, Buffer.alloc(20));
    const plain = checkedLines(store, {});
    const text = checkedLines(store, { explain: true });
    assert.equal(
      plain.filter((line) => !text.includes(line)),
      [],
      'nothing is left out',
    );
    const at = (pattern: RegExp) => text.findIndex((line) => pattern.test(line));
    assert.ok(at(/^\nCommitLog: what is checked now, and why$/) < at(/^ {2}log-body /));
    assert.ok(at(/^ {2}log-body /) < at(/^WRONG commitlog/));
    assert.match(text[at(/^ {8}at \d+: the body/) + 1] ?? '', /^ {10}log-body: The only checksum/);
    assert.ok(
      at(/^ok .*commitlog/) < at(/^\nConsumeQueues: /),
      'the next part comes when the one before is done',
    );
    const lines = checkedLines(store, { explain: true, json: true }).map((line) => JSON.parse(line));
    const problems = lines.flatMap(({ problems = [] }) => problems as { check: CheckName; why: string }[]);
    assert.equal(
      problems.map(({ check }) => check),
      ['log-body', 'queue-entries'],
    );
    for (const { check, why } of problems) assert.is(why, CHECKS[check].why);
    const told = lines.flatMap(({ part, checks = [] }) =>
      part === undefined ? [] : [[part, checks.length]],
    );
    assert.equal(told.slice(0, 3), [
      ['CommitLog', checksOf('CommitLog').length],
      ['ConsumeQueues', checksOf('ConsumeQueues').length],
      ['Index', checksOf('Index').length],
    ]);
    assert.equal(lines.at(-1)?.count, 2);
  } finally {
    removeStore(store);
  }
});

test('a file leads to the store that it is in', async () => {
  const store = await makeStore();
  try {
    const { root } = store;
    const file = queueFile(store, 'Events', 1);
    assert.equal(storeAt(nativeDisk, file), { root, file });
    assert.equal(storeAt(nativeDisk, root), { root });
    assert.ok(bytesAt(file, 0, 20).length === 20);
    assert.throws(
      () => storeAt(nativeDisk, '/proc/self/status'),
      /is not in a store.*--file status.*--commitlog/,
    );
  } finally {
    removeStore(store);
  }
});

test.run();
