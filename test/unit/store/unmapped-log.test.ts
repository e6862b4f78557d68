/** The log read by calls: what is read, and which files stay open. */
import { mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { nativeDisk } from '../../../src/store/disk/native-disk.ts';
import { fileNameOf } from '../../../src/store/log/segments.ts';
import { UnmappedLog } from '../../../src/store/log/unmapped-log.ts';

const test = suite('log read by calls');
const SIZE = 16;
const FILES = 100;

/** Names of the files below `directory` that this process has open. */
function openBelow(directory: string): string[] {
  return readdirSync('/proc/self/fd')
    .map((descriptor) => {
      try {
        return readlinkSync(`/proc/self/fd/${descriptor}`);
      } catch {
        return '';
      }
    })
    .filter((path) => path.startsWith(`${directory}/`));
}

test('any position is read, and no file is held that retention has deleted', () => {
  const directory = mkdtempSync(join(tmpdir(), 'ringmq-test-'));
  for (let i = 0; i < FILES; i++) writeFileSync(join(directory, fileNameOf(i * SIZE)), Buffer.alloc(SIZE, i));
  const log = new UnmappedLog(nativeDisk, directory, SIZE);
  const read = (position: number, length = 8) => {
    const target = Buffer.alloc(length);
    return [log.copy(position, length, target, 0), target[0], target.at(-1)];
  };
  for (let i = 0; i < FILES; i++) assert.equal(read(i * SIZE + 4), [0, i, i]);
  assert.ok(openBelow(directory).length > 2);
  log.dropBefore(98 * SIZE);
  assert.ok(openBelow(directory).length <= 2);
  assert.equal(read(4), [0, 0, 0], 'one that was closed meanwhile');
  assert.ok((read(FILES * SIZE)[0] as number) > 0, 'no such file');
  log.close();
  assert.equal(openBelow(directory), []);
  rmSync(directory, { recursive: true });
});

test.run();
