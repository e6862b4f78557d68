import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { addon } from '../../src/native/addon.ts';
import { Datagrams } from '../support/datagrams.ts';
import { until } from '../support/sockets-rig.ts';
import { failure } from './support/errno.ts';
import { freshPath } from './support/folder.ts';

test('a text arrives at a path, and at an abstract name', async () => {
  for (const name of [freshPath(), `@ringmq-test-${process.pid}`]) {
    const manager = await Datagrams.listen(name);
    assert.is(addon.notifySupervisor(name, 'READY=1\nSTATUS=für alle'), 0);
    await until('it has arrived', () => manager.texts.length > 0);
    assert.equal(manager.texts, ['READY=1\nSTATUS=für alle']);
    manager.close();
  }
});

test('nobody is there, or no such name can be', () => {
  assert.is(addon.notifySupervisor(freshPath(), 'READY=1'), failure('ENOENT'));
  assert.is(addon.notifySupervisor(`@${'x'.repeat(200)}`, 'READY=1'), failure('EINVAL'));
  for (const name of ['', 1 as never])
    assert.throws(() => addon.notifySupervisor(name, 'READY=1'), /needs address, text/);
});

test.run();
