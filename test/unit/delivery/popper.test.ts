// A pop looks at a bounded number of entries, however many queues its topic has.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { LiveCheckpoints } from '../../../src/delivery/pop/live-checkpoints.ts';
import type { OrderedPops } from '../../../src/delivery/pop/ordered-pops.ts';
import type { PopContext } from '../../../src/delivery/pop/pop-context.ts';
import { type PairParked, PopPair } from '../../../src/delivery/pop/pop-pair.ts';
import type { PopQuestion } from '../../../src/delivery/pop/pop-questions.ts';
import { type PopOffsets, PopStates } from '../../../src/delivery/pop/pop-states.ts';
import { Popper } from '../../../src/delivery/pop/popper.ts';
import { FakeTime } from '../metadata/support.ts';

const test = suite('how much a pop looks at');
const QUEUES = 100;
const ENTRIES = 500;
const MOST = 8 * 800;

test('a filter that matches nothing in many queues', () => {
  const time = new FakeTime();
  let looked = 0;
  const store = {
    minOffset: () => 0,
    maxOffset: (topic: string) => (topic === 'T' ? ENTRIES : 0),
    minPhysicalOffset: 0,
    maxPhysicalOffset: 1,
    readQueue: (_topic: string, _queueId: number, from: number, count: number) =>
      Array.from({ length: Math.min(count, ENTRIES - from) }, (_, i) => {
        looked += 1;
        return { queueOffset: from + i, physicalOffset: 0, size: 100, tagsCode: 1n };
      }),
    recordAt: () => undefined,
  };
  const settings = () => ({ popFromRetryProbability: 0 });
  const context = { clock: time, timers: time, store, settings, random: Math.random };
  const all = { ask: () => {}, forgotten: () => {}, dropped: () => {}, now: () => time.monotonic() };
  const states = new PopStates(all);
  const popper = new Popper({
    context: { ...context, allDispatched: () => true } as unknown as PopContext,
    ...{ states, live: {} as LiveCheckpoints, ordered: {} as OrderedPops, freed: () => {} },
  });
  const pair = new PopPair(states.of('T', 'G') as PopOffsets, states.of('R', 'G') as PopOffsets, 0);
  const filter = { matches: () => false } as unknown as PairParked['filter'];
  const question = { topic: 'T', group: 'G', queueId: -1, queues: QUEUES, maxCount: 32 } as PopQuestion;
  const parked = { filter, among: pair, wanting: { kind: 'pop', question } } as unknown as PairParked;
  let pops = 0;
  for (let outcome = 'more'; outcome === 'more'; pops++) {
    const before = looked;
    outcome = popper.take(parked, question);
    assert.ok(looked - before < MOST + 800, `${looked - before} entries in one pop`);
  }
  assert.is(looked, QUEUES * ENTRIES);
  assert.ok(pops <= (QUEUES * ENTRIES) / MOST + 2);
});

test.run();
