/** Measuring steps: which are told, with what, and what others see of one that is under way. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Counters, counterPlace } from '../../../src/ring/counters.ts';
import { LoopTime } from '../../../src/ring/loop-time.ts';
import { StepClock } from '../../../src/ring/step-clock.ts';
import { recordingLog } from '../../support/recording-log.ts';

const test = suite('step clock');

const BEGAN = counterPlace('stepBegan');

function rig(limitMs: number) {
  const { log, lines } = recordingLog();
  const state = { now: 1_000, faults: 5, looks: 0 };
  const counters = Counters.unread();
  const clock = { now: () => 0, monotonic: () => state.now };
  const majorFaults = () => {
    state.looks += 1;
    return state.faults;
  };
  return {
    lines,
    state,
    counters,
    step: new StepClock('append', { limitMs, counters, log, clock, majorFaults }),
  };
}

test('a step within the limit is not told, one that takes longer is, with what it did', () => {
  const { lines, state, step } = rig(100);
  step.begin();
  state.now += 99;
  assert.is(step.end(10), 99);
  assert.equal(lines, []);
  step.begin();
  state.now += 100;
  step.end(4_096);
  assert.equal(lines, [
    { level: 'warn', message: 'slow step: append', fields: { step: 'append', ms: 100, bytes: 4_096 } },
  ]);
});

test('pages that had to come from the disk are told, those of before are not', () => {
  const { lines, state, step } = rig(100);
  step.begin();
  state.faults += 3;
  state.now += 200;
  step.end(1);
  step.begin();
  state.now += 200;
  step.end(1);
  assert.equal(
    lines.map(({ fields }) => fields['pageFaults']),
    [3, undefined],
  );
});

test('the system is asked for them once in a second, not with every step', () => {
  const { state, step } = rig(100);
  for (let i = 0; i < 2_000; i++) {
    step.begin();
    state.now += 1;
    step.end(1);
  }
  // When it was made, with its first step, and a second later; looking is no part of a step.
  assert.is(state.looks, 3);
});

test('while a step lasts its beginning can be seen, and no longer', () => {
  const { state, counters, step } = rig(100);
  assert.is(counters.get(BEGAN), 0);
  step.begin();
  assert.is(counters.get(BEGAN), state.now);
  step.end(0);
  assert.is(counters.get(BEGAN), 0);
});

test('a limit of 0 tells nothing', () => {
  const { lines, state, step } = rig(0);
  step.begin();
  state.now += 1e9;
  step.end(0);
  assert.equal(lines, []);
});

test('this thread has a number of page faults', () => {
  const { log, lines } = recordingLog();
  const step = new StepClock('read', { limitMs: 1e-9, counters: Counters.unread(), log });
  step.begin();
  step.end();
  const { pageFaults = 0, ...fields } = lines[0]?.fields ?? {};
  assert.equal(fields, { step: 'read', ms: 0 });
  assert.ok(Number.isInteger(pageFaults) && (pageFaults as number) >= 0);
});

test('a loop whose tick comes late tells how late', () => {
  const { log, lines } = recordingLog();
  const counters = Counters.unread();
  const loop = new LoopTime(counters, 1_000, { everyMs: 250, step: 'network', slowMillis: 500, log });
  loop.tick(1_250);
  loop.tick(1_900);
  assert.equal(lines, []);
  loop.tick(2_800);
  assert.equal(lines, [
    { level: 'warn', message: 'slow step: network', fields: { step: 'network', ms: 650 } },
  ]);
  assert.is(counters.get(counterPlace('tickedAt')), 2_800);
  const silent = new LoopTime(counters, 0, { everyMs: 250, step: 'network', slowMillis: 0, log });
  silent.tick(1e6);
  assert.is(lines.length, 1);
});

test.run();
