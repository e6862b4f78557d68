/** Random histories of a store with crashes (see store-simulation.ts). SIM_SEED=<n> runs one of them again. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fullRun, seeds } from '../support/random.ts';
import { SimDisk } from './sim-disk.ts';
import { simulateStore } from './store-simulation.ts';

const test = suite('store simulation');

test('no crash loses what was flushed, doubles a message or brings one up that never was', async () => {
  let lost = 0;
  let survived = 0;
  for (const seed of seeds('SIM_SEED', fullRun ? 3000 : 250)) {
    const result = await simulateStore({ seed, steps: 80 });
    lost += result.lost;
    survived += result.survived;
  }
  assert.ok(lost > 0 && survived > 0, `${lost} messages lost with power cuts, ${survived} survived`);
});

test('a disk that lies about syncs is found out', async () => {
  let caught = 0;
  for (let seed = 1; seed <= 20; seed++) {
    const disk = new SimDisk();
    disk.lies = true;
    await simulateStore({ seed, steps: 80, disk }).catch(() => caught++);
  }
  assert.ok(caught > 0, 'every run passed although no sync was one');
});

test.run();
