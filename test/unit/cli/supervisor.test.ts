// What a service manager is told, by whom it is asked.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Supervisor } from '../../../src/cli/supervisor.ts';

const test = suite('supervisor');
const PID = 42;

function tell(env: NodeJS.ProcessEnv) {
  const told: [string, string][] = [];
  const beats: [number, () => void][] = [];
  const supervisor = new Supervisor({
    ...{ env, pid: PID },
    notify: (address, text) => told.push([address, text]),
    every: (ms, task) => beats.push([ms, task]),
  });
  supervisor.ready('serving');
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

test('a watchdog hears of it twice in its time', () => {
  for (const more of [{}, { WATCHDOG_PID: String(PID) }]) {
    const { told, periods } = tell({ NOTIFY_SOCKET: '/s', WATCHDOG_USEC: '60000000', ...more });
    assert.equal(periods, [30_000]);
    assert.is(told.filter(([, text]) => text === 'WATCHDOG=1').length, 2);
  }
});

test('one that watches another process, or has no time, does not', () => {
  for (const more of [{ WATCHDOG_PID: '7' }, { WATCHDOG_USEC: 'x' }, { WATCHDOG_USEC: '0' }])
    assert.equal(tell({ NOTIFY_SOCKET: '/s', WATCHDOG_USEC: '60000000', ...more }).periods, []);
});

test.run();
