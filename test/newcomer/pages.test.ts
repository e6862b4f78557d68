// Every command of the pages, run as they stand there in a fresh clone. What cannot be run is listed here with its
// reason, so a page cannot gain a command that nobody has tried.
//
// Some minutes, and packages of npm, Maven Central and the Go proxy: runs with `npm test -- newcomer` and `--full`.
// PAGES=docs/quick-start.md,README.md chooses pages; PAGES_TIMES=1 says how long each block took; PAGES_KEEP=1 leaves
// the folders.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { repository } from '../interop/support/paths.ts';
import { stopEverything } from '../interop/support/program.ts';
import { cloneInto } from './support/checkout.ts';
import { makeSampleStore } from './support/sample-store.ts';
import { type PageTrip, runPage, startServer, type Workshop } from './support/workshop.ts';

type Page = Omit<PageTrip, 'clone' | 'notRun'> & { readonly notRun?: Readonly<Record<string, string>> };

const PAGES: readonly Page[] = [
  {
    page: 'README.md',
    inClone: true,
    notRun: {
      'npm test         # sets up what is missing, then all test groups, cheapest first':
        'it is what runs this test',
    },
  },
  { page: 'docs/quick-start.md', inClone: false },
  { page: 'docs/platforms.md', inClone: false },
  { page: 'docs/capacity.md', inClone: false, prepare: aRunningBroker },
  { page: 'docs/operations.md', inClone: false },
  { page: 'docs/log-tools.md', inClone: false, prepare: makeSampleStore },
  { page: 'docs/logging.md', inClone: false },
  { page: 'docs/embedding.md', inClone: false },
  {
    page: 'CONTRIBUTING.md',
    inClone: true,
    notRun: {
      'npm test -- unit sim     # some groups (or npm run test:unit, test:sim, …)':
        'it is what runs this test',
    },
  },
];

/** May come later than this test; the test of links says when they are there. */
const AWAITED: readonly string[] = ['docs/embedding.md', 'docs/logging.md'];

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
  if (AWAITED.includes(page.page) && !existsSync(join(repository, page.page))) continue;
  test(`${page.page}: its commands do what it says`, async () => {
    await runPage({ ...page, clone: clone(), notRun: new Map(Object.entries(notRun)) });
  });
}

test.after(async () => {
  await stopEverything();
  if (top !== '') rmSync(top, { recursive: true, force: true });
});

/** With its store where it lies by default. */
async function aRunningBroker(workshop: Workshop): Promise<void> {
  await startServer(workshop, 'ringmq standalone');
}

/** Its name is what a project beside it calls it. */
function clone(): string {
  return join(top, 'ringmq');
}

test.run();
