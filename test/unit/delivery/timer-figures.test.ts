/** What is counted of timed messages: what comes and goes by topic, and what waits, also over stops and kills. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FigureTotals } from '../../../src/delivery/figures.ts';
import { javaHashCode } from '../../../src/lib/java-hash.ts';
import { TimerRig } from './timer-support.ts';

const test = suite('figures of timers');
const MINUTE = 60_000;

/** The rig's figures, as control adds them up. */
class Counted {
  readonly rig: TimerRig;
  totals = new FigureTotals();

  constructor(rig: TimerRig) {
    this.rig = rig;
  }

  get now(): { in: number; out: number; waiting: number } {
    const told = this.rig.figures.take();
    if (told !== undefined) this.totals.add(told);
    const waiting = this.totals.totals('timing').get(String(javaHashCode('t'))) ?? 0;
    const of = (figure: 'timersIn' | 'timersOut') => this.totals.totals(figure).get('t') ?? 0;
    return { in: of('timersIn'), out: of('timersOut'), waiting };
  }
}

test('what comes, what goes, and what waits ahead', async () => {
  const rig = new TimerRig();
  const counted = new Counted(rig);
  for (const seconds of [2, 30, 31, 250]) rig.after(`m${seconds}`, seconds * 1_000);
  await rig.time.advance(100);
  assert.equal(counted.now, { in: 4, out: 0, waiting: 4 });
  const { waiting, ahead } = rig.service.gauges([10_000, MINUTE, 5 * MINUTE]) ?? {};
  assert.equal([waiting, ahead], [4, [1, 2, 1]]);
  await rig.live(40_000);
  assert.equal(counted.now, { in: 4, out: 3, waiting: 1 });
  assert.equal(rig.service.gauges([10_000, MINUTE, 5 * MINUTE])?.ahead, [0, 0, 1]);
  const delays = counted.totals.observed('delays').get('t')?.state.counts;
  assert.is(
    delays?.reduce((sum, count) => sum + count),
    4,
  );
});

test('what waited before a stop or a kill is counted anew from the wheel', async () => {
  for (const end of ['stop', 'kill']) {
    const rig = new TimerRig();
    for (const seconds of [2, 100, 101, 102]) rig.after(`m${seconds}`, seconds * 1_000);
    await rig.live(10_000);
    if (end === 'kill') rig.kill();
    else {
      await rig.stop();
      rig.begin();
    }
    rig.figures.take();
    const counted = new Counted(rig);
    rig.after('later', 150_000);
    await rig.live(5_000);
    assert.is(counted.now.waiting, 4, end);
    await rig.live(300_000);
    assert.is(counted.now.waiting, 0, end);
    assert.is(new Set(rig.bodies).size, 5);
  }
});

test('what is rolled or recalled counts once while it waits, and no more then', async () => {
  const rig = new TimerRig();
  const counted = new Counted(rig);
  rig.after('far', 900_000);
  await rig.live(400_000);
  assert.ok(rig.rolls > 0);
  assert.is(counted.now.waiting, 1);
  await rig.live(600_000);
  assert.is(counted.now.waiting, 0);
  assert.equal(rig.bodies, ['far']);
});

test.run();
