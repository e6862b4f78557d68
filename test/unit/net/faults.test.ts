/** What clients cause a network thread to have in the log: a line of a reason in ten seconds, with a number. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { LogLevel } from '../../../src/lib/log.ts';
import { Faults } from '../../../src/net/faults.ts';
import { ProtocolError } from '../../../src/protocol/errors.ts';

function rig() {
  const told: { fields: Record<string, unknown>; text: string; level: LogLevel }[] = [];
  const faults = new Faults((fields, text, level = 'warn') => {
    told.push({ fields: fields as Record<string, unknown>, text, level });
  });
  return { faults, told };
}

test('the first is told at once, those of the next ten seconds together, and none is left out', () => {
  const { faults, told } = rig();
  let noted = 0;
  for (let now = 0; now < 60_000; now += 250) {
    for (let i = 0; i < 100; i++, noted++) faults.note('too many connections', `limit ${now}`);
    faults.report(now);
  }
  assert.is(told[0]?.fields['count'], 100);
  assert.is(told.length, 6);
  faults.report(70_000);
  faults.report(90_000);
  assert.is(
    told.reduce((sum, { fields }) => sum + Number(fields['count']), 0),
    noted,
  );
  assert.ok(told.every(({ text }) => text === 'connections closed: too many connections'));
});

test('what a client or the system did is a warning in words, a fault of ours an error with its stack', () => {
  const { faults, told } = rig();
  faults.note('a', 'in words');
  faults.note('b', new ProtocolError('LENGTH', 'a length that no frame has'));
  faults.note('c', Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' }));
  faults.note('d', new TypeError('x is undefined'));
  faults.report(0);
  assert.equal(
    told.map(({ level, fields }) => [level, fields['reason'] ?? '']),
    [
      ['warn', 'in words'],
      ['warn', 'a length that no frame has'],
      ['warn', 'accept EMFILE'],
      ['error', ''],
    ],
  );
  const err = told[3]?.fields['err'] as { type: string; stack: string };
  assert.is(err.type, 'TypeError');
  assert.match(err.stack, /faults\.test/);
});

test('nothing that a client sends makes a long line', () => {
  const { faults, told } = rig();
  faults.note('a', 'x'.repeat(1_000_000));
  faults.note('b', new Error('x'.repeat(1_000_000)));
  faults.report(0);
  assert.ok(JSON.stringify(told).length < 10_000);
});

test.run();
