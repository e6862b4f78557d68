/** Random histories of a store with crashes (see store-simulation.ts). SIM_SEED=<n> runs one of them again. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fullRun, seeds } from '../support/random.ts';
import { STEPS, simulateSeeds } from './seeds.ts';
import { SimDisk } from './sim-disk.ts';
import { simulateStore } from './store-simulation.ts';

const test = suite('store simulation');

test('nothing acknowledged is lost, comes twice, or comes up under another topic, whatever fails', async () => {
  const { lost, survived } = await simulateSeeds(seeds('SIM_SEED', fullRun ? 20_000 : 250));
  assert.ok(
    survived > 0 && (lost > 0 || process.env['SIM_SEED'] !== undefined),
    `${lost} lost with power cuts, ${survived} survived`,
  );
});

test('a disk that lies about syncs is found out', async () => {
  let caught = 0;
  for (let seed = 1; seed <= 20; seed++) {
    const disk = new SimDisk();
    disk.lies = true;
    await simulateStore({ seed, steps: STEPS, disk }).catch(() => caught++);
  }
  assert.ok(caught > 0, 'every run passed although no sync was one');
});

test.run();
