/** Control's periodic work: what fails is reported and goes on, and does not keep the rest from being done. */
import { rmSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { makeTables } from '../../../src/broker/tables.ts';
import { Listeners } from '../../../src/lib/listeners.ts';
import { DEFAULT_REPLICATION_OPTIONS } from '../../../src/replication/options.ts';
import { storeOptions } from '../../../src/store/store.ts';
import { Duties, type DutiesParts } from '../../../src/threads/control/duties.ts';
import { FakeTime, silentLog, temporaryDirectory, testSettings } from '../metadata/support.ts';

test('a start whose retention fails goes on, and a full disk refuses sends although nothing could be deleted', async () => {
  const directory = temporaryDirectory();
  const said: string[] = [];
  const announced: [boolean, string][] = [];
  const settings = testSettings();
  const duties = new Duties({
    config: {
      settings,
      replication: DEFAULT_REPLICATION_OPTIONS,
      nameServers: [],
      metrics: { port: undefined },
      properties: { changed: new Listeners<void>() },
      store: storeOptions(directory),
    },
    log: { ...silentLog, error: (_: object, text: string) => said.push(text) },
    tables: makeTables(directory, settings, new FakeTime(), silentLog, new FakeTime()),
    retention: {
      run: () => Promise.reject(new Error('no thread to be had')),
      diskRatio: () => 0.95,
      refusesWrites: (ratio: number) => ratio > 0.9,
    },
    stats: { begin: () => {} },
    announcer: { settings: (accept: boolean, why: string) => announced.push([accept, why]) },
    routes: { close: () => {} },
    metrics: { open: async () => {}, close: () => {} },
    slowWatch: { start: () => {}, stop: () => {} },
    endOfTurn: () => {},
  } as unknown as DutiesParts);
  try {
    await duties.start();
  } finally {
    duties.halt();
    rmSync(directory, { recursive: true, force: true });
  }
  assert.is(announced.length, 1);
  assert.is(announced[0]?.[0], false);
  assert.match(announced[0]?.[1] ?? '', /95 % full/);
  assert.equal(said, [
    'the disk is over 90 % full: sends are refused. Free some space or lower fileReservedTime',
    'deleting expired files failed, tried again with the next round',
  ]);
});

test.run();
