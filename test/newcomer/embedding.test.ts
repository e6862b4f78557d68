// docs/embedding.md, word by word: its files go into projects that have RingMQ from a tarball, and its commands are run
// there.

import { cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readProjectFile } from '../support/source-files.ts';
import {
  cloneRepository,
  emptyProject,
  nodeOf,
  removeTemporaryFolders,
  run,
  succeed,
  temporaryFolder,
} from './support/machine.ts';

const test = suite('embedding');

/** What the recipes were written with. */
const PACKAGES = ['ali-ons@3.12.0', 'jest@30', 'vitest@4', 'typescript@5.9', '@types/node@20'];

const page = readProjectFile('docs/embedding.md');

/** Code blocks below a comment `<!-- what: name -->`, by that name. */
function blocks(what: 'file' | 'run'): Map<string, string> {
  const found = page.matchAll(new RegExp(`^<!-- ${what}: (\\S+) -->\\n\`\`\`\\w+\\n(.*?)^\`\`\`$`, 'gms'));
  return new Map([...found].map(([, name, text]) => [name as string, text as string]));
}

const files = blocks('file');
let installed = '';

/** A project with the packages, and those of the page's files that are in `folder`. */
function project(folder: string): string {
  const path = emptyProject(folder);
  cpSync(join(installed, 'node_modules'), join(path, 'node_modules'), {
    recursive: true,
    verbatimSymlinks: true,
  });
  for (const [name, text] of files) {
    if (!name.startsWith(`${folder}/`)) continue;
    const file = join(path, name.slice(folder.length + 1));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  return path;
}

/** In a temporary folder of its own, in which nothing may be left. */
function runCleanly(command: string, args: readonly string[], cwd: string): string {
  const temporary = temporaryFolder(`tmp-${readdirSync(temporaryFolder('.')).length}`);
  const output = succeed(command, args, { cwd, env: { TMPDIR: temporary } });
  const left = readdirSync(temporary).filter((name) => name.startsWith('ringmq-'));
  assert.equal(left, [], `${command} ${args.join(' ')} left a store`);
  return output;
}

function runCommands(folder: string): string[] {
  const commands = blocks('run').get(folder)?.trim().split('\n') ?? [];
  assert.ok(commands.length > 0, `the commands of ${folder} were found`);
  const path = project(folder);
  return commands.map((command) => runCleanly('sh', ['-c', command], path));
}

test.before(() => {
  const packed = temporaryFolder('packed');
  const clone = cloneRepository('embedding');
  succeed('npm', ['pack', '--pack-destination', packed], { cwd: clone });
  installed = emptyProject('installed');
  const tarball = join(packed, readdirSync(packed)[0] as string);
  succeed('npm', ['install', '--no-audit', '--no-fund', tarball, ...PACKAGES], { cwd: installed });
});

test.after(removeTemporaryFolders);

test('no program or command of the page is left out', () => {
  const fences = [...page.matchAll(/^```\w+$/gm)].length;
  assert.is(files.size + blocks('run').size, fences);
});

test('jest with its default configuration', () => {
  for (const output of runCommands('jest')) assert.match(output, /Tests: +1 passed, 1 total/);
});

test('vitest, in processes and in threads', () => {
  for (const output of runCommands('vitest')) assert.match(output, /Tests .*1 passed/);
});

test('node:test', () => {
  for (const output of runCommands('node-test')) assert.match(output, /pass 1\n.*fail 0/s);
});

test('jest ends by itself although nobody closes its brokers, and its fake timers and realm do no harm', () => {
  const path = project('jest-realm');
  for (const name of ['a', 'b', 'c']) writeFileSync(join(path, `${name}.test.js`), IN_A_REALM);
  const output = runCleanly('npx', ['jest', '--workers=2', '--detectOpenHandles=false'], path);
  assert.match(output, /Tests: +6 passed, 6 total/);
  assert.not.match(output, /did not exit|open handle|force exited/);
  const inBand = runCleanly('npx', ['jest', 'a.test.js', '--detectOpenHandles'], path);
  assert.not.match(inBand, /open handle/);
});

test('programs of the page, with the Node.js of today and with the others', () => {
  for (const node of [process.execPath, ...[22, 24, 26].map(nodeOf)]) {
    const path = project('plain');
    assert.match(runCleanly(node, ['start.mjs'], path), /^127\.0\.0\.1:\d+$/m);
    assert.match(runCleanly(node, ['two.mjs'], path), /^2 name servers$/m);
    assert.match(
      runCleanly(node, ['errors.mjs'], path),
      /^RINGMQ_BAD_OPTION\nstartBroker: .*did you mean port\?$/m,
    );
    writeFileSync(
      join(path, 'fresh.cjs'),
      "require('node:fs').rmSync('queues', { recursive: true, force: true });",
    );
    succeed(node, ['fresh.cjs'], { cwd: path });
    const walked = runCleanly(node, ['walk.mjs'], path);
    assert.match(
      walked,
      /^0 orders\/1#0 key-book book\n\d+ orders\/1#1 key-pen pen\nfrom offset 1: key-pen\n/,
    );
    assert.match(walked, /\{ topic: 'orders', queueId: 1, minOffset: 0, maxOffset: 2 \}/);
  }
});

test('await using, where the compiler brings it to an older Node.js and where Node.js has it', () => {
  const path = project('using');
  writeFileSync(join(path, 'using.mts'), USING);
  const compile = ['tsc', '--strict', '--skipLibCheck', 'false', '--module', 'nodenext', '--outDir', 'out'];
  for (const lib of ['es2022', 'es2022,esnext.disposable']) {
    succeed('npx', [...compile, '--target', 'es2022', '--lib', lib, 'using.mts'], { cwd: path });
  }
  assert.match(runCleanly(process.execPath, ['out/using.mjs'], path), /^closed: true$/m);
  succeed('npx', [...compile, '--target', 'esnext', 'using.mts'], { cwd: path });
  assert.match(runCleanly(nodeOf(24), ['out/using.mjs'], path), /^closed: true$/m);
  const { code } = run('npx', [...compile, '--target', 'es2022', '--types', 'none', 'using.mts'], {
    cwd: path,
  });
  assert.is.not(code, 0, 'the compiler would tell');
});

const IN_A_REALM = `
const { RingMQError, openStore, startBroker } = require('ringmq');
test('errors are errors here', async () => {
  const broker = await startBroker();
  const port = Number(broker.broker.split(':')[1]);
  const error = await startBroker({ port }).catch((reason) => reason);
  expect(error).toBeInstanceOf(RingMQError);
  expect(error).toBeInstanceOf(Error);
  expect(error.cause).toBeInstanceOf(Error);
  expect(error.cause.code).toBe('EADDRINUSE');
  const store = openStore({ directory: broker.store + '-own', options: { mappedFileSizeCommitLog: 16 << 20 } });
  store.append({ topic: 'orders', body: new Uint8Array([1, 2]) });
  store.dispatch();
  expect([...store.messages()].map(({ body }) => [...body])).toEqual([[1, 2]]);
  expect(await store.close()).toBe(true);
  require('node:fs').rmSync(broker.store + '-own', { recursive: true });
});
test('fake timers', async () => {
  jest.useFakeTimers();
  const broker = await startBroker({ topics: ['orders'] });
  await broker.createTopic('jobs');
  await broker.close();
});
`;

const USING = `
import { existsSync } from 'node:fs';
import { openStore, startBroker } from 'ringmq';
let directory = '';
{
  await using broker = await startBroker();
  directory = broker.store;
  await using store = openStore({ directory: broker.store + '-own' , options: { mappedFileSizeCommitLog: 16 << 20 } });
  store.append({ topic: 'orders', body: 'x' });
}
console.log('closed:', !existsSync(directory));
import('node:fs').then(({ rmSync }) => rmSync(directory + '-own', { recursive: true }));
`;

test.run();
