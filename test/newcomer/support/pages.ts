// The pages whose commands are run, and what of them a test cannot run.

import { makeSampleStore } from './sample-store.ts';
import { type PageTrip, startServer, type Workshop } from './workshop.ts';

export type Page = Omit<PageTrip, 'clone' | 'notRun'> & {
  readonly notRun?: Readonly<Record<string, string>>;
};

/** The tour, in the order in which it is read. */
const TOUR = [
  'README',
  '01-bytes-become-a-command',
  '02-crossing-threads',
  '03-one-writer-and-a-mapping',
  '04-what-makes-it-durable',
  '05-queues-and-index-are-derived',
  '06-reading-without-copying',
  '07-what-comes-later',
  '08-crash-and-recovery',
  '09-the-second-copy',
  '10-memory-and-the-collector',
];

/** In the order of their cost. */
export const PAGES: readonly Page[] = [
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
  { page: 'docs/replication.md', inClone: false },
  { page: 'docs/play.md', inClone: false },
  { page: 'docs/log-tools.md', inClone: false, prepare: makeSampleStore },
  { page: 'docs/trace.md', inClone: false, prepare: aRunningBroker },
  { page: 'docs/logging.md', inClone: false, prepare: aRunningBroker },
  {
    page: 'docs/command-line.md',
    inClone: false,
    notRun: {
      '$ ringmq doctor --store store':
        'what it finds depends on the machine; test/interop/cli-operations runs it',
    },
  },
  {
    page: 'docs/labs.md',
    inClone: true,
    notRun: {
      'npm run labs                     # all of them: two to three minutes':
        'it takes minutes; the labs are run one by one in test/unit/bench/labs',
    },
  },
  ...TOUR.map((name) => ({ page: `docs/tour/${name}.md`, inClone: true, strictPipes: true })),
  {
    page: 'CONTRIBUTING.md',
    inClone: true,
    notRun: {
      'npm test -- unit sim    # some groups (or npm run test:unit, test:sim, …)':
        'it is what runs this test',
    },
  },
];

/** Pages that have a test of their own. */
export const OWN_TEST: ReadonlyMap<string, string> = new Map([
  ['docs/embedding.md', 'test/newcomer/embedding.test.ts'],
]);

/** Pages with commands that no test runs. */
export const NOT_RUN: ReadonlyMap<string, string> = new Map([
  [
    'docs/install.md',
    'each of its ways has a test: test/packages, and test/newcomer/debian-package, container and other-machines; no builder of images is at hand',
  ],
  ['docs/mqadmin.md', 'its command is a test of the group interop, which needs a JDK and runs there'],
  ...TOUR.map((name): [string, string] => [
    `docs/tour/zh/${name}.md`,
    'test/unit/docs/tour holds that its commands are those of the English page, which are run',
  ]),
  ['bench/README.md', 'benchmarks of minutes and hours; their options are tested in test/unit/bench'],
]);

/** With its store where it lies by default. */
async function aRunningBroker(workshop: Workshop): Promise<void> {
  await startServer(workshop, 'ringmq standalone');
}
