import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { writeDecimal, writeHex, writeMillis } from '../../../bench/load/digits.ts';
import { LatencyRecorder, Recorder } from '../../../bench/load/recorder.ts';
import { RequestWindow } from '../../../bench/load/window.ts';

test('window: replies in any order close their own request once', () => {
  const window = new RequestWindow(4);
  const opaques = [10, 20, 30, 40].map((since) => window.open(since));
  assert.is(new Set(opaques).size, 4);
  assert.is(window.free, 0);
  assert.is(window.close(opaques[2] as number), 30);
  assert.is(window.close(opaques[2] as number), -1, 'a second reply to the same request');
  assert.is(window.close(opaques[0] as number), 10);
  assert.is(window.close(7), -1, 'an opaque that was never used');
  assert.is(window.inFlight, 2);
});

test('window: an opaque is not used again soon', () => {
  const window = new RequestWindow(3);
  const used = new Set<number>();
  for (let index = 0; index < 3000; index++) {
    const opaque = window.open(index);
    assert.not.ok(used.has(opaque));
    used.add(opaque);
    assert.is(window.close(opaque), index);
  }
  assert.is(window.free, 3);
});

test('digits have a fixed width', () => {
  const target = Buffer.alloc(13, 0x2d);
  writeDecimal(target, 0, 10, 1_999_999_999);
  assert.is(target.toString('latin1'), '1999999999---');
  writeDecimal(target, 0, 5, 42);
  assert.is(target.toString('latin1', 0, 5), '00042');
  writeHex(target, 0, 8, -1);
  assert.is(target.toString('latin1', 0, 8), 'FFFFFFFF');
  writeMillis(target, 0, 1_700_000_000_009);
  assert.is(target.toString('latin1'), '1700000000009');
});

test('latencies: flat and beyond', () => {
  const recorder = new LatencyRecorder();
  for (let index = 1; index <= 990; index++) recorder.record(100);
  for (let index = 0; index < 10; index++) recorder.record(200_000);
  assert.ok(Math.abs(recorder.percentile(50) - 100) < 0.2);
  assert.ok(Math.abs(recorder.percentile(99.5) - 200_000) < 200);
  assert.ok(Math.abs(recorder.maximum - 200_000) < 200);
  assert.ok(Math.abs(recorder.percentile(50) - 100) < 0.2, 'reading twice changes nothing');
});

test('errors of the warm-up are told apart', () => {
  const recorder = new Recorder();
  recorder.reply(2, 10);
  recorder.start();
  recorder.reply(0, 10);
  recorder.reply(17, 10);
  recorder.unexpectedReply();
  recorder.stop();
  recorder.reply(0, 10);
  const result = recorder.result(1, false);
  assert.is(result.messages, 1);
  assert.is(result.errors, 3);
  assert.is(result.warmupErrors, 1);
  assert.equal(result.errorCodes, { 17: 1 });
});

test.run();
