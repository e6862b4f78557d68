/** An idle server gives memory back; a busy one is not stopped for it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { IdleMemory } from '../../../src/cli/idle-memory.ts';

const test = suite('idle memory');
const MIB = 1024 * 1024;

class Rig {
  busy = 0;
  held: number;
  resident: number | undefined = 50 * MIB;
  readonly did: string[] = [];
  readonly memory: IdleMemory;

  constructor(held = 20 * MIB) {
    this.held = held;
    this.memory = new IdleMemory({
      utilization: () => this.busy,
      held: () => this.held,
      collect: () => {
        this.did.push('collect');
        this.held = 21 * MIB;
      },
      resident: () => this.resident,
      trim: () => {
        this.did.push('trim');
        this.resident = 40 * MIB;
        return Promise.resolve();
      },
    });
  }

  async look(): Promise<string[]> {
    this.memory.look();
    await Promise.resolve();
    return this.did.splice(0);
  }
}

test('a heap that has grown is collected twice once its thread is idle', async () => {
  const rig = new Rig();
  assert.equal(await rig.look(), ['trim']);
  assert.equal(await rig.look(), []);
  rig.held = 100 * MIB;
  rig.busy = 0.5;
  assert.equal(await rig.look(), []);
  rig.busy = 0.2;
  assert.equal(await rig.look(), ['collect']);
  assert.equal(await rig.look(), ['collect']);
  assert.equal(await rig.look(), []);
  rig.held = 36 * MIB;
  assert.equal(await rig.look(), [], 'a little is no reason');
  rig.held = 38 * MIB;
  assert.equal(await rig.look(), ['collect']);
});

test('of a large heap that is alive a larger growth is no reason', async () => {
  const rig = new Rig(300 * MIB);
  await rig.look();
  rig.held = 440 * MIB;
  assert.equal(await rig.look(), []);
  rig.held = 460 * MIB;
  assert.equal(await rig.look(), ['collect']);
});

test('what glibc keeps is given back, busy or not, when it is much', async () => {
  const rig = new Rig();
  rig.busy = 1;
  assert.equal(await rig.look(), ['trim']);
  rig.resident = 55 * MIB;
  assert.equal(await rig.look(), []);
  rig.resident = 57 * MIB;
  assert.equal(await rig.look(), ['trim']);
});

test('while the system does not say how much memory the process has, nothing is given back', async () => {
  const rig = new Rig();
  rig.resident = undefined;
  assert.equal(await rig.look(), []);
  rig.resident = 90 * MIB;
  assert.equal(await rig.look(), ['trim']);
});

test.run();
