// The log in a file that others rename, remove and cut.

import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
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

test('where it cannot be renamed it grows on, which is told once in a minute, and nothing else is lost', () => {
  const rig = new Rig({ maxBytes: 12, keep: 3 });
  writeFileSync(`${rig.path}.1`, 'older\n');
  // A folder that is not empty has the place of the last one: no other can be moved there.
  mkdirSync(`${rig.path}.3/full`, { recursive: true });
  writeFileSync(`${rig.path}.2`, 'oldest\n');
  for (let minute = 1; minute <= 5; minute++) {
    for (let i = 0; i < 20; i++) assert.ok(rig.file.write(`line${i}\n`));
    assert.is(rig.read().split('cannot be renamed').length, minute + 1);
    rig.now += 60_000;
  }
  for (let i = 0; i < 20; i++) assert.match(rig.read(), new RegExp(`^line${i}$`, 'm'));
  assert.equal([rig.read('ringmq.log.1'), rig.read('ringmq.log.2')], ['older\n', 'oldest\n']);
});

test('without a descriptor for a new file nothing is renamed, however often it is tried', () => {
  const module = new URL('../../../src/cli/log-file.js', import.meta.url).href;
  const folder = temporaryDirectory();
  const path = join(folder, 'ringmq.log');
  for (let i = 1; i <= 5; i++) writeFileSync(`${path}.${i}`, `${i}\n`);
  const script = `
    const { LogFile } = await import('${module}');
    const { openSync, closeSync } = await import('node:fs');
    let now = 0;
    const file = new LogFile('${path}', () => now, { maxBytes: 12, keep: 5 });
    const taken = [];
    try { for (;;) taken.push(openSync('/dev/null')); } catch {}
    for (let i = 0; i < 20; i++, now += 61_000) file.write('line' + i + '\\n');
    for (const descriptor of taken) closeSync(descriptor);
    now += 61_000;
    file.write('last\\n');
  `;
  const shell = `ulimit -n 200; exec "$0" --input-type=module -e "$1"`;
  const child = spawnSync('sh', ['-c', shell, process.execPath, script], { encoding: 'utf8' });
  assert.is(child.status, 0, child.stderr);
  const read = (name: string) => readFileSync(join(folder, name), 'utf8');
  assert.equal(
    [5, 4, 3, 2].map((i) => read(`ringmq.log.${i}`)),
    ['4\n', '3\n', '2\n', '1\n'],
    'one place further, once',
  );
  for (let i = 0; i < 20; i++) assert.match(read('ringmq.log.1'), new RegExp(`^line${i}$`, 'm'));
  assert.is(read('ringmq.log'), 'last\n');
});

test('of a link the file is renamed, and keeps its rights; what is no file is left alone', () => {
  const rig = new Rig();
  const real = join(rig.folder, 'elsewhere', 'real.log');
  mkdirSync(join(rig.folder, 'elsewhere'));
  writeFileSync(real, '');
  chmodSync(real, 0o604);
  const link = join(rig.folder, 'link.log');
  symlinkSync(real, link);
  const file = new LogFile(link, () => 0, { maxBytes: 12, keep: 2 });
  for (let i = 0; i < 4; i++) file.write(`line${i}\n`);
  assert.ok(lstatSync(link).isSymbolicLink());
  assert.equal(
    [readFileSync(`${real}.1`, 'utf8'), readFileSync(real, 'utf8')],
    ['line0\nline1\n', 'line2\nline3\n'],
  );
  assert.is(statSync(real).mode & 0o777, 0o604);
  const none = new LogFile('/dev/null', () => 0, { maxBytes: 12, keep: 2 });
  for (let i = 0; i < 4; i++) assert.ok(none.write(`line${i}\n`));
  assert.ok(lstatSync('/dev/null').isCharacterDevice());
});

test('what others write to the file counts', () => {
  const rig = new Rig({ maxBytes: 100, keep: 3 });
  const other = new LogFile(rig.path, () => rig.now, NEVER);
  rig.file.write('one\n');
  for (let i = 0; i < 20; i++) other.write('0123456789\n');
  rig.now += LOOK_MS;
  rig.file.write('two\n');
  assert.is(rig.read(), 'two\n');
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
