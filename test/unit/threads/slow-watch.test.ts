/** Control's eye on steps that do not end. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { COUNTER_BLOCKS, Counters, counterPlace, createCounters } from '../../../src/ring/counters.ts';
import { SlowWatch } from '../../../src/threads/control/slow-watch.ts';
import { recordingLog } from '../../support/recording-log.ts';

const test = suite('slow watch');

const BEGAN = counterPlace('stepBegan');
const TICKED = counterPlace('tickedAt');
const TICK_MS = 250;

class Rig {
  readonly lines: ReturnType<typeof recordingLog>['lines'];
  readonly buffer = createCounters(2);
  readonly watch: SlowWatch;
  now = 10_000;

  constructor(slowMillis = 500) {
    const { log, lines } = recordingLog();
    this.lines = lines;
    this.watch = new SlowWatch({ slowMillis, networkThreads: 2 }, this.buffer, log, () => this.now);
    this.watch.start();
    // This rig ticks itself.
    this.watch.stop();
  }

  block(block: number): Counters {
    return new Counters(this.buffer, block);
  }

  pass(ms: number): void {
    for (let left = ms; left > 0; left -= TICK_MS) {
      this.now += TICK_MS;
      this.watch.tick();
    }
  }

  told(): unknown[] {
    return this.lines.map(({ message, fields }) => [message, fields['thread'], fields['ms']]);
  }
}

const STILL = 'slow step: sync is still under way';

test('a step that does not end is told of, and again whenever it has lasted twice as long', () => {
  const rig = new Rig();
  rig.block(COUNTER_BLOCKS.flusher).set(BEGAN, rig.now);
  rig.pass(4_000);
  assert.equal(rig.told(), [
    [STILL, 'flusher', 500],
    [STILL, 'flusher', 1_000],
    [STILL, 'flusher', 2_000],
    [STILL, 'flusher', 4_000],
  ]);
});

test('steps that end and begin are none, however many there are; the next long one is told of anew', () => {
  const rig = new Rig();
  const flusher = rig.block(COUNTER_BLOCKS.flusher);
  for (let i = 0; i < 20; i++) {
    flusher.set(BEGAN, rig.now);
    rig.pass(TICK_MS);
  }
  flusher.set(BEGAN, 0);
  rig.pass(5_000);
  assert.equal(rig.told(), []);
  flusher.set(BEGAN, rig.now);
  rig.pass(500);
  flusher.set(BEGAN, rig.now);
  rig.pass(500);
  assert.is(rig.told().length, 2);
});

test('a network thread that does not come round is told of, one that ticks is not', () => {
  const rig = new Rig();
  const [first, second] = [COUNTER_BLOCKS.network, COUNTER_BLOCKS.network + 1].map((block) =>
    rig.block(block),
  );
  second?.set(TICKED, rig.now);
  for (let i = 0; i < 8; i++) {
    first?.set(TICKED, rig.now);
    rig.pass(TICK_MS);
  }
  assert.equal(rig.told(), [
    ['slow step: network is still under way', 'network-1', 500],
    ['slow step: network is still under way', 'network-1', 1_000],
  ]);
});

test('after the whole machine stood still only that is told', () => {
  const rig = new Rig();
  const network = rig.block(COUNTER_BLOCKS.network);
  network.set(TICKED, rig.now);
  rig.pass(TICK_MS);
  rig.now += 60_000;
  rig.watch.tick();
  network.set(TICKED, rig.now);
  rig.pass(TICK_MS);
  assert.equal(rig.told(), [['slow step: control', undefined, 60_000 - TICK_MS]]);
});

test('where control itself is slow all the time a step that hangs is told of nevertheless', () => {
  const rig = new Rig();
  rig.block(COUNTER_BLOCKS.flusher).set(BEGAN, rig.now);
  for (let i = 0; i < 6; i++) {
    rig.now += 600;
    rig.watch.tick();
  }
  assert.ok(
    rig.told().some((line) => (line as unknown[])[0] === STILL),
    JSON.stringify(rig.told()),
  );
});

test('what happened before it was started is not its own slowness', () => {
  const { log, lines } = recordingLog();
  const state = { now: 0 };
  const watch = new SlowWatch(
    { slowMillis: 500, networkThreads: 1 },
    createCounters(1),
    log,
    () => state.now,
  );
  state.now = 30_000;
  watch.start();
  watch.stop();
  state.now += TICK_MS;
  watch.tick();
  assert.equal(lines, []);
});

test('how late the network thread is that is most behind, whatever is slow', () => {
  const rig = new Rig(0);
  assert.is(rig.watch.lateMs, 0, 'none has ticked yet');
  rig.block(COUNTER_BLOCKS.network).set(TICKED, rig.now);
  rig.block(COUNTER_BLOCKS.network + 1).set(TICKED, rig.now - 4_000);
  rig.now += 1_000;
  assert.is(rig.watch.lateMs, 5_000 - TICK_MS);
});

test('a limit of 0 tells nothing', () => {
  const rig = new Rig(0);
  rig.block(COUNTER_BLOCKS.writer).set(BEGAN, rig.now);
  rig.pass(60_000);
  assert.equal(rig.told(), []);
});

test.run();
