/** A topic that is deleted and made again has its own messages only, whatever happens to broker, queues and index. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { SimCrash } from '../../sim/sim-disk.ts';
import { headFor, ROOT, smallStore } from '../../support/messages.ts';
import { Random } from '../../support/random.ts';

const test = suite('topic made again');
const BIRTHS = `${ROOT}/ringmq.topics`;
type Opened = ReturnType<typeof smallStore>;

function send({ store }: Opened, text: string, topic = 'again'): number {
  return store.append(topic, headFor(0), Buffer.from(text), `KEYS\x01key\x02`).queueOffset;
}

function settle({ store }: Opened): void {
  store.flush();
  store.dispatch();
}

/** Bodies in the queue's order. */
function bodiesOf({ store }: Opened, topic = 'again'): string[] {
  const queue = store.queue(topic, 0);
  if (queue === undefined) return [];
  return store.reader.readQueue(queue, 0, 1000).map(({ physicalOffset }) => {
    const record = Buffer.from(store.reader.recordAt(physicalOffset) as Uint8Array);
    return /(?:old|new)\d+/.exec(record.toString('latin1'))?.[0] ?? '';
  });
}

/** So many old messages, deletion, so many new ones, all durable. */
function remade(old: number, fresh: number): Opened {
  const opened = smallStore();
  for (let i = 0; i < old; i++) send(opened, `old${i}`);
  settle(opened);
  opened.store.deleteTopic('again');
  for (let i = 0; i < fresh; i++) assert.is(send(opened, `new${i}`), i, 'numbers begin at 0');
  settle(opened);
  return opened;
}

test('new messages, and only they, are there after a kill, a power cut, and a loss of all queues', async () => {
  for (const [old, fresh] of [
    [10, 3],
    [1, 1],
    [3, 10],
    [5, 0],
  ] as const) {
    const expected = Array.from({ length: fresh }, (_, i) => `new${i}`);
    for (const ends of ['kill', 'powerCut', 'lost queues', 'checkpoint', 'clean stop'] as const) {
      const first = remade(old, fresh);
      if (ends === 'checkpoint') assert.is(await first.store.checkpoint(), true);
      if (ends === 'clean stop') assert.is(await first.store.close(), true);
      if (ends === 'powerCut') first.disk.powerCut(new Random(1), 0);
      else first.disk.kill();
      if (ends === 'lost queues') first.disk.remove(`${ROOT}/consumequeue`);
      const second = smallStore({}, first.disk);
      assert.equal(bodiesOf(second), expected, `${old} old, ${fresh} new, ${ends}`);
      assert.is(second.store.reader.query('again', 'key', 64, 0, 1e15, 'K').records.length, fresh);
      assert.is(send(second, `new${fresh}`), fresh);
    }
  }
});

test('a deletion that a kill cuts short anywhere takes effect as a whole or not at all', () => {
  for (let calls = 0; ; calls++) {
    const first = smallStore({ mappedFileSizeConsumeQueue: 20 });
    for (let i = 0; i < 4; i++) send(first, `old${i}`);
    settle(first);
    first.disk.callsUntilCrash = calls;
    let ended = false;
    try {
      first.store.deleteTopic('again');
      ended = true;
    } catch (error) {
      assert.instance(error, SimCrash);
    }
    first.disk.kill();
    const second = smallStore({ mappedFileSizeConsumeQueue: 20 }, first.disk);
    const left = bodiesOf(second);
    assert.ok(left.length === 0 || (!ended && left.length === 4), `${left} after ${calls} calls`);
    assert.is(send(second, 'new0'), left.length);
    if (ended) break;
  }
});

test('where a topic begins is forgotten when the log has passed it, and moved when the log ends before it', async () => {
  const first = remade(3, 0);
  assert.equal(Object.keys(JSON.parse(Buffer.from(first.disk.bytesOf(BIRTHS)).toString())), ['again']);
  first.store.append('other', headFor(0), new Uint8Array(10), '');
  // Nothing of this was synced: the log comes back empty, and new messages stand where the old ones were.
  const unsynced = smallStore();
  for (let i = 0; i < 3; i++) send(unsynced, `old${i}`);
  unsynced.store.deleteTopic('again');
  unsynced.disk.powerCut(new Random(1), 0);
  const second = smallStore({}, unsynced.disk);
  assert.is(send(second, 'new0'), 0);
  settle(second);
  second.disk.kill();
  assert.equal(bodiesOf(smallStore({}, second.disk)), ['new0']);
});

test('the file does not grow with deletions that nobody can ask about any more', async () => {
  const first = smallStore();
  for (let i = 0; i < 20; i++) {
    send(first, 'old0', `t${i}`);
    first.store.deleteTopic(`t${i}`);
  }
  const size = () => Object.keys(JSON.parse(Buffer.from(disk.bytesOf(BIRTHS)).toString())).length;
  let { disk } = first;
  assert.is(size(), 20);
  // The log moves on to its second file, a checkpoint covers it, and the first one expires.
  for (let i = 0; i < 80; i++) first.store.append('other', headFor(0), new Uint8Array(1000), '');
  settle(first);
  assert.is(await first.store.checkpoint(), true);
  assert.is(await first.store.close(), true);
  disk.remove('/store/commitlog/00000000000000000000');
  const second = smallStore({}, disk);
  ({ disk } = second);
  send(second, 'old0', 'last');
  second.store.deleteTopic('last');
  assert.is(size(), 1);
});

test.run();
