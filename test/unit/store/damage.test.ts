/**
 * Three things that are not the same: a torn tail, damage with sound records behind it, and odd but whole records.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { APPENDED, LOG_START } from '../../../src/ring/positions.ts';
import { RecordCheck } from '../../../src/store/log/record-check.ts';
import { followLogStart } from '../../../src/store/retention/follow-log.ts';
import { PAGE } from '../../sim/sim-file.ts';
import { bodyFor, headFor, LOG, smallStore } from '../../support/messages.ts';
import { Random } from '../../support/random.ts';

const test = suite('damage in the log');
const FIRST = `${LOG}/00000000000000000000`;
const CUT = `${LOG}/ringmq.cut`;

/** A store with so many messages of a page each in its first file, all durable. */
function filled(count: number, properties = '') {
  const opened = smallStore();
  for (let i = 0; i < count; i++) {
    opened.store.append('T', headFor(0), bodyFor(PAGE, 'T', properties), properties);
  }
  opened.store.flush();
  opened.store.dispatch();
  return opened;
}

/** Queue offset, position and whether the record is the one that was appended, of all messages of T/0. */
function queueOf({ store }: ReturnType<typeof smallStore>) {
  const queue = store.queue('T', 0);
  return queue === undefined ? [] : store.reader.readQueue(queue, 0, 100);
}

test('records with NULs in a property stay, wherever they stand, and nobody is warned', () => {
  for (const count of [1, 3]) {
    for (const cut of ['kill', 'powerCut'] as const) {
      const first = smallStore();
      for (let i = 0; i < count; i++)
        first.store.append('T', headFor(0), Buffer.from('b'), 'KEYS\x01a\0b\x02');
      first.store.flush();
      const end = first.store.positions.get(APPENDED);
      if (cut === 'kill') first.disk.kill();
      else first.disk.powerCut(new Random(1), 0);
      const second = smallStore({}, first.disk);
      assert.is(second.store.positions.get(APPENDED), end, `${count} records, ${cut}`);
      assert.is(queueOf(second).length, count);
      assert.equal(second.warnings, []);
    }
  }
});

test('a page of NULs in the properties is a page that was lost, whatever stands around it', () => {
  const first = smallStore();
  const long = `odd\x01${'x'.repeat(3 * PAGE)}\x02`;
  first.store.append('T', headFor(0), Buffer.from('b'), long);
  first.disk.bytesOf(FIRST).fill(0, PAGE, 2 * PAGE);
  first.disk.syncBytes(FIRST, 0, 68 * 1024);
  first.disk.powerCut(new Random(1), 1);
  const second = smallStore({}, first.disk);
  assert.is(second.store.positions.get(APPENDED), 0);
  assert.match(second.warnings.join(), /cut the log at 0 .* with 0 whole messages are kept/);
});

test('behind a damaged body everything stays, the place keeps its number and says what it is', () => {
  const first = filled(10);
  const bytes = first.disk.bytesOf(FIRST);
  bytes.fill(0xee, 3 * PAGE + 1000, 3 * PAGE + 1064);
  const damaged = bytes.slice(3 * PAGE, 4 * PAGE);
  first.disk.kill();
  const second = smallStore({}, first.disk);
  assert.is(second.store.positions.get(APPENDED), 10 * PAGE);
  assert.equal(
    queueOf(second).map(({ queueOffset, physicalOffset, size }) => [queueOffset, physicalOffset, size]),
    Array.from({ length: 10 }, (_, i) => [i, i * PAGE, PAGE]),
  );
  const record = Buffer.from(second.store.reader.recordAt(3 * PAGE) as Uint8Array);
  assert.ok(record.includes('RINGMQ_DAMAGED\x0112288\x02'));
  assert.is(record.readBigInt64BE(20), 3n, 'its number');
  assert.match(
    second.warnings.join(),
    /damaged at 12288 \(body checksum differs\), and sound again from 16384/,
  );
  const kept = second.disk.bytesOf(`${CUT}/00000000000000012288.cut`);
  assert.ok(kept.length >= PAGE - 2, 'all but the zeros at its end');
  assert.ok(Buffer.from(kept).equals(damaged.subarray(0, kept.length)), 'what stood there is kept');
  second.disk.kill();
  assert.equal(smallStore({}, second.disk).warnings, [], 'the next start finds nothing');
});

test('of neighbours whose bodies are damaged each keeps its own place and number', () => {
  const first = filled(10);
  for (const page of [3, 4, 5]) first.disk.bytesOf(FIRST).fill(0xee, page * PAGE + 1000, page * PAGE + 1064);
  first.disk.kill();
  const second = smallStore({}, first.disk);
  assert.equal(
    queueOf(second).map(({ physicalOffset, size }) => [physicalOffset, size]),
    Array.from({ length: 10 }, (_, i) => [i * PAGE, PAGE]),
  );
  for (const page of [3, 4, 5]) {
    const record = Buffer.from(second.store.reader.recordAt(page * PAGE) as Uint8Array);
    assert.ok(record.includes(`RINGMQ_DAMAGED\x01${page * PAGE}\x02`));
  }
});

test('a hole without any header is filled with records that enter no queue, and its numbers are not given again', () => {
  for (const [from, to] of [
    [3 * PAGE, 5 * PAGE],
    [3 * PAGE + 8, 3 * PAGE + 600],
    [3 * PAGE, 3 * PAGE + 40],
  ] as const) {
    for (const pattern of [0, 0xee]) {
      const first = filled(10);
      first.disk.bytesOf(FIRST).fill(pattern, from, to);
      first.disk.kill();
      const second = smallStore({}, first.disk);
      const what = `${from} to ${to} with ${pattern}`;
      assert.is(second.store.positions.get(APPENDED), 10 * PAGE, what);
      const entries = queueOf(second);
      assert.is(entries.length, 10, what);
      for (const { queueOffset, physicalOffset, size } of entries) {
        const lies = physicalOffset < from - 8 || physicalOffset >= to;
        if (lies) assert.equal([physicalOffset, size], [queueOffset * PAGE, PAGE], what);
        else assert.is(second.store.reader.recordAt(physicalOffset)?.length, size, what);
      }
      assert.is(second.store.append('T', headFor(0), Buffer.from('b'), '').queueOffset, 10, what);
      assert.match(second.warnings.join(), /the log is damaged at 12288/);
    }
  }
});

/** Opens a store again whose queues had been entered and checkpointed, after a power cut and with a page gone. */
async function reopenedWithHole(first: ReturnType<typeof smallStore>, path: string, page: number, gone = '') {
  assert.ok(await first.store.close());
  const again = smallStore({}, first.disk);
  again.store.append('U', headFor(0), bodyFor(PAGE, 'U'), '');
  again.store.flush();
  first.disk.powerCut(new Random(1), 1);
  if (gone !== '') first.disk.remove(gone);
  first.disk.bytesOf(path).fill(0xee, page * PAGE, page * PAGE + 100);
  return smallStore({}, first.disk);
}

test('when the last message of a queue stood in the hole its number is not given again', async () => {
  const first = filled(3);
  first.store.append('U', headFor(0), bodyFor(PAGE, 'U'), '');
  first.store.flush();
  first.store.dispatch();
  const second = await reopenedWithHole(first, FIRST, 2);
  assert.match(second.warnings.join(), /the log is damaged at 8192 .*T\/0 may point to the damage/s);
  assert.is(queueOf(second).length, 3);
  assert.is(second.store.append('T', headFor(0), Buffer.from('b'), '').queueOffset, 3);
});

test('messages that had expired are not taken for ones that stood in the hole', async () => {
  const first = smallStore();
  const { store, disk } = first;
  const topics = ['V', 'V', ...Array.from({ length: 16 }, () => 'T'), 'V'];
  for (const topic of topics) store.append(topic, headFor(0), bodyFor(PAGE, topic), '');
  store.flush();
  store.dispatch();
  await store.checkpoint();
  const second = 68 * 1024;
  store.positions.set(LOG_START, second);
  const queues = ['V', 'T'].map((topic) => ({ topic, queueId: 0, id: store.queue(topic, 0)?.id ?? 0 }));
  followLogStart(disk, store.options, store.directory, queues, second);
  disk.remove(FIRST);
  // The next ledger says what has expired.
  store.append('T', headFor(0), bodyFor(PAGE, 'T'), '');
  store.flush();
  store.dispatch();
  const again = await reopenedWithHole(
    first,
    `${LOG}/${String(second).padStart(20, '0')}`,
    1,
    '/store/consumequeue/V',
  );
  assert.match(again.warnings.join(), /damaged at 73728 .*V\/0 has no files/s);
  const id = again.store.queue('V', 0)?.id ?? 0;
  assert.equal([again.store.directory.minimum(id), again.store.directory.maximum(id)], [2, 3]);
});

test('every record of a filled hole is sound for any reader, and none is of zeros', () => {
  const first = filled(10);
  first.disk.bytesOf(FIRST).fill(0xee, 3 * PAGE, 6 * PAGE - 10);
  first.disk.kill();
  const { disk } = smallStore({}, first.disk);
  const mapping = disk.map(FIRST, 68 * 1024);
  if (typeof mapping === 'number') throw new Error('no file');
  const check = new RecordCheck();
  for (let at = 0; at < 10 * PAGE; at += check.size) assert.ok(check.check(mapping, at, 0), `${at}`);
  for (let at = 3 * PAGE; at < 6 * PAGE; at += 512) {
    assert.ok(
      mapping.bytes.subarray(at, at + 512).some((byte) => byte !== 0),
      `${at}`,
    );
  }
});

test('damage up to the end of a file becomes a BLANK, and the next file goes on', () => {
  const first = smallStore();
  const body = bodyFor(PAGE, 'T');
  for (let i = 0; i < 20; i++) first.store.append('T', headFor(0), body, '');
  first.store.flush();
  first.disk.bytesOf(FIRST).fill(0xee, 14 * PAGE, 68 * 1024);
  first.disk.kill();
  const second = smallStore({}, first.disk);
  assert.is(second.store.positions.get(APPENDED), 68 * 1024 + 4 * PAGE);
  assert.is(queueOf(second).length, 20);
  assert.is(new DataView(second.disk.bytesOf(FIRST).buffer).getInt32(68 * 1024 - 8), 8);
});

test('behind a gap of pages that a power cut took the log ends, and what was there is kept and counted', () => {
  const first = filled(12);
  const bytes = first.disk.bytesOf(FIRST);
  bytes.fill(0, 3 * PAGE, 5 * PAGE);
  const behind = bytes.slice(3 * PAGE, 12 * PAGE);
  first.disk.powerCut(new Random(1), 1);
  const second = smallStore({}, first.disk);
  assert.is(second.store.positions.get(APPENDED), 3 * PAGE);
  assert.match(second.warnings.join(), /cut the log at 12288 .* 36864 bytes with 7 whole messages are kept/);
  const kept = second.disk.bytesOf(`${CUT}/00000000000000012288.cut`);
  assert.ok(Buffer.from(kept).equals(behind));
  assert.ok(
    second.disk
      .bytesOf(FIRST)
      .subarray(3 * PAGE)
      .every((byte) => byte === 0),
  );
});

test('what is neither zeros nor has zeros in it was no lost page: after a power cut, too, the log goes on', () => {
  const first = filled(12);
  first.disk.bytesOf(FIRST).fill(0xee, 3 * PAGE + 100, 3 * PAGE + 164);
  first.disk.powerCut(new Random(1), 1);
  const second = smallStore({}, first.disk);
  assert.is(second.store.positions.get(APPENDED), 12 * PAGE);
  assert.is(queueOf(second).length, 12);
});

test('a record whose first bytes alone a power cut took ends the log, however few they are', () => {
  for (let left = 1; left <= 12; left++) {
    const first = smallStore();
    // The first record ends so many bytes before the end of its page, of which the disk has an older version.
    first.store.append('T', headFor(0), bodyFor(PAGE - left, 'T'), '');
    first.disk.syncBytes(FIRST, 0, PAGE);
    for (let i = 0; i < 3; i++) first.store.append('T', headFor(0), bodyFor(700, 'T'), '');
    first.disk.syncBytes(FIRST, PAGE, 3 * PAGE);
    first.disk.powerCut(new Random(1), 0);
    const second = smallStore({}, first.disk);
    // Of a size below 65,536 the first two bytes are zeros in any case.
    const expected = left <= 2 ? PAGE - left + 3 * 700 : PAGE - left;
    assert.is(second.store.positions.get(APPENDED), expected, `${left} bytes`);
  }
});

test('zeros before the record of the last checkpoint are damage, after a power cut too', async () => {
  const first = filled(12);
  await first.store.checkpoint();
  first.disk.bytesOf(FIRST).fill(0, 11 * PAGE, 11 * PAGE + 512);
  first.store.append('T', headFor(0), bodyFor(PAGE, 'T'), '');
  first.store.flush();
  first.disk.powerCut(new Random(1), 1);
  const second = smallStore({}, first.disk);
  assert.is(second.store.positions.get(APPENDED), 13 * PAGE);
  assert.is(queueOf(second).length, 13);
});

test('a write cut short by a kill is no damage, though whole records of it follow', () => {
  const first = filled(2);
  const batch = Array.from({ length: 5 }, () => ({
    head: headFor(0),
    body: bodyFor(PAGE, 'T'),
    properties: '',
  }));
  first.store.appendBatch('T', 0, batch);
  first.disk.bytesOf(FIRST).fill(0, 2 * PAGE, 2 * PAGE + 8);
  first.disk.kill();
  const second = smallStore({}, first.disk);
  assert.is(second.store.positions.get(APPENDED), 2 * PAGE);
  assert.match(second.warnings.join(), /a write that was cut short\): 20480 bytes with 4 whole messages/);
  assert.is(second.store.append('T', headFor(0), Buffer.from('b'), '').queueOffset, 2);
});

test('the same bytes are kept once, however often a recovery is cut short', () => {
  const first = filled(2);
  first.disk.bytesOf(FIRST).fill(0xee, 2 * PAGE, 2 * PAGE + 100);
  for (let calls = 3; calls < 40; calls++) {
    first.disk.kill();
    first.disk.callsUntilCrash = calls;
    try {
      smallStore({}, first.disk);
      break;
    } catch {
      // The simulated process died on the way.
    }
  }
  assert.equal(
    first.disk.list(CUT).filter((name) => !name.endsWith('.tmp')),
    ['00000000000000008192.cut'],
  );
});

test('a page that cannot be read is no end of the log: the start is refused, and nothing changed', () => {
  const first = filled(10);
  const before = Buffer.from(first.disk.bytesOf(FIRST));
  first.disk.kill();
  for (const page of [3, 9]) {
    first.disk.spoilPage(FIRST, page);
    assert.throws(() => smallStore({}, first.disk), /cannot be read near \d+ \(EIO\); nothing was changed/);
    first.disk.mend();
    first.disk.kill();
  }
  assert.ok(before.equals(first.disk.bytesOf(FIRST)));
  assert.is(queueOf(smallStore({}, first.disk)).length, 10);
});

test('a CommitLog on a mount of its own keeps what is cut within its own directory', () => {
  const first = filled(5);
  first.disk.mounts = [LOG];
  first.store.append('T', headFor(0), bodyFor(PAGE, 'T'), '');
  for (let i = 0; i < 30; i++) first.store.append('T', headFor(0), bodyFor(PAGE, 'T'), '');
  first.disk.bytesOf(FIRST).fill(0, 5 * PAGE, 6 * PAGE);
  first.disk.powerCut(new Random(1), 1);
  const second = smallStore({}, first.disk);
  assert.is(second.store.positions.get(APPENDED), 5 * PAGE);
  assert.equal(second.disk.list(CUT).sort(), [
    '00000000000000020480.cut',
    '00000000000000020480.cut-00000000000000069632',
    '00000000000000020480.cut-00000000000000139264',
  ]);
  second.disk.kill();
  assert.equal(smallStore({}, second.disk).warnings, [], 'and the store opens with it');
});

test.run();
