/**
 * No lost wake-up between parking and arrival. The dispatcher publishes a queue's maximum, then takes the interest
 * bits; the reader sets its bit, then looks at the maximum again. Every way in which the dispatcher's steps can fall
 * between those of the reader is tried: each time the pull must be answered exactly once, by what arrived.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { PullRig, pullFields } from '../../support/pull-rig.ts';

const test = suite('wake-up');

/** All ways to put `items` things in order into `places` places, as the place of each. */
function* placements(items: number, places: number, from = 0): Iterable<number[]> {
  if (items === 0) {
    yield [];
    return;
  }
  for (let place = from; place < places; place++) {
    for (const rest of placements(items - 1, places, place)) yield [place, ...rest];
  }
}

interface Case {
  /** Tags of the messages that arrive, in order. */
  tags: string[];
  subscription: string;
  offset: number;
}

/** Runs one schedule: `schedule[i]` = the call of the reader before which step i of the dispatcher is done. */
function run(rig: PullRig, { tags, subscription, offset }: Case, schedule: readonly number[]): number {
  const { directory } = rig;
  const id = rig.id();
  const arrivals: number[] = [];
  const steps = tags.flatMap((_, i) => [
    () => directory.setMaximum(id, 2 + i),
    () => {
      if (rig.takeInterest()) arrivals.push(id);
    },
  ]);
  directory.setMaximum(id, 1);
  directory.takeInterest(id);
  let calls = 0;
  let done = 0;
  const catchUp = () => {
    while (done < steps.length && (schedule[done] ?? 0) <= calls) steps[done++]?.();
    calls++;
  };
  directory.before = catchUp;
  rig.pull(pullFields({ queueOffset: String(offset), subscription }));
  const callsOfPull = calls;
  // What is left of the dispatcher happens afterwards, between and within the turns of news.
  for (;;) {
    const news = arrivals.shift();
    if (news !== undefined) {
      rig.handler.arrived(news);
      rig.handler.serve();
    } else if (done < steps.length) catchUp();
    else break;
  }
  directory.before = () => {};
  return callsOfPull;
}

const CASES: Case[] = [
  { tags: ['A'], subscription: '*', offset: 1 },
  { tags: ['A', 'A'], subscription: '*', offset: 1 },
  { tags: ['B', 'A'], subscription: 'A', offset: 1 },
  { tags: ['B', 'B', 'A'], subscription: 'A', offset: 1 },
];

for (const given of CASES) {
  test(`messages ${given.tags.join(', ')} for ${given.subscription}`, () => {
    const rig = new PullRig();
    for (const tag of given.tags) rig.put('x', tag);
    rig.dispatch();
    // With everything late the reader makes the most calls; a few more places cover what follows them.
    const most = run(rig, given, [1000, 1000, 1000, 1000, 1000, 1000]);
    rig.client.replies();
    let tried = 0;
    for (const schedule of placements(given.tags.length * 2, most + 6)) {
      run(rig, given, schedule);
      const codes = rig.answers().map(([code]) => code);
      // A fresh pull that meets only messages it does not want is told so at once (20); the client asks again.
      const complete = codes.length === 1 && (codes[0] === 0 || codes[0] === 20);
      assert.ok(complete, `schedule ${schedule}: answers ${codes}, ${rig.hold.size} parked`);
      assert.is(rig.hold.size, 0, `schedule ${schedule}`);
      tried++;
    }
    assert.ok(tried > 20, `${tried} schedules`);
  });
}

test('a reader that looks before it sets its bit is found out', () => {
  const rig = new PullRig();
  rig.put();
  rig.dispatch();
  // Setting the bit only after the last look is what makes a wake-up get lost.
  const { directory } = rig;
  const addInterest = directory.addInterest.bind(directory);
  let late: (() => void) | undefined;
  directory.addInterest = (queue, thread) => {
    late = () => addInterest(queue, thread);
  };
  let lost = 0;
  for (const schedule of placements(2, 12)) {
    const before = rig.hold.size;
    const park = rig.hold.park.bind(rig.hold);
    rig.hold.park = (pull) => {
      park(pull);
      rig.directory.before();
      late?.();
    };
    run(rig, CASES[0] as Case, schedule);
    rig.hold.park = park;
    rig.client.replies();
    if (rig.hold.size > before) lost++;
    rig.hold.wakeAll();
    while (rig.hold.next() !== undefined);
  }
  assert.ok(lost > 0, 'no schedule lost the wake-up of a wrong reader');
});

test.run();
