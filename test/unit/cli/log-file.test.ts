// The log in a file that others rename, remove and cut.

import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { LogFile } from '../../../src/cli/log-file.ts';
import { UserError } from '../../../src/lib/user-error.ts';
import { temporaryDirectory } from '../metadata/support.ts';

const test = suite('log file');
const LOOK_MS = 1_000;

class Rig {
  readonly folder = temporaryDirectory();
  readonly path = join(this.folder, 'ringmq.log');
  now = 0;
  readonly file = new LogFile(this.path, () => this.now);

  read(name = 'ringmq.log'): string {
    return readFileSync(join(this.folder, name), 'utf8');
  }
}

test('lines go to the end of the file, which others may not read', () => {
  const rig = new Rig();
  assert.ok(rig.file.write('one\n'));
  new LogFile(rig.path, () => 0).write('two\n');
  rig.file.write('three\n');
  assert.is(rig.read(), 'one\ntwo\nthree\n');
  assert.is(statSync(rig.path).mode & 0o007, 0);
});

test('a renamed file gets no more once that is seen', () => {
  const rig = new Rig();
  rig.file.write('one\n');
  renameSync(rig.path, join(rig.folder, 'old'));
  rig.file.write('two\n');
  rig.now += LOOK_MS;
  rig.file.write('three\n');
  assert.equal([rig.read('old'), rig.read()], ['one\ntwo\n', 'three\n']);
});

test('it is looked at at once when somebody says so', () => {
  const rig = new Rig();
  renameSync(rig.path, join(rig.folder, 'old'));
  rig.file.reopen();
  rig.file.write('one\n');
  assert.is(rig.read(), 'one\n');
});

test('a file that was cut is written from its beginning', () => {
  const rig = new Rig();
  rig.file.write('one\n');
  truncateSync(rig.path);
  rig.file.write('two\n');
  assert.is(rig.read(), 'two\n');
});

test('while its folder is gone the old file is written on', () => {
  const rig = new Rig();
  rmSync(rig.folder, { recursive: true });
  rig.now += LOOK_MS;
  assert.ok(rig.file.write('lost with it\n'));
  mkdirSync(rig.folder);
  rig.now += LOOK_MS;
  rig.file.write('one\n');
  assert.is(rig.read(), 'one\n');
});

test('a place where there can be no file is told in a sentence', () => {
  const folder = temporaryDirectory();
  chmodSync(folder, 0o500);
  for (const path of [folder, join(folder, 'none', 'ringmq.log')]) {
    let error: unknown;
    try {
      new LogFile(path, () => 0);
    } catch (thrown) {
      error = thrown;
    }
    assert.instance(error, UserError);
    assert.match((error as Error).message, /^RINGMQ_LOG_FILE=.* cannot be written: .*Name a file/);
  }
});

test.run();
