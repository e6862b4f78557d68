import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Agenda } from '../../../src/delivery/agenda.ts';
import { Random } from '../../support/random.ts';
import { FakeTime } from '../metadata/support.ts';

const test = suite('agenda');

test('tasks run when they are due, by time and then in the order in which they came', async () => {
  const time = new FakeTime();
  const agenda = new Agenda(time);
  const ran: string[] = [];
  for (const [ms, name] of [
    [30, 'c'],
    [10, 'a'],
    [30, 'd'],
    [20, 'b'],
  ] as const)
    agenda.after(ms, () => ran.push(name));
  assert.is(agenda.next, time.monotonic() + 10);
  assert.is(agenda.run(), 0);
  await time.advance(25);
  assert.is(agenda.run(), 2);
  await time.advance(5);
  assert.is(agenda.run(), 2);
  assert.equal(ran, ['a', 'b', 'c', 'd']);
  assert.is(agenda.next, Number.POSITIVE_INFINITY);
});

test('what a task puts on the agenda waits for the next run, unless it is cancelled before', () => {
  const agenda = new Agenda(new FakeTime());
  const ran: string[] = [];
  let cancel = () => {};
  agenda.after(0, () => {
    agenda.after(0, () => ran.push('later'));
    cancel = agenda.after(0, () => ran.push('never'));
  });
  agenda.after(0, () => cancel());
  assert.is(agenda.run(), 2);
  assert.equal(ran, []);
  assert.is(agenda.run(), 1);
  assert.equal(ran, ['later']);
});

test('a cancelled task is gone, and cancelling one that has run is harmless', async () => {
  const time = new FakeTime();
  const agenda = new Agenda(time);
  let ran = 0;
  const cancel = agenda.after(5, () => ran++);
  agenda.after(1, () => ran++)();
  await time.advance(5);
  assert.is(agenda.run(), 1);
  cancel();
  assert.equal([ran, agenda.next], [1, Number.POSITIVE_INFINITY]);
});

test('against a sorted list, with any mixture of putting, cancelling and running', async () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = new Random(seed);
    const time = new FakeTime();
    const agenda = new Agenda(time);
    let expected: { at: number; name: number; cancel: () => void }[] = [];
    const ran: number[] = [];
    const wanted: number[] = [];
    for (let step = 0; step < 200; step++) {
      const choice = random.next();
      if (choice < 0.5) {
        const ms = Math.floor(random.next() * 20);
        const cancel = agenda.after(ms, () => ran.push(step));
        expected.push({ at: time.monotonic() + ms, name: step, cancel });
      } else if (choice < 0.75 && expected.length > 0) {
        const [gone] = expected.splice(Math.floor(random.next() * expected.length), 1);
        gone?.cancel();
      } else {
        await time.advance(Math.floor(random.next() * 10));
        agenda.run();
        const due = expected.filter(({ at }) => at <= time.monotonic());
        expected = expected.filter(({ at }) => at > time.monotonic());
        wanted.push(...due.sort((a, b) => a.at - b.at || a.name - b.name).map(({ name }) => name));
      }
      const next = Math.min(Number.POSITIVE_INFINITY, ...expected.map(({ at }) => at));
      assert.is(agenda.next, next, `seed ${seed}, step ${step}`);
    }
    assert.equal(ran, wanted, `seed ${seed}`);
  }
});

test.run();
