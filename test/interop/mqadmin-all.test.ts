// Every command of the unmodified mqadmin 5.5.0 against RingMQ, line by line against what it printed for RocketMQ.
// INTEROP_RECORD=1 runs them against both and writes the recording and the differences anew.

import * as assert from 'uvu/assert';
import { requestName } from '../../src/protocol/codes.ts';
import { AUDITED } from '../../src/remoting/audit.ts';
import { type Status, statusOf } from './mqadmin/command.ts';
import { PAGES } from './mqadmin/console.ts';
import {
  differencesOf,
  readDifferences,
  readRecording,
  titlesOf,
  writeDifferences,
  writeRecording,
} from './mqadmin/recording.ts';
import { HELP, runAll, type Transcript } from './mqadmin/session.ts';
import { COMMANDS } from './mqadmin/table.ts';
import { startRealBroker, startRealNameServer } from './support/real-rocketmq.ts';
import { startRingStandalone } from './support/ringmq.ts';
import { interopSuite } from './support/suite.ts';
import { type Cluster, target } from './support/target.ts';

/** RocketMQ has lite topics only when it is told so, RingMQ always. */
const REAL_CONF = { enableLmq: true, enableMultiDispatch: true };
/** Of those that are told these are no command's. */
const OF_OTHERS = [
  'CLONE_GROUP_OFFSET',
  'PURGE_TOPIC',
  'REGISTER_TOPIC_IN_NAMESRV',
  'RESUME_CHECK_HALF_MESSAGE',
  'UPDATE_AND_GET_GROUP_FORBIDDEN',
];
const records = process.env['INTEROP_RECORD'] === '1';

let real: Transcript = {};
let ours: Transcript = {};
/** What ours has said on stderr. */
let log: readonly string[] = [];

const test = interopSuite('mqadmin: every command', async () => {
  if (records) writeRecording(await transcriptOf(startReal));
  real = readRecording();
  ours = await transcriptOf(target === 'ringmq' ? startOurs : startReal);
  if (records) {
    const differing = [...COMMANDS, ...PAGES].filter((subject) => statusOf(subject) !== 'same');
    writeDifferences(
      Object.assign({}, ...differing.map((subject) => differencesOf(subject, real, ours))) as Transcript,
    );
  }
  return { stop: async () => printCounts() };
});

async function startReal(): Promise<Cluster> {
  const nameServer = await startRealNameServer();
  const broker = await startRealBroker(nameServer.address, { conf: REAL_CONF });
  const stop = async (): Promise<void> => {
    await broker.kill();
    await nameServer.stop();
  };
  return { nameServer, broker, stop };
}

async function startOurs(): Promise<Cluster> {
  const { nameServer, broker } = await startRingStandalone();
  return { nameServer, broker, stop: () => broker.stop() };
}

async function transcriptOf(start: () => Promise<Cluster>): Promise<Transcript> {
  const cluster = await start();
  try {
    return await runAll(cluster, COMMANDS);
  } finally {
    log = cluster.broker.log();
    await cluster.stop();
  }
}

for (const subject of [...COMMANDS, ...PAGES]) {
  const status = statusOf(subject);
  test(`${subject.name}: ${status}`, () => {
    const differences = differencesOf(subject, real, ours);
    if (target === 'rocketmq' || status === 'same') {
      assert.is(textOf(differences), '');
      return;
    }
    const expected = Object.entries(readDifferences());
    const those = expected.filter(([title]) => titlesOf(subject).includes(title));
    assert.is(textOf(differences), textOf(Object.fromEntries(those)));
    if (status === 'differs') assert.is.not(those.length, 0, 'nothing differs any more');
  });
}

test('mqadmin has no command that is not in the table', () => {
  const listed = real[HELP]?.flatMap((line) => /^ {2}(\w+) {2}/.exec(line)?.[1] ?? []) ?? [];
  assert.equal(listed.sort(), COMMANDS.map(({ name }) => name).sort());
});

test('the log tells of each request by which it changes something, and that mqadmin sent it', () => {
  if (target === 'rocketmq') return;
  const lines = log
    .filter((line) => line.includes('"msg":"audit: '))
    .map((line) => JSON.parse(line) as { request: string; by: string; client: string })
    // The scene is set by our own client, which calls itself something else.
    .filter(({ by }) => by === 'JAVA v5_5_0');
  const wanted = [...AUDITED].map(requestName).filter((name) => !OF_OTHERS.includes(name));
  assert.equal([...new Set(lines.map(({ request }) => request))].sort(), wanted.sort());
  for (const { client } of lines) assert.match(client, /^127\.0\.0\.1:\d+$/);
});

function textOf(differences: Transcript): string {
  return Object.entries(differences)
    .map(([title, lines]) => [title, ...lines, ''].join('\n'))
    .join('\n');
}

function printCounts(): void {
  for (const [what, subjects] of [
    ['commands', COMMANDS],
    ['pages of rocketmq-dashboard', PAGES],
  ] as const) {
    const count = (status: Status): number => subjects.filter((one) => statusOf(one) === status).length;
    const counts = `${count('same')} same, ${count('differs')} differ, ${count('unsupported')} unsupported`;
    console.log(`${subjects.length} ${what}: ${counts}`);
  }
}

test.run();
