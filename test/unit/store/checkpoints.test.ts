/** Checkpoints that fail: reported once, tried again, and nobody who waits for one is forgotten or waits for ever. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DISPATCHED, FLUSHED, HALT_SYNC_FAILED, Positions } from '../../../src/ring/positions.ts';
import { Checkpoints } from '../../../src/store/checkpoints.ts';
import { FakeTime } from '../metadata/support.ts';

/** A store whose checkpoints work, refuse or throw, as `fails` says, and cover what is dispatched. */
function rig() {
  const positions = new Positions();
  const time = new FakeTime();
  const said: string[] = [];
  const say = (level: string) => (_: object, text: string) => void said.push(`${level} ${text}`);
  const store = {
    fails: '' as '' | 'refuses' | 'throws',
    notes: [] as string[],
    refusesNotes: false,
    syncs: 0,
    syncError: 0,
    taken: 0,
    covered: 0,
    problem: undefined as string | undefined,
    underWay: 0,
    async checkpoint(): Promise<boolean> {
      assert.is(++store.underWay, 1, 'one at a time');
      await Promise.resolve();
      store.underWay--;
      store.taken++;
      store.problem = store.fails === '' ? undefined : 'the disk is tired';
      if (store.fails === 'throws') throw new Error('no such luck');
      if (store.fails === 'refuses') return false;
      store.covered = Math.min(positions.get(FLUSHED), positions.get(DISPATCHED));
      return true;
    },
    covers: (position: number) => store.covered >= position,
    endTopic: (topic: string, position: number) => {
      if (store.refusesNotes) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
      store.notes.push(`${topic} ${position}`);
    },
    syncQueues: async () => {
      store.syncs++;
      return -store.syncError;
    },
  };
  const checkpoints = new Checkpoints({
    store,
    positions,
    timers: time,
    log: { info: say('info'), warn: say('warn'), error: say('error') },
  });
  const reach = (position: number) => {
    positions.set(FLUSHED, position);
    positions.set(DISPATCHED, position);
  };
  return { positions, time, said, store, checkpoints, reach };
}

async function settlesAs(promise: Promise<unknown>): Promise<string> {
  const late = new Promise((resolve) => setImmediate(resolve)).then(() => 'waits');
  return String(
    await Promise.race([
      promise.then(
        () => 'done',
        (error: Error) => error.message,
      ),
      late,
    ]),
  );
}

for (const fails of ['refuses', 'throws'] as const) {
  test(`a checkpoint that ${fails} does not end those to come, and is reported once`, async () => {
    const { checkpoints, store, said } = rig();
    store.fails = fails;
    assert.is(await checkpoints.take(), false);
    assert.is(await checkpoints.take(), false);
    assert.is(said.filter((line) => line.startsWith('error')).length, 1, said.join('\n'));
    store.fails = '';
    assert.is(await checkpoints.take(), true);
    assert.is(await checkpoints.take(), true);
    assert.equal(said.slice(1), ['info checkpoints work again']);
    store.fails = fails;
    await checkpoints.take();
    assert.is(said.filter((line) => line.startsWith('error')).length, 2, 'a new failure is news');
  });
}

test('who waits for a position waits through failures, is announced once, and goes on with the next round', async () => {
  const { checkpoints, store, time, said, reach } = rig();
  const settled = checkpoints.settled(100, 'the deletion of topic t');
  await time.advance(100);
  assert.is(store.taken, 0, 'nothing to cover before flusher and dispatcher have come so far');
  store.fails = 'refuses';
  reach(100);
  await time.advance(100_000);
  assert.is(await settlesAs(settled), 'waits');
  assert.is(store.taken, 1, 'it leaves the trying to the periodic rounds');
  const warnings = said.filter((line) => line.startsWith('warn'));
  assert.equal(warnings, ['warn the deletion of topic t still waits for a checkpoint']);
  await checkpoints.take();
  assert.is(await settlesAs(settled), 'waits');
  store.fails = '';
  await checkpoints.take();
  await time.advance(100);
  assert.is(await settlesAs(settled), 'done');
  assert.is(time.waiting, 0, 'no timer stays behind');
});

test('a stop ends the waits for what fails, after one more try, and none for what works', async () => {
  const { checkpoints, store, time, reach } = rig();
  reach(100);
  store.fails = 'throws';
  const early = checkpoints.settled(100, 'x');
  await time.advance(100);
  checkpoints.end();
  assert.match(await settlesAs(early), /the broker stops: the disk is tired/);
  assert.match(await settlesAs(checkpoints.settled(100, 'x')), /the broker stops/);
  store.fails = '';
  const late = checkpoints.settled(100, 'x');
  await time.advance(100);
  assert.is(await settlesAs(late), 'done');
});

test('a halted store ends the waits', async () => {
  const { checkpoints, positions, time } = rig();
  const settled = checkpoints.settled(100, 'x');
  await time.advance(100);
  positions.halt(HALT_SYNC_FAILED, 5);
  await time.advance(100);
  assert.match(await settlesAs(settled), /stopped/);
});

test('the end of a topic that the disk refuses to note is told once and tried until it is noted', async () => {
  const { checkpoints, store, time, said } = rig();
  store.refusesNotes = true;
  const ended = checkpoints.ended('t', 100);
  await time.advance(60_000);
  assert.is(await settlesAs(ended), 'waits');
  assert.equal(said, ['warn the end of a topic cannot be noted yet: its name stays taken']);
  store.refusesNotes = false;
  await time.advance(1000);
  assert.is(await settlesAs(ended), 'done');
  assert.equal(store.notes, ['t 100']);
  assert.is(time.waiting, 0, 'no timer stays behind');
});

test('a stop ends the wait for a note that the disk refuses, and none for one that it takes', async () => {
  const { checkpoints, store, time } = rig();
  store.refusesNotes = true;
  const early = checkpoints.ended('t', 100);
  checkpoints.end();
  await time.advance(1000);
  assert.match(await settlesAs(early), /the broker stops: no space left/);
  assert.match(await settlesAs(checkpoints.ended('t', 100)), /the broker stops/);
  store.refusesNotes = false;
  assert.is(await settlesAs(checkpoints.ended('t', 100)), 'done');
});

test('files that the disk needs rid of may go when their queue entries are durable, checkpoint or not', async () => {
  const { checkpoints, store, time, reach } = rig();
  store.fails = 'throws';
  const early = checkpoints.queuesDurable(100);
  await time.advance(60_000);
  assert.is(await early, false, 'not dispatched yet');
  assert.is(store.syncs, 0);
  reach(100);
  assert.is(await checkpoints.cover(100), false);
  assert.is(await checkpoints.queuesDurable(100), true);
  assert.is(store.syncs, 1);
  store.syncError = 5;
  assert.is(await checkpoints.queuesDurable(100), false, 'entries that are not durable keep their files');
  store.fails = '';
  assert.is(await checkpoints.queuesDurable(100), true);
  assert.is(store.syncs, 2, 'a checkpoint that works is enough');
});

test.run();
