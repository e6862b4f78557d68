/** Delayed messages while the machine's clock is set: none is early, none later than its delay and a restart. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DelayLevels } from '../../../src/delivery/delay/levels.ts';
import { rewriteForDelay } from '../../../src/delivery/delay/rewrite.ts';
import { AppendTimes } from '../../../src/metadata/append-times.ts';
import { message, type Setup, setUp } from '../broker/support.ts';
import { FakeTime } from '../metadata/support.ts';
import { DelayRig } from './support.ts';

const test = suite('delay and clock');

const MINUTE = 60_000;
const YEAR = 365 * 24 * 60 * MINUTE;
const STEPS = [10 * MINUTE, -10 * MINUTE, YEAR, -YEAR, 3_000, -3_000];
const levels = new DelayLevels('10s 2h');
/** Wake-ups are rounded up to 100 ms, and a span of entries is as wide as a 128th of the delay. */
const lateBy = (delay: number) => Math.max(200, delay / 128 + 200);

class Broker {
  readonly setup: Setup = setUp();
  rig = this.#service('a boot');

  get time() {
    return this.setup.time;
  }

  get delivered(): number {
    return this.setup.put.messages.length;
  }

  #service(boot: string): DelayRig {
    const rig = new DelayRig(this.setup, { levels, boot });
    rig.service.start();
    return rig;
  }

  /** As the writer stamps a message that comes now, or with a stamp that is ahead of the clock. */
  append(level: number, stamp = this.time.now()): void {
    const wanted = message({ properties: new Map([['DELAY', String(level)]]) });
    const due = BigInt(levels.deliveryTime(level, stamp));
    this.setup.store.append(rewriteForDelay(wanted, levels.max), stamp, due);
  }

  park(level: number, stamp = this.time.now()): void {
    this.append(level, stamp);
    this.rig.service.poke(level);
  }

  async restart(downMs: number, step: number, boot = 'a boot'): Promise<void> {
    await this.rig.stop();
    await this.time.advance(downMs);
    this.time.jump(step);
    this.rig = this.#service(boot);
    await this.time.advance(0);
  }
}

interface Case {
  name: string;
  /** Parks one message at a level and sets the clock by `step`. Returns how much of the wait is over. */
  run(broker: Broker, level: number, step: number): Promise<number>;
  /** The message may come early: nobody can know better. */
  mayBeEarly?: true;
}

const CASES: readonly Case[] = [
  {
    name: 'set right after the message',
    async run(broker, level, step) {
      broker.park(level);
      broker.time.jump(step);
      return 0;
    },
  },
  {
    name: 'set long before the message, while nothing was delayed',
    async run(broker, level, step) {
      broker.time.jump(step);
      await broker.time.advance(MINUTE);
      broker.park(level);
      return 0;
    },
  },
  {
    name: 'set right before the message',
    async run(broker, level, step) {
      broker.time.jump(step);
      broker.park(level);
      return 0;
    },
  },
  {
    name: 'set between the stamp and the dispatching, and noticed at once',
    async run(broker, level, step) {
      const stamp = broker.time.now();
      broker.time.jump(step);
      broker.rig.service.poke(level);
      await broker.time.advance(20);
      broker.park(level, stamp);
      return 0;
    },
  },
  {
    name: 'set during the wait',
    async run(broker, level, step) {
      broker.park(level);
      await broker.time.advance(4_000);
      broker.time.jump(step);
      return 4_000;
    },
  },
  {
    name: 'set during the wait, and back again',
    async run(broker, level, step) {
      broker.park(level);
      await broker.time.advance(2_000);
      broker.time.jump(step);
      await broker.time.advance(2_000);
      broker.time.jump(-step);
      return 4_000;
    },
  },
  {
    name: 'stamps ahead of the clock, as after it was set back',
    async run(broker, level, step) {
      await broker.time.advance(MINUTE);
      broker.park(level, broker.time.now() + Math.abs(step));
      return 0;
    },
  },
  {
    name: 'set while the broker was down',
    async run(broker, level, step) {
      broker.park(level);
      await broker.time.advance(1_000);
      await broker.restart(2_000, step);
      return 3_000;
    },
  },
  {
    name: 'set before a restart',
    async run(broker, level, step) {
      broker.park(level);
      await broker.time.advance(1_000);
      broker.time.jump(step);
      await broker.time.advance(1_000);
      await broker.restart(1_000, 0);
      return 3_000;
    },
  },
  {
    name: 'set while the machine was down',
    async run(broker, level, step) {
      broker.park(level);
      await broker.restart(1_000, step, 'another boot');
      return 0;
    },
    mayBeEarly: true,
  },
];

for (const { name, run, mayBeEarly } of CASES) {
  test(`clock ${name}`, async () => {
    for (const [level, delay] of [
      [1, 10_000],
      [2, 120 * MINUTE],
    ] as const) {
      for (const step of STEPS) {
        const broker = new Broker();
        await broker.time.advance(30_000);
        const waited = await run(broker, level, step);
        const what = `level ${level}, step ${step}`;
        await broker.time.advance(delay - waited - 200);
        if (mayBeEarly !== true) assert.is(broker.delivered, 0, `${what}: early`);
        await broker.time.advance(lateBy(delay) + 200);
        assert.is(broker.delivered, 1, `${what}: late`);
        await broker.rig.stop();
      }
    }
  });
}

test('a restart without any step does not begin the wait anew, even in another boot', async () => {
  for (const boot of ['a boot', 'another boot', '']) {
    const broker = new Broker();
    broker.park(1);
    await broker.time.advance(4_000);
    await broker.restart(4_000, 0, boot);
    await broker.time.advance(1_900);
    assert.is(broker.delivered, 0, boot);
    await broker.time.advance(300);
    assert.is(broker.delivered, 1, boot);
    await broker.rig.stop();
  }
});

test('a damaged file of times costs nothing but exactness', async () => {
  const broker = new Broker();
  broker.park(1);
  await broker.rig.stop();
  for (const text of ['{', '[1]', '{"boot":"a boot","levels":{"1":{"skew":1,"spans":[[1,2]]},"2":7}}']) {
    writeFileSync(join(broker.setup.directory, 'ringmq.delayTimes.json'), text);
    writeFileSync(join(broker.setup.directory, 'ringmq.delayTimes.json.bak'), text);
    await broker.restart(0, 0);
    await broker.rig.stop();
  }
  await broker.restart(0, 0);
  await broker.time.advance(10_200);
  assert.is(broker.delivered, 1);
});

test('messages that come all the time keep few spans, and those of a stuck level have a bound', async () => {
  const time = new FakeTime();
  const times = new AppendTimes(time, 10_000);
  for (let offset = 0; offset < 20_000; offset++) {
    await time.advance(10);
    times.note(offset + 1);
    if (offset >= 1_000) assert.is(times.dueAt(offset - 1_000, time.now()) <= time.monotonic(), true);
  }
  assert.ok(times.state().spans.length < 150, `${times.state().spans.length} spans`);
  const stuck = new AppendTimes(time, 10_000);
  for (let offset = 0; offset < 5_000; offset++) {
    await time.advance(200);
    time.jump(offset % 2 === 0 ? YEAR : -YEAR);
    stuck.note(offset + 1);
  }
  assert.is(stuck.state().spans.length, 512);
  assert.ok(stuck.dueAt(0, time.now() + YEAR) <= time.monotonic());
});

test('entries that the store lost are noted anew', () => {
  const time = new FakeTime();
  const before = new AppendTimes(time, 10_000);
  before.note(100);
  const after = new AppendTimes(time, 10_000, before.state(), 40);
  assert.is(after.end, 40);
  time.jump(YEAR);
  after.note(41);
  assert.is(after.dueAt(40, time.now()), time.monotonic() + 10_000);
});

test.run();
