import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FOREIGN_SHARE_MAX, judge, STALL_MILLIS_MAX } from '../../../bench/rocketmq/disturbance.ts';
import { fileSystemOf } from '../../../bench/rocketmq/machine.ts';
import { foreignShare, parseBusySeconds, parseMemory, parseStat } from '../../../bench/rocketmq/proc.ts';

test('/proc/PID/stat: brackets and spaces in the name change nothing', () => {
  const text = '4242 (a) b (c) S 17 1 1 0 -1 4194560 1 2 3 4 250 150 9 9 20 0 30 0 5 6 7';
  assert.equal(parseStat(text), { parent: 17, cpuSeconds: 4 });
});

test('/proc/PID/status: anonymous and shared memory', () => {
  const text = 'VmRSS:\t  999 kB\nRssAnon:\t   80 kB\nRssFile:\t   7 kB\nRssShmem:\t   16 kB\n';
  assert.equal(parseMemory(text), { anonymousBytes: 81_920, sharedBytes: 16_384 });
  assert.equal(parseMemory('Name: kthread'), { anonymousBytes: 0, sharedBytes: 0 });
});

test('/proc/stat: user, nice, system and stolen time, without interrupts', () => {
  assert.is(parseBusySeconds('cpu  100 20 300 5000 60 7 8 40 0 0\ncpu0 1 2 3\n'), 4.6);
});

test('foreign share: what is left of the busy time', () => {
  const snapshot = (at: number, busySeconds: number, known: [number, number][]) => ({
    at,
    busySeconds,
    known: new Map(known),
  });
  const near = (share: number, expected: number): void => assert.ok(Math.abs(share - expected) < 1e-9);
  const from = snapshot(0, 10, [
    [1, 5],
    [2, 1],
  ]);
  const own: [number, number] = [1, 7];
  near(foreignShare(from, snapshot(2000, 13, [own, [2, 1.2]]), 2), 0.2);
  near(foreignShare(from, snapshot(2000, 13, [own]), 2), 0.25);
  near(foreignShare(from, snapshot(2000, 13, [own, [3, 0.6]]), 2), 0.1);
  assert.is(
    foreignShare(from, snapshot(2000, 13, [[1, 20]]), 2),
    0,
    'coarse clocks never give a negative share',
  );
  assert.is(foreignShare(from, from, 2), 0);
});

test('a round is disturbed by load or by a stall', () => {
  assert.not.ok(judge(FOREIGN_SHARE_MAX, STALL_MILLIS_MAX).disturbed);
  assert.ok(judge(FOREIGN_SHARE_MAX + 0.01, 0).disturbed);
  assert.ok(judge(0, STALL_MILLIS_MAX + 1).disturbed);
});

test('the file system is that of the longest mount point', () => {
  const mounts = '/dev/a / ext4 rw 0 0\ntmpfs /data tmpfs rw 0 0\n/dev/b /database xfs rw 0 0\n';
  assert.is(fileSystemOf('/data/store', mounts), 'tmpfs');
  assert.is(fileSystemOf('/database', mounts), 'xfs');
  assert.is(fileSystemOf('/databases', mounts), 'ext4');
});

test.run();
