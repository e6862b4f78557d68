/** A copy of another log that differs from it from a position on is cut there by the next opening, whatever happens. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { APPENDED, DISPATCHED, FLUSHED } from '../../../src/ring/positions.ts';
import { fileNameOf } from '../../../src/store/log/segments.ts';
import { noteDiverged } from '../../../src/store/recovery/diverged.ts';
import { SimCrash, type SimDisk } from '../../sim/sim-disk.ts';
import { headFor, LOG, ROOT, smallStore } from '../../support/messages.ts';
import { Random } from '../../support/random.ts';

const test = suite('diverged copy');
const COUNT = 150;
const BODY = 1000;
const FILE = 68 * 1024;
const NOTE = `${ROOT}/ringmq.diverged`;
/** Queues of several files, several log files. */
const OPTIONS = { mappedFileSizeConsumeQueue: 20 * 8 };

interface Sent {
  body: string;
  at: number;
}

function bodyOf(number: number): Buffer {
  return Buffer.from(`message ${number} `.padEnd(BODY, '.'));
}

/** A store with messages in two queues in turn, closed in this way. */
async function filled(how: 'clean' | 'kill' | 'kill, nothing dispatched'): Promise<[SimDisk, Sent[]]> {
  const { store, disk } = smallStore(OPTIONS);
  const sent: Sent[] = [];
  for (let i = 0; i < COUNT; i++) {
    const body = bodyOf(i);
    const { physicalOffset } = store.append('T', headFor(i % 2), body, `KEYS\x01k${i}\x02`);
    sent.push({ body: body.toString(), at: physicalOffset });
  }
  if (how === 'clean') assert.is(await store.close(), true);
  else {
    store.flush();
    if (how === 'kill') store.dispatch();
    disk.kill();
  }
  return [disk, sent];
}

function note(disk: SimDisk, position: number): void {
  noteDiverged(disk, { ...smallOptions(), directory: ROOT, commitLogDirectory: LOG }, position);
}

function smallOptions() {
  const { store } = smallStore(OPTIONS);
  return store.options;
}

/** Offsets of the log that the queues name, ascending. */
function named(store: ReturnType<typeof smallStore>['store']): number[] {
  const queues = [0, 1].map((queueId) => store.queue('T', queueId));
  const entries = queues.flatMap((queue) =>
    queue === undefined ? [] : store.reader.readQueue(queue, 0, COUNT),
  );
  return entries.map(({ physicalOffset }) => physicalOffset).sort((a, b) => a - b);
}

function check(disk: SimDisk, sent: readonly Sent[], keep: number, what: string, wasKilled = false): void {
  const { store, warnings } = smallStore(OPTIONS, disk);
  const position = (sent[keep] as Sent).at;
  assert.is(store.positions.get(APPENDED), position, what);
  assert.is(store.positions.get(FLUSHED), position, what);
  assert.is(store.positions.get(DISPATCHED), position, what);
  assert.equal(
    named(store),
    sent.slice(0, keep).map(({ at }) => at),
    what,
  );
  assert.is(disk.size(NOTE), -1, what);
  const saysSo = `cut the log at ${position} (from there on its master has other messages)`;
  const cuts = warnings.filter((line) => line.startsWith('cut the log'));
  // An opening that was killed may have cut it, and was not to say so any more.
  assert.ok(cuts.length === 1 || (cuts.length === 0 && wasKilled), warnings.join('\n'));
  for (const line of cuts) assert.ok(line.startsWith(saysSo), line);
  // Every byte that was cut lies beside the log, where something was cut in this opening or an earlier one.
  const kept = disk.list(`${LOG}/ringmq.cut`);
  assert.ok(kept.length > 0, what);
  const text = kept
    .map((name) => Buffer.from(disk.bytesOf(`${LOG}/ringmq.cut/${name}`)).toString('latin1'))
    .join();
  for (const { body } of sent.slice(keep)) assert.ok(text.includes(body), `${what}: ${body.trim()}`);
  // Another history grows in its place, and numbers count on from what is left.
  const again = store.append('T', headFor(0), Buffer.from('another'), '');
  assert.is(again.physicalOffset, position);
  assert.is(again.queueOffset, Math.ceil(keep / 2));
  store.flush();
  disk.kill();
  const later = smallStore(OPTIONS, disk);
  assert.ok(later.store.positions.get(APPENDED) > position, `${what}: what came since is not cut`);
}

for (const how of ['clean', 'kill', 'kill, nothing dispatched'] as const) {
  test(`it is cut at any record: ${how}`, async () => {
    const [, all] = await filled(how);
    const perFile = all.filter(({ at }) => at < FILE).length;
    for (const keep of [1, 2, 7, perFile - 1, perFile, perFile + 1, 2 * perFile, COUNT - 1]) {
      const [disk, sent] = await filled(how);
      note(disk, (sent[keep] as Sent).at);
      check(disk, sent, keep, `${how}, ${keep} kept`);
    }
  });
}

test('a kill in the middle of it leaves a log that the next opening cuts in the same way', async () => {
  const keep = 70;
  for (let calls = 0; ; calls++) {
    const [disk, sent] = await filled('kill');
    note(disk, (sent[keep] as Sent).at);
    disk.callsUntilCrash = calls;
    let ended = false;
    try {
      smallStore(OPTIONS, disk);
      ended = true;
    } catch (error) {
      assert.instance(error, SimCrash);
    }
    disk.kill();
    if (ended) break;
    check(disk, sent, keep, `killed after ${calls} calls`, true);
  }
});

test('cut at the record that the checkpoint names: what comes in its place is not taken for durable', async () => {
  const [disk, sent] = await filled('clean');
  const { at } = sent.at(-1) as Sent;
  note(disk, at);
  const { store } = smallStore(OPTIONS, disk);
  for (let i = 0; i < 20; i++) store.append('T', headFor(0), bodyOf(i), '');
  // The disk has a later page of them and not the first: a power cut leaves a gap there, and no damage.
  const path = `${LOG}/${fileNameOf(at - (at % FILE))}`;
  disk.syncBytes(path, (at % FILE) + 8_192, FILE);
  disk.powerCut(new Random(1), 0);
  const after = smallStore(OPTIONS, disk);
  assert.is(after.store.positions.get(APPENDED), at);
  assert.equal(
    after.warnings.filter((line) => line.includes('damaged')),
    [],
  );
});

test('a damaged note cuts nothing, and is said', async () => {
  const [disk, sent] = await filled('clean');
  disk.writeWhole(NOTE, Buffer.from('{"position":"near the end"}'));
  const { store } = smallStore(OPTIONS, disk);
  assert.is(named(store).length, sent.length);
  assert.is(disk.size(NOTE), -1);
});

test.run();
