import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type DumpOptions, dumpStore } from '../../../src/cli/log/dump.ts';
import { WHEEL_SLOTS } from '../../../src/delivery/timer/timer-layout.ts';
import { nativeDisk } from '../../../src/store/disk/native-disk.ts';
import { TimerRig } from '../delivery/timer-support.ts';
import { logFile, makeStore, patch, queueFile, removeStore, type TestStore } from './store-support.ts';

const test = suite<{ store: TestStore }>('log dump');

test.before(async (context) => {
  context.store = await makeStore();
});

test.after(({ store }) => removeStore(store));

function dumped(store: TestStore, options: DumpOptions): string {
  let text = '';
  dumpStore(nativeDisk, store.root, options, (part) => {
    text += part;
  });
  return text;
}

function objects(store: TestStore, options: DumpOptions): Record<string, unknown>[] {
  return dumped(store, { ...options, json: true })
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

test('every file of the store is shown, with what it is', ({ store }) => {
  const text = dumped(store, {});
  const files = [...text.matchAll(/^== (\S+)$/gm)].map((match) => match[1]);
  assert.equal(files.slice(0, 3), ['checkpoint', 'lock', 'ringmq.boot']);
  assert.ok(files.includes('commitlog/00000000000000000000'));
  assert.ok(files.includes(`consumequeue/Events/1/${'0'.repeat(20)}`));
  assert.ok(files.some((file) => /^index\/\d{17}$/.test(file ?? '')));
  assert.match(text, /… and more/);
});

test('a record field by field, with offsets and meanings', ({ store }) => {
  const text = dumped(store, { from: store.positions[1] as number, limit: 1 });
  assert.match(text, new RegExp(`^record at ${store.positions[1]}$`, 'm'));
  assert.match(text, /^ +0 {2}totalSize +2\d{3} +bytes of the whole record$/m);
  assert.match(text, /^ +4 {2}magic +0xdaa320a7 +V1/m);
  assert.match(text, /bodyCrc +0x[0-9a-f]{8} +CRC-32 of the body & 0x7fffffff: holds/);
  assert.match(text, /storeTimestamp +1760\d+ +2025-10-09T/);
  assert.match(text, /bornHost +10\.0\.0\.1:4711/);
  assert.match(text, /body +"message 1 message 1/);
  assert.match(text, /topic +Events/);
  assert.match(text, /property TAGS +tag1/);
});

test('records as JSON, from a position on, as many as asked for', ({ store }) => {
  const from = store.positions[7] as number;
  const records = objects(store, { from: from - 5, limit: 3, file: 'commitlog/00000000000000000000' });
  assert.equal(
    records.map(({ at }) => at),
    store.positions.slice(7, 10),
  );
  assert.is(records[0]?.['topic'], 'Events');
  assert.is(records[0]?.['property KEYS'], 'key7 other2');
});

test('BLANK and damage are shown as what they are', ({ store }) => {
  const all = objects(store, { file: 'commitlog/00000000000000000000', limit: 0 });
  assert.is(all.at(-1)?.['what'], 'BLANK');
  const position = store.positions[3] as number;
  const { path, at } = logFile(store, position);
  patch(path, at + 4, Buffer.alloc(1));
  const [damage] = objects(store, { from: position, limit: 1 });
  patch(path, at + 4, Buffer.from([0xda]));
  assert.equal(damage, {
    file: 'commitlog/00000000000000000000',
    what: 'no record',
    at: position,
    reason: 'no magic',
    'next sound record': store.positions[4],
  });
});

test('the queues of a topic, from an offset on', ({ store }) => {
  const entries = objects(store, { topic: 'Events', queue: 1, from: 38 });
  assert.equal(
    entries.map(({ what, at, file }) => [what, at, file]),
    [
      ['entry 38', 760, `consumequeue/Events/1/${'0'.repeat(20)}`],
      ['entry 39', 780, `consumequeue/Events/1/${'0'.repeat(20)}`],
    ],
  );
  const index = store.positions.indexOf(Number(entries[1]?.['physicalOffset']));
  assert.is(index % 3, 1);
});

test('index entries and the checkpoint', ({ store }) => {
  const [header, first] = objects(store, {}).filter(({ file }) => String(file).startsWith('index/'));
  assert.is(header?.['beginPhyOffset'], 0);
  assert.is(first?.['what'], 'entry 1');
  assert.is(first?.['previous'], 0);
  const [checkpoint] = objects(store, { file: 'checkpoint' });
  assert.is(checkpoint?.['logicsPhysicalOffset'], store.positions.at(-1));
});

test('bytes in hex; a file by its path', ({ store }) => {
  const text = dumped(store, { file: queueFile(store, 'Orders', 0), hex: true, limit: 1 });
  assert.match(text, /^ +0 {2}00 00 00 00 00 00 00 00 00 00 /m);
  const [entry] = objects(store, { topic: 'Orders', hex: true, limit: 1 });
  assert.match(String(entry?.['hex']), /^[0-9a-f]{40}$/);
});

test('what does not exist is named', ({ store }) => {
  assert.throws(() => dumped(store, { file: 'commitlog/5' }), /has no such file: commitlog\/5/);
  assert.throws(
    () => dumped(store, { topic: 'Nobody', queue: 3 }),
    /has no such file: topic Nobody, queue 3/,
  );
  const nowhere = { ...store, root: join(store.root, 'nowhere') };
  assert.throws(() => dumped(nowhere, {}), /is not a directory/);
});

test('the files of timed messages, field by field', async () => {
  const rig = new TimerRig({ wheelSlots: WHEEL_SLOTS, mappedFileSizeTimerLog: 52 * 3 + 16 });
  for (const at of [5_250, 5_500, 9_250, 9_500]) rig.at(`m${at}`, rig.time.now() + at);
  rig.recall('m5500', rig.time.now() + 5_000);
  await rig.time.advance(100);
  await rig.stop();
  rig.disk.makeDirectory('/store/commitlog');
  let text = '';
  dumpStore(rig.disk, '/store', {}, (part) => {
    text += part;
  });
  assert.match(text, /^== timerwheel$/m);
  assert.match(
    text,
    /slot at \d+: time 1700000005 \(.*2023-11-14T22:13:25.000Z.*\), first 0, last 224 .*count 1/,
  );
  assert.match(
    text,
    /unit at 52: magic 1 \(message\), .*due 1700000005500 \(2023-11-14T22:13:25.500Z\).*previous 0/,
  );
  assert.match(text, /unit at 224: magic 5 \(recalls\)/);
  assert.match(text, /BLANK at 156: size 16/);
  assert.match(text, /lastTimerQueueOffset +5 +entries of rmq_sys_wheel_timer/);
  assert.match(text, /readSlot +1700000002/);
});

test.run();
