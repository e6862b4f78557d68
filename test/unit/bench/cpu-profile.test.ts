import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type CpuProfile, threadProfile } from '../../../bench/rocketmq/profile/cpu-profile.ts';
import { parseProfileOptions } from '../../../bench/rocketmq/profile/options.ts';

function node(
  id: number,
  functionName: string,
  url = '',
  children: number[] = [],
): CpuProfile['nodes'][number] {
  return { id, callFrame: { functionName, url, lineNumber: 0 }, children };
}

const NODES = [
  node(1, '(idle)'),
  node(2, 'park', 'file:///ringmq/dist/src/ring/wake.js'),
  node(3, '#drain', 'file:///ringmq/dist/src/threads/writer-agent.js', [4]),
  node(4, 'append', 'file:///ringmq/dist/src/store/log/commit-log.js'),
  node(5, '', 'file:///ringmq/dist/src/ring/wake.js'),
  node(6, 'doWork', 'file:///ringmq/dist/src/threads/dispatcher-agent.js'),
];

/** Samples of 10 µs each, from 1000 µs on. */
function profile(samples: number[]): CpuProfile {
  return { nodes: NODES, startTime: 1000, samples, timeDeltas: samples.map(() => 10) };
}

test('only the window counts, waiting is no work, callers have the time of what they call, and the same function called from two places is one', () => {
  const samples = [3, 3, 4, 4, 4, 3, 1, 2, 2, 5, 4, 4];
  const found = threadProfile(profile(samples), { from: 1030, to: 1110 });
  // from sample 2 (its interval ends at 1030) to sample 10
  assert.equal(found, {
    thread: 'dispatcher-agent + writer-agent',
    busy: 0.75,
    costs: [
      { place: 'commit-log append', share: 4 / 6, total: 4 / 6 },
      { place: 'writer-agent #drain', share: 1 / 6, total: 5 / 6 },
      { place: 'wake (anonymous)', share: 1 / 6, total: 1 / 6 },
    ],
  });
});

test('a thread that slept is left out', () => {
  assert.is(threadProfile(profile([1, 1, 2, 2]), { from: 1000, to: 1040 }), undefined);
  assert.is(threadProfile(profile([3, 3, 3]), { from: 5000, to: 5040 }), undefined);
});

test('options of the profile', () => {
  const { scenarios, top } = parseProfileOptions([]);
  assert.equal(
    scenarios.map(({ name }) => name),
    ['async-1k'],
  );
  assert.is(top, 12);
  assert.throws(() => parseProfileOptions(['--scenario', 'nope']), /no scenario or row "nope"/);
  assert.throws(() => parseProfileOptions(['--top', '0']), /--top/);
});

test.run();
