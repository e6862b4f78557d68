// The first minutes in a fresh clone, and what it says when something is in the way.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { PROJECT } from '../support/packaging.ts';
import {
  cloneRepository,
  emptyProject,
  nodeOf,
  removeTemporaryFolders,
  run,
  start,
  stop,
  succeed,
  temporaryFolder,
  whenItSays,
} from './support/machine.ts';

const test = suite('a fresh clone');

let clone = '';
const store = (name: string) => join(temporaryFolder('stores'), name);
const free = ['--port', '0', '--namesrv-port', '0'];

/** npm 12 refuses what it does not know by itself. */
const npmMajor = Number(run('npm', ['--version'], { cwd: PROJECT }).output.split('.')[0]);

test.before(() => {
  clone = cloneRepository('fresh');
});

test.after(removeTemporaryFolders);

test('a clone that was never set up says what to do', () => {
  const project = emptyProject('linked');
  succeed('npm', ['install', '--ignore-scripts', clone], { cwd: project });
  const sentence = `RingMQ in ${clone} is not set up yet. Run "npm run setup" there`;
  for (const script of ["import('ringmq')", "require('ringmq')"]) {
    const { code, output } = run(process.execPath, ['-e', script], { cwd: project });
    assert.is(code, 1, script);
    assert.match(output, sentence, script);
  }
  const command = run(join(project, 'node_modules/.bin/ringmq'), ['standalone'], { cwd: project });
  assert.is(command.code, 1);
  assert.is(command.output.split('\n').length, 2, 'one sentence');
  assert.match(command.output, sentence);
});

test('npm start --store=DIR without the -- is refused before anything is set up', () => {
  const before = readdirSync(clone);
  const { code, output } = run('npm', ['start', `--store=${store('swallowed')}`], { cwd: clone });
  assert.is(code, 1);
  assert.match(output, npmMajor < 12 ? `npm start -- --store=${store('swallowed')}` : '--store');
  assert.equal(readdirSync(clone), before);
  assert.not(existsSync(store('swallowed')));
});

test('a set-up that is interrupted in the middle of the build leaves nothing running and goes on later', async () => {
  const setup = start('npm', ['run', 'setup'], { cwd: clone });
  await whenItSays(setup, /building the native addon/);
  assert.is.not(await stop(setup), 0);
  assert.throws(() => process.kill(-(setup.pid as number), 0), /ESRCH/);
  assert.not(existsSync(join(clone, '.cache/setup.lock')));
  assert.not(existsSync(join(clone, 'build/Release/ringmq.node')));
});

test('npm start goes on from there, with the types, and the second start sets nothing up', async () => {
  const arguments_ = ['start', '--', ...free, '--store', store('started')];
  for (const expected of [/setup: building the native addon .*done/s, /^(?![\s\S]*setup:)/]) {
    const broker = start('npm', arguments_, { cwd: clone });
    assert.match(await whenItSays(broker, /RingMQ ready: .*\n/), expected);
    await stop(broker);
  }
  for (const kind of ['import', 'require'])
    assert.ok(existsSync(join(clone, `dist/types/${kind}/index.d.ts`)));
});

test('other versions of Node.js run it without building it anew', async () => {
  for (const major of [22, 24, 26]) {
    const args = ['packaging/run.mjs', 'standalone', ...free, '--store', store(`node-${major}`)];
    const broker = start(nodeOf(major), args, { cwd: clone });
    const output = await whenItSays(broker, /RingMQ ready: .*\n/);
    assert.not.match(output, /setup:/);
    await stop(broker);
  }
});

test("the addon's tests pass on other versions of Node.js", () => {
  for (const major of [22, 24, 26]) {
    for (const file of ['regions', 'small-files', 'append', 'threads', 'doorbell', 'fault-guard'])
      succeed(nodeOf(major), [join(PROJECT, `dist/test/native/${file}.test.js`)], { cwd: PROJECT });
  }
});

test('npm install in a clone sets it up too, also where the environment says production', () => {
  const other = cloneRepository('installed');
  succeed('npm', ['install', '--include=dev'], { cwd: other, env: { NODE_ENV: 'production' } });
  assert.match(succeed('npm', ['run', 'setup'], { cwd: other }), /everything is up to date/);
});

test('a set-up where the environment says production', () => {
  const other = cloneRepository('production');
  succeed('npm', ['run', 'setup'], { cwd: other, env: { NODE_ENV: 'production' } });
  assert.match(succeed('npm', ['run', 'setup'], { cwd: other }), /everything is up to date/);
});

test.run();
