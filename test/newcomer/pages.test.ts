// Every command of the pages, run as they stand there in a fresh clone. What cannot be run is listed here with its
// reason (support/pages.ts), so a page cannot gain a command that nobody has tried.
//
// Some minutes, and packages of npm, Maven Central and the Go proxy: runs with `npm test -- newcomer` and `--full`.
// PAGES=docs/quick-start.md,README.md chooses pages; PAGES_TIMES=1 says how long each block took; PAGES_KEEP=1 leaves
// the folders.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { stopEverything } from '../interop/support/program.ts';
import { cloneInto } from './support/checkout.ts';
import { PAGES } from './support/pages.ts';
import { runPage } from './support/workshop.ts';

const test = suite('pages');
const chosen = process.env['PAGES']?.split(',');
let top = '';

// uvu drops what a before hook throws and calls the run a success: the clone is made by the first test.
test('a fresh clone is set up', () => {
  top = mkdtempSync(join(tmpdir(), 'ringmq-newcomer-'));
  cloneInto(clone());
  const output = execFileSync('npm', ['run', '-s', 'setup', '--', '--dev'], {
    cwd: clone(),
    encoding: 'utf8',
  });
  assert.match(output, /setup: bundling \.\.\. done/);
});

for (const { notRun = {}, ...page } of PAGES.filter((one) => chosen?.includes(one.page) ?? true)) {
  test(`${page.page}: its commands do what it says`, async () => {
    await runPage({ ...page, clone: clone(), notRun: new Map(Object.entries(notRun)) });
  });
}

test.after(async () => {
  await stopEverything();
  if (top !== '') rmSync(top, { recursive: true, force: true });
});

/** Its name is what a project beside it calls it. */
function clone(): string {
  return join(top, 'ringmq');
}

test.run();
