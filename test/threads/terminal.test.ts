// `npm start` in a real terminal: Ctrl-C reaches node twice, from the terminal and from npm.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { temporaryStore } from '../support/broker-process.ts';
import { Terminal } from '../support/pseudo-terminal.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const CTRL_C = '\x03';

const test = suite('terminal');

/** Starts a broker in a terminal, lets `act` happen, and says whether its stop was a clean one. */
async function stopsCleanly(command: string, act: (terminal: Terminal) => void): Promise<void> {
  const store = temporaryStore();
  try {
    const options = `--port 0 --namesrv-port 0 --store '${store.directory}'`;
    const terminal = new Terminal(`${command} ${options}`, { cwd: ROOT });
    await terminal.shows(/RingMQ ready: .*, store [^\r]*\r\n/);
    assert.ok(existsSync(join(store.directory, 'abort')));
    act(terminal);
    const code = await terminal.ended;
    assert.not(existsSync(join(store.directory, 'abort')), terminal.screen);
    assert.match(terminal.screen, /stopped/);
    assert.not.match(terminal.screen, /ending at once|npm error/);
    assert.is(code, 0, terminal.screen);
  } finally {
    store.remove();
  }
}

test('one Ctrl-C on npm start stops the broker', () =>
  stopsCleanly('npm start --', (terminal) => terminal.type(CTRL_C)));

test('so does one on the command line itself, and one that a nervous hand types three times', async () => {
  const node = `'${process.execPath}' '${join(ROOT, 'dist/bundle/main.cjs')}' standalone`;
  await stopsCleanly(node, (terminal) => terminal.type(CTRL_C));
  await stopsCleanly(node, (terminal) => terminal.type(CTRL_C.repeat(3)));
});

/** Starts a broker by npm in a process group of its own, sends the signal once it is ready, and says what it left. */
async function stopsByNpm(command: readonly string[], kill: (npm: ChildProcess) => void): Promise<void> {
  const store = temporaryStore();
  const options = ['--port', '0', '--namesrv-port', '0', '--store', store.directory];
  const npm = spawn('npm', [...command, ...options], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const ended = once(npm, 'close');
  let output = '';
  const ready = new Promise<void>((resolve) => {
    for (const stream of [npm.stdout, npm.stderr])
      stream.on('data', (chunk) => {
        output += chunk;
        if (output.includes('RingMQ ready')) resolve();
      });
  });
  await Promise.race([ready, ended]);
  assert.ok(existsSync(join(store.directory, 'abort')), output);
  kill(npm);
  await ended;
  assert.not(existsSync(join(store.directory, 'abort')), `${command.join(' ')}\n${output}`);
  assert.not.match(output, /ending at once/);
  store.remove();
}

test('a signal that npm alone gets reaches the broker', async () => {
  for (const command of [
    ['start', '--'],
    ['run', 'ringmq', '--', 'standalone'],
  ])
    await stopsByNpm(command, (npm) => npm.kill('SIGTERM'));
});

test('one that a whole process group gets, which npm then sends again, stops it as well', async () => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    await stopsByNpm(['start', '--'], (npm) => process.kill(-(npm.pid as number), signal));
});

test.run();
