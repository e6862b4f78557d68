/** The engine inside a network thread: however much there is to do, the thread's sockets have their turn. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Agent } from '../../../src/ring/agent.ts';
import { Positions } from '../../../src/ring/positions.ts';
import { InlineEngine } from '../../../src/threads/network/inline-engine.ts';

const test = suite('inline engine');

class FakeAgent implements Agent {
  /** Rounds that it has work for. */
  left = 0;
  rounds = 0;
  closed = false;
  maxSleepMs = 1_000;
  readonly spins = 1;

  doWork(): number {
    if (this.left === 0) return 0;
    this.left--;
    this.rounds++;
    return 1;
  }

  hasWork(): boolean {
    return this.left > 0;
  }

  get drained(): boolean {
    return this.left === 0;
  }

  close(): void {
    this.closed = true;
  }
}

function rig(): { agent: FakeAgent; engine: InlineEngine; cameBack: Promise<void> } {
  const agent = new FakeAgent();
  let back = () => {};
  const cameBack = new Promise<void>((resolve) => {
    back = resolve;
  });
  return { agent, engine: new InlineEngine(agent, new Positions(), () => back()), cameBack };
}

test('a turn ends although there is more to do, and comes back for it', async () => {
  const { agent, engine, cameBack } = rig();
  agent.left = 1_000_000;
  assert.ok(engine.work());
  assert.ok(agent.rounds > 1 && agent.rounds < 1_000, `${agent.rounds} rounds`);
  await cameBack;
  agent.left = 3;
  assert.ok(engine.work());
  assert.is(agent.left, 0);
  assert.not.ok(engine.work());
  engine.close();
});

test('it comes back for what is due before any other turn, also when that has become earlier', async () => {
  const { agent, engine, cameBack } = rig();
  agent.maxSleepMs = 200;
  engine.work();
  agent.maxSleepMs = 1;
  engine.work();
  const winner = await Promise.race([
    cameBack.then(() => 'came back'),
    new Promise((resolve) => setTimeout(resolve, 150, 'the later timer')),
  ]);
  assert.is(winner, 'came back');
  engine.close();
});

test('a close does the rest, however much, and leaves no timer', async () => {
  const { agent, engine, cameBack } = rig();
  agent.left = 1_000;
  agent.maxSleepMs = 1;
  engine.close();
  assert.equal([agent.left, agent.closed], [0, true]);
  const winner = await Promise.race([
    cameBack.then(() => 'came back'),
    new Promise((resolve) => setTimeout(resolve, 20, 'nobody')),
  ]);
  assert.is(winner, 'nobody');
});

test.run();
