/** A directory that is there when the call returns is there after a power cut, whoever has made it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ensureDirectory } from '../../../src/store/disk/ensure-directory.ts';
import { SimCrash, SimDisk } from '../../sim/sim-disk.ts';
import { LOG, ROOT } from '../../support/messages.ts';
import { Random } from '../../support/random.ts';

const test = suite('durable directories');

test('one that a killed process has made, and had not synced yet', () => {
  let deaths = 0;
  for (let calls = 0, ended = false; !ended; calls++) {
    for (let seed = 0; seed < 20; seed++) {
      const disk = new SimDisk();
      disk.unordered = true;
      disk.callsUntilCrash = calls;
      try {
        ensureDirectory(disk, LOG);
        ended = true;
      } catch (error) {
        assert.instance(error, SimCrash);
        deaths++;
      }
      disk.kill();
      ensureDirectory(disk, LOG);
      disk.powerCut(new Random(seed));
      for (const path of [ROOT, LOG])
        assert.ok(disk.isDirectory(path), `${path} is gone, after a kill at call ${calls}, seed ${seed}`);
    }
  }
  assert.ok(deaths > 40);
});

test.run();
