// What a service manager is told, by whom it is asked.

import { constants } from 'node:os';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Supervisor } from '../../../src/cli/supervisor.ts';

const test = suite('supervisor');
const PID = 42;

/** `busy`: how often the manager takes nothing first. */
function tell(env: NodeJS.ProcessEnv, busy = 0) {
  const again: (() => void)[] = [];
  const told: [string, string][] = [];
  const beats: [number, () => void][] = [];
  const supervisor = new Supervisor({
    ...{ env, pid: PID },
    notify: (address, text) => (told.push([address, text]) > busy ? 0 : -constants.errno.EAGAIN),
    every: (ms, task) => beats.push([ms, task]),
    later: (_, task) => again.push(task),
  });
  supervisor.ready('serving');
  for (let task = again.shift(); task !== undefined; task = again.shift()) task();
  for (const [, beat] of beats) beat();
  supervisor.stopping();
  return { told, periods: beats.map(([ms]) => ms) };
}

test('nobody asks', () => {
  assert.equal(tell({}), { told: [], periods: [] });
  assert.equal(tell({ NOTIFY_SOCKET: '' }).told, []);
});

test('ready and stopping', () => {
  assert.equal(tell({ NOTIFY_SOCKET: '@s' }), {
    told: [
      ['@s', 'READY=1\nSTATUS=serving'],
      ['@s', 'STOPPING=1\nSTATUS=stopping'],
    ],
    periods: [],
  });
});

test('a stop that first waits for clients asks for the time that takes', () => {
  const told: string[] = [];
  const supervisor = new Supervisor({
    ...{ env: { NOTIFY_SOCKET: '@s' }, pid: PID },
    notify: (_, text) => told.push(text),
    every: () => {},
    later: () => {},
  });
  supervisor.stopping(600_000);
  assert.equal(told, ['STOPPING=1\nSTATUS=waiting for clients to leave\nEXTEND_TIMEOUT_USEC=720000000']);
});

test('while a thread does not turn nothing is said, and again when it does', () => {
  const told: string[] = [];
  let beat = () => {};
  let late = 0;
  const supervisor = new Supervisor({
    ...{ env: { NOTIFY_SOCKET: '@s', WATCHDOG_USEC: '60000000' }, pid: PID },
    notify: (_, text) => told.push(text),
    every: (_, task) => {
      beat = task;
    },
    later: () => {},
  });
  supervisor.ready('serving', () => late);
  for (const [ms, beats] of [
    [29_999, 2],
    [30_000, 2],
    [90_000, 2],
    [100, 3],
  ] as const) {
    late = ms;
    beat();
    assert.is(told.filter((text) => text === 'WATCHDOG=1').length, beats, `${ms}`);
  }
});

test('what a busy manager has not taken is said again', () => {
  const { told } = tell({ NOTIFY_SOCKET: '@s' }, 2);
  assert.is(told.filter(([, text]) => text.startsWith('READY=1')).length, 3);
});

test('a watchdog hears of it four times in its time', () => {
  for (const more of [{}, { WATCHDOG_PID: String(PID) }]) {
    const { told, periods } = tell({ NOTIFY_SOCKET: '/s', WATCHDOG_USEC: '60000000', ...more });
    assert.equal(periods, [15_000]);
    assert.is(told.filter(([, text]) => text === 'WATCHDOG=1').length, 2);
  }
});

test('one that watches another process, or has no time, does not', () => {
  for (const more of [{ WATCHDOG_PID: '7' }, { WATCHDOG_USEC: 'x' }, { WATCHDOG_USEC: '0' }])
    assert.equal(tell({ NOTIFY_SOCKET: '/s', WATCHDOG_USEC: '60000000', ...more }).periods, []);
});

test.run();
