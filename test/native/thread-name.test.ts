import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { addon } from '../../src/native/addon.ts';

const named = () => readFileSync('/proc/thread-self/comm', 'utf8').replace('\n', '');

test('a thread has its name, of which the system keeps 15 bytes', () => {
  const before = named();
  assert.is(addon.nameThread('writer'), 0);
  assert.is(named(), 'writer');
  assert.is(addon.nameThread('a name that is too long'), 0);
  assert.is(named(), 'a name that is ');
  addon.nameThread(before);
});

test('what is no name', () => {
  for (const name of ['', 'a\0b', 1 as never]) assert.throws(() => addon.nameThread(name), /needs a name/);
});

test.run();
