import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { RunFolder } from '../../../bench/rocketmq/cleanup.ts';
import { type Contestant, MERGED, RINGMQ, ROCKETMQ } from '../../../bench/rocketmq/contestant.ts';
import { type Casting, goesOn } from '../../../bench/rocketmq/hand-over.ts';
import { Measurement } from '../../../bench/rocketmq/measure.ts';
import type { ScenarioOutcome } from '../../../bench/rocketmq/outcome.ts';
import type { Progress } from '../../../bench/rocketmq/progress.ts';
import { SCENARIOS, type Scenario } from '../../../bench/rocketmq/scenarios.ts';
import type { Target } from '../../../bench/rocketmq/target.ts';
import type { Bench, Stage, WorkPlan } from '../../../bench/rocketmq/work/work.ts';

function named(name: string): Scenario {
  return SCENARIOS.find((scenario) => scenario.name === name) as Scenario;
}

function casting(name: string, contestants: readonly Contestant[] = named(name).contestants): Casting {
  return { scenario: named(name), contestants };
}

test('a broker goes on to the next plain sends with its flush mode', () => {
  assert.ok(goesOn(ROCKETMQ, named('async-1k'), casting('async-128b')));
  assert.ok(goesOn(RINGMQ, named('async-64k'), casting('async-batch')));
  assert.ok(goesOn(RINGMQ, named('sync-1k'), casting('sync-single')));
});

test('it ends where the next scenario has another flush mode, other work, or is none', () => {
  assert.not.ok(goesOn(ROCKETMQ, named('async-1k'), casting('sync-1k')));
  assert.not.ok(goesOn(ROCKETMQ, named('async-1k'), casting('pull')));
  assert.not.ok(goesOn(ROCKETMQ, named('pull'), casting('async-1k')));
  assert.not.ok(goesOn(ROCKETMQ, named('topics-1'), casting('topics-1')));
  assert.not.ok(goesOn(ROCKETMQ, named('async-1k'), undefined));
});

test('it ends where it takes no part, is set up differently, or has to live alone', () => {
  const next = casting('open-5k', [{ ...ROCKETMQ, heap: '8g' }, RINGMQ]);
  assert.not.ok(goesOn(MERGED, named('async-single'), next));
  assert.not.ok(goesOn(ROCKETMQ, named('async-single'), next));
  assert.not.ok(goesOn({ ...RINGMQ, cli: 'other.js' }, named('async-single'), next));
  assert.not.ok(goesOn({ ...RINGMQ, master: 'ASYNC_MASTER' }, named('async-single'), next));
  assert.ok(goesOn({ ...RINGMQ, title: 'another title' }, named('async-single'), next));
  assert.not.ok(goesOn(RINGMQ, named('async-1k'), casting('memory')));
  assert.not.ok(goesOn(RINGMQ, named('memory'), casting('async-1k')));
});

test('a bare loop has nothing to hand over', () => {
  const { contestants } = named('async-4k');
  const bare = contestants.find(({ kind }) => kind === 'bare') as Contestant;
  assert.not.ok(goesOn(bare, named('async-4k'), casting('async-64k')));
});

const SILENT = { scenario() {}, step() {}, failed() {}, round() {} } as unknown as Progress;

/** Measures with brokers that are only a folder and a note of what befell them. */
class Theatre {
  readonly events: string[] = [];
  /** Why a broker is dead, seen from outside. */
  death: string | undefined;
  readonly #cache = fs.mkdtempSync(path.join(os.tmpdir(), 'ringmq-hand-over-'));
  readonly #folder = new RunFolder(this.#cache);
  #started = 0;

  #start(stage: Stage): Target {
    const id = ++this.#started;
    fs.mkdirSync(stage.home, { recursive: true });
    fs.writeFileSync(path.join(stage.home, 'store'), 'x'.repeat(8192));
    this.events.push(`start ${id}`);
    const stop = async () => void this.events.push(`stop ${id}`);
    return { stop, death: this.death } as unknown as Target;
  }

  plan(name: string, changes: Partial<WorkPlan> = {}, round?: () => never): WorkPlan {
    const disturbance = { foreignShare: 0, stallMaxMillis: 0, disturbed: false };
    return {
      sharesBroker: true,
      begin: (stage) => ({
        prepare: async () => {
          if (stage.target === undefined) stage.target = this.#start(stage);
          const home = fs.existsSync(stage.home) ? path.basename(stage.home) : 'no home';
          this.events.push(`${name} in ${home}`);
        },
        round: async () =>
          round?.() ?? { figures: { rate: 1, p50: Number.NaN }, errors: 0, idleShare: 0, disturbance },
      }),
      estimateSeconds: () => ({ prepare: 1, round: 1 }),
      ...changes,
    };
  }

  async play(plans: Record<string, WorkPlan>): Promise<ScenarioOutcome[]> {
    const castings = Object.entries(plans).map(([name, plan]) => ({
      scenario: { ...named('async-1k'), name, plan },
      contestants: [RINGMQ],
    }));
    const bench = { folder: this.#folder } as unknown as Bench;
    const outcomes: ScenarioOutcome[] = [];
    const measurement = new Measurement(bench, SILENT, { rounds: 1, repeatsPerRound: 0 });
    await measurement.run(castings, (outcome) => outcomes.push(outcome));
    fs.rmSync(this.#cache, { recursive: true });
    return outcomes;
  }
}

test('one broker serves neighbours in its one folder and is stopped after the last of them', async () => {
  const theatre = new Theatre();
  const plans = { a: theatre.plan('a'), b: theatre.plan('b'), c: theatre.plan('c', { sharesBroker: false }) };
  await theatre.play(plans);
  const shared = ['start 1', 'a in a-ringmq', 'b in a-ringmq', 'stop 1'];
  assert.equal(theatre.events, [...shared, 'start 2', 'c in c-ringmq', 'stop 2']);
});

test('a broker that failed is not handed over', async () => {
  const theatre = new Theatre();
  const fail = (): never => {
    throw new Error('broken');
  };
  const [first, second] = await theatre.play({ a: theatre.plan('a', {}, fail), b: theatre.plan('b') });
  assert.equal(theatre.events, ['start 1', 'a in a-ringmq', 'stop 1', 'start 2', 'b in b-ringmq', 'stop 2']);
  assert.is(first?.targets[0]?.failure, 'broken');
  assert.is(second?.targets[0]?.failure, undefined);
});

test('a broker that died after its last round is not handed over', async () => {
  const theatre = new Theatre();
  theatre.death = 'the broker died';
  await theatre.play({ a: theatre.plan('a'), b: theatre.plan('b') });
  assert.equal(theatre.events, ['start 1', 'a in a-ringmq', 'stop 1', 'start 2', 'b in b-ringmq', 'stop 2']);
});

test('a broker that has outgrown its disk is not handed over', async () => {
  const theatre = new Theatre();
  await theatre.play({ a: theatre.plan('a', { filesMaxBytes: 4096 }), b: theatre.plan('b') });
  // anew before its round, and anew for the next scenario
  const first = ['start 1', 'a in a-ringmq', 'stop 1', 'start 2', 'a in a-ringmq', 'stop 2'];
  assert.equal(theatre.events, [...first, 'start 3', 'b in b-ringmq', 'stop 3']);
});

test('an outcome says when it was measured and comes back from JSON as it went', async () => {
  const theatre = new Theatre();
  const before = new Date().toISOString();
  const [outcome] = await theatre.play({ a: theatre.plan('a') });
  assert.ok(outcome !== undefined && outcome.startedAt >= before && outcome.finishedAt >= outcome.startedAt);
  assert.equal(JSON.parse(JSON.stringify(outcome)), outcome);
  assert.equal(outcome?.targets[0]?.rounds[0]?.figures, { rate: 1 });
});

test.run();
