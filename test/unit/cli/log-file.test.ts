// The log in a file that others rename, remove and cut.

import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
} from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { LogFile } from '../../../src/cli/log-file.ts';
import { type Rotation, rotationOf } from '../../../src/cli/log-rotation.ts';
import { UserError } from '../../../src/lib/user-error.ts';
import { temporaryDirectory } from '../metadata/support.ts';

const test = suite('log file');
const LOOK_MS = 1_000;
const NEVER: Rotation = { maxBytes: Number.POSITIVE_INFINITY, keep: 1 };

class Rig {
  readonly folder = temporaryDirectory();
  readonly path = join(this.folder, 'ringmq.log');
  now = 0;
  readonly file: LogFile;

  constructor(rotation: Rotation = NEVER) {
    this.file = new LogFile(this.path, () => this.now, rotation);
  }

  read(name = 'ringmq.log'): string {
    return readFileSync(join(this.folder, name), 'utf8');
  }
}

test('lines go to the end of the file, which others may not read', () => {
  const rig = new Rig();
  assert.ok(rig.file.write('one\n'));
  new LogFile(rig.path, () => 0, NEVER).write('two\n');
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
      new LogFile(path, () => 0, NEVER);
    } catch (thrown) {
      error = thrown;
    }
    assert.instance(error, UserError);
    assert.match((error as Error).message, /^RINGMQ_LOG_FILE=.* cannot be written: .*Name a file/);
  }
});

test('a file that is full is renamed, those before it move up, and of them the oldest goes', () => {
  const rig = new Rig({ maxBytes: 12, keep: 2 });
  for (let i = 0; i < 8; i++) assert.ok(rig.file.write(`line${i}\n`));
  assert.equal(readdirSync(rig.folder).sort(), ['ringmq.log', 'ringmq.log.1', 'ringmq.log.2']);
  assert.equal(
    ['ringmq.log.2', 'ringmq.log.1', 'ringmq.log'].map((name) => rig.read(name)),
    ['line2\nline3\n', 'line4\nline5\n', 'line6\nline7\n'],
  );
});

test('what stood in the file before the start counts, and a line longer than a file has one for itself', () => {
  const first = new Rig();
  first.file.write('0123456789\n');
  const next = new LogFile(first.path, () => 0, { maxBytes: 12, keep: 3 });
  next.write('more\n');
  assert.is(first.read('ringmq.log.1'), '0123456789\n');
  next.write(`${'x'.repeat(40)}\n`);
  next.write('end\n');
  assert.equal([first.read('ringmq.log.1').length, first.read()], [41, 'end\n']);
});

test('a file that somebody else has just renamed is not renamed once more', () => {
  const rig = new Rig({ maxBytes: 12, keep: 3 });
  rig.file.write('one of ten\n');
  renameSync(rig.path, `${rig.path}.1`);
  rig.file.write('two\n');
  assert.equal(readdirSync(rig.folder).sort(), ['ringmq.log', 'ringmq.log.1']);
  assert.equal([rig.read('ringmq.log.1'), rig.read()], ['one of ten\n', 'two\n']);
});

test('two processes that share a file lose no line when it is renamed', () => {
  const rig = new Rig({ maxBytes: 100, keep: 100 });
  const other = new LogFile(rig.path, () => rig.now, { maxBytes: 100, keep: 100 });
  for (let i = 0; i < 200; i++) {
    assert.ok((i % 2 === 0 ? rig.file : other).write(`${i}\n`));
    rig.now += 50;
  }
  const all = readdirSync(rig.folder).flatMap((name) => rig.read(name).trimEnd().split('\n').map(Number));
  assert.equal(
    all.sort((a, b) => a - b),
    Array.from({ length: 200 }, (_, i) => i),
  );
});

test('where it cannot be renamed it grows on, which is told once in a minute', () => {
  const rig = new Rig({ maxBytes: 12, keep: 1 });
  // A folder that is not empty has the place.
  mkdirSync(`${rig.path}.1/full`, { recursive: true });
  for (let i = 0; i < 20; i++) assert.ok(rig.file.write(`line${i}\n`));
  assert.is(rig.read().split('cannot be renamed').length, 2);
  for (let i = 0; i < 20; i++) assert.match(rig.read(), new RegExp(`^line${i}$`, 'm'));
  rig.now += 60_000;
  rig.file.write('line\n');
  assert.is(rig.read().split('cannot be renamed').length, 3);
});

test('its size and number are given in the environment, with sentences for what they cannot be', () => {
  assert.equal(rotationOf({}), { maxBytes: 100 * 2 ** 20, keep: 10 });
  assert.equal(rotationOf({ RINGMQ_LOG_MAX_SIZE: '2g', RINGMQ_LOG_KEEP: '3' }), {
    maxBytes: 2 * 2 ** 30,
    keep: 3,
  });
  assert.is(rotationOf({ RINGMQ_LOG_MAX_SIZE: '0' }).maxBytes, Number.POSITIVE_INFINITY);
  const refused = (env: NodeJS.ProcessEnv, sentence: RegExp) =>
    assert.throws(
      () => rotationOf(env),
      (error: unknown) => error instanceof UserError && sentence.test(error.message),
    );
  for (const size of ['1', 'much', '-1', '1T', '10 M'])
    refused({ RINGMQ_LOG_MAX_SIZE: size }, /^RINGMQ_LOG_MAX_SIZE=.*: allowed is a size from 64K on/);
  for (const keep of ['0', 'all', '-1', '1001'])
    refused({ RINGMQ_LOG_KEEP: keep }, /^RINGMQ_LOG_KEEP=.*: allowed is a number of files from 1 to 1000/);
});

test.run();
