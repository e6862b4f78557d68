/**
 * Parked pulls against a model that is a list: whatever comes in whatever order, each pull comes out exactly once, and
 * comes out when there is a reason.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type ParkedPull, PullHold } from '../../../src/broker/pull/pull-hold.ts';
import { Random, seeds } from '../../support/random.ts';

const test = suite('pull hold');

/** Deadlines count in steps of so many ms. */
const STEP_MS = 128;
let made = 0;

function pullOf(queue: number, slot: number, deadline: number, generation = 1): ParkedPull {
  return {
    slot,
    generation,
    opaque: made++,
    serializeType: 0,
    group: 'g',
    topic: 'T',
    queueId: 0,
    queue: queue === 0 ? undefined : ({ id: queue } as ParkedPull['queue']),
    offset: 0,
    scanFrom: 0,
    maxCount: 1,
    filter: undefined,
    homes: { brokerId: 0, whichBrokerWhenConsumeSlowly: 1 },
    ...{ call: 0, came: 0, waited: false },
    deadline,
  };
}

/** Everything that is ready, in order. */
function takeReady(hold: PullHold): ParkedPull[] {
  const taken: ParkedPull[] = [];
  for (let pull = hold.next(); pull !== undefined; pull = hold.next()) taken.push(pull);
  return taken;
}

/** The list, and which queues had news for whom. */
class Model {
  readonly parked = new Set<ParkedPull>();
  readonly woken = new Set<ParkedPull>();
  due = 0;

  wake(queue: number): void {
    for (const pull of this.parked) if ((pull.queue?.id ?? 0) === queue) this.woken.add(pull);
  }

  isDue(pull: ParkedPull): boolean {
    return Math.ceil(pull.deadline / STEP_MS) * STEP_MS <= this.due;
  }

  get hasReady(): boolean {
    for (const pull of this.parked) if (this.woken.has(pull) || this.isDue(pull)) return true;
    return false;
  }

  remove(pull: ParkedPull): void {
    this.parked.delete(pull);
    this.woken.delete(pull);
  }
}

/** One random schedule; `turns` in all. */
class Schedule {
  readonly hold = new PullHold();
  readonly model = new Model();
  readonly random: Random;
  readonly generations = [1, 1, 1, 1, 1];
  now = 1_000_000;

  constructor(seed: number) {
    this.random = new Random(seed);
  }

  park(): void {
    const { random } = this;
    const slot = random.int(0, 4);
    // Some deadlines have passed already: a pull may wait elsewhere until after its own.
    const deadline = this.now + random.int(-3000, 3000);
    const pull = pullOf(random.int(0, 5), slot, deadline, this.generations[slot]);
    this.hold.park(pull);
    this.model.parked.add(pull);
  }

  /** Takes some of what is ready, and parks some of that again as a pull does whose filter refuses what came. */
  take(): void {
    for (let n = this.random.int(1, 40); n > 0; n--) {
      const pull = this.hold.next();
      if (pull === undefined) {
        assert.not.ok(this.model.hasReady, 'something is ready, and nothing comes out');
        return;
      }
      assert.ok(this.model.parked.has(pull), 'it is parked, and has not come out before');
      // A wake-up too many does no harm where pulls of the queue have gone otherwise; one too few does.
      this.model.remove(pull);
      if (this.random.chance(0.3) && pull.deadline > this.now) {
        this.hold.park(pull);
        this.model.parked.add(pull);
      }
    }
  }

  close(): void {
    const slot = this.random.int(0, 4);
    this.hold.drop(slot, (this.generations[slot] as number) + 1);
    this.hold.drop(slot, this.generations[slot] as number);
    for (const pull of [...this.model.parked]) if (pull.slot === slot) this.model.remove(pull);
    this.generations[slot] = (this.generations[slot] as number) + 1;
  }

  step(): void {
    const { random, hold, model } = this;
    const choice = random.next();
    if (choice < 0.5) this.park();
    else if (choice < 0.62) {
      const queue = random.int(0, 5);
      hold.wake(queue);
      model.wake(queue);
    } else if (choice < 0.63) {
      hold.wakeAll();
      for (const pull of model.parked) model.woken.add(pull);
    } else if (choice < 0.75) {
      this.now += random.chance(0.1) ? random.int(0, 500_000) : random.int(0, 400);
      hold.expire(this.now);
      model.due = this.now;
    } else if (choice < 0.95) this.take();
    else this.close();
  }

  check(): void {
    const { hold, model } = this;
    assert.is(hold.size, model.parked.size);
    for (let slot = 0; slot < 5; slot++) {
      const count = [...model.parked].filter((pull) => pull.slot === slot).length;
      assert.is(hold.sizeOf(slot), count);
    }
  }
}

test('parked, woken, expired, taken and dropped in any order: each comes out once', () => {
  for (const seed of seeds('HOLD_SEED', 40)) {
    const schedule = new Schedule(seed);
    try {
      for (let n = 0; n < 600; n++) {
        schedule.step();
        schedule.check();
      }
      // In the end everybody's time is over.
      schedule.now += 1_000_000;
      schedule.hold.expire(schedule.now);
      const last = takeReady(schedule.hold);
      assert.is(new Set(last).size, last.length);
      assert.equal(new Set(last), schedule.model.parked);
      assert.is(schedule.hold.size, 0);
    } catch (error) {
      throw new Error(`HOLD_SEED=${seed}: ${(error as Error).message}`, { cause: error });
    }
  }
});

test('a pull that is parked again while its queue is gone through is not handed out for the same news', () => {
  const hold = new PullHold();
  for (let i = 0; i < 100; i++) hold.park(pullOf(1, i % 3, 1e9));
  hold.wake(1);
  const seen = new Set<ParkedPull>();
  for (let pull = hold.next(); pull !== undefined; pull = hold.next()) {
    assert.not.ok(seen.has(pull));
    seen.add(pull);
    hold.park(pull);
  }
  assert.equal([seen.size, hold.size], [100, 100]);
});

test('one queue with very many pulls does not hold up the others', () => {
  const hold = new PullHold();
  for (let i = 0; i < 10_000; i++) hold.park(pullOf(1, 1, 1e9));
  hold.park(pullOf(2, 2, 1e9));
  hold.wake(1);
  hold.wake(2);
  let before = 0;
  while (hold.next()?.slot === 1) before++;
  assert.ok(before <= 64, `${before} pulls of the other queue came first`);
});

test('those that have news do not wait behind very many whose time is over, nor the other way round', () => {
  const hold = new PullHold();
  for (let i = 0; i < 1000; i++) hold.park(pullOf(1, 1, 1000));
  hold.park(pullOf(2, 2, 1e9));
  hold.expire(2000);
  hold.wake(2);
  assert.ok(hold.next()?.slot === 2 || hold.next()?.slot === 2);
  for (let i = 0; i < 1000; i++) hold.park(pullOf(3, 3, 1e9));
  hold.wake(3);
  const slots = Array.from({ length: 10 }, () => hold.next()?.slot);
  assert.equal(new Set(slots), new Set([1, 3]));
});

test('hundreds of thousands of pulls with one deadline, in one queue, of one connection', () => {
  const hold = new PullHold();
  const count = 300_000;
  const fill = () => {
    for (let i = 0; i < count; i++) hold.park(pullOf(1, i & 1, 1000));
  };
  fill();
  hold.expire(2000);
  assert.is(takeReady(hold).length, count);
  fill();
  hold.wake(1);
  assert.is(takeReady(hold).length, count);
  fill();
  hold.drop(0, 1);
  hold.drop(1, 1);
  assert.is(hold.size, 0);
});

test('a pull whose deadline is over when it is parked is due at once', () => {
  const hold = new PullHold();
  // Deadlines of others, in more steps than have passed since the last look.
  for (let i = 0; i < 50; i++) hold.park(pullOf(1, 0, 1_000_000 + i * 1000));
  hold.expire(999_000);
  hold.park(pullOf(2, 0, 990_000));
  hold.expire(999_250);
  assert.equal(
    takeReady(hold).map((pull) => pull.queue?.id),
    [2],
  );
});

test.run();
