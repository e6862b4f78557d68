/** `ringmq trace` with real brokers: its own, and one that runs: what it shows is what the store holds. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isCovered, type PieceField } from '../../src/cli/trace/pieces/piece.ts';
import { type BrokerProcess, startBrokerProcess, temporaryStore } from '../support/broker-process.ts';
import { fails, Run } from '../support/command-line.ts';
import { isWellFormed } from '../support/markup.ts';

const test = suite('trace');

const ALL_STEPS = [1, 2, 3, 4, 5, 6, 7, 8, 9];

interface ShownPiece {
  title: string;
  bytes: string;
  from: number;
  fields: PieceField[];
}

interface ShownStep {
  number: number;
  began?: number;
  ended?: number;
  text: string[];
  pieces: ShownPiece[];
  table?: { columns: string[]; rows: (string | number)[][] };
  unseen?: string;
}

interface Shown {
  title: string;
  facts: Record<string, string>;
  stages: { title: string; text: string[]; steps: ShownStep[] }[];
  spans: { lane: string; label: string; began: number; ended: number }[];
}

const folder = temporaryStore();
let made = 0;

test.after(() => folder.remove());

function newStore(): string {
  return join(folder.directory, `store-${++made}`);
}

async function traced(args: readonly string[]): Promise<Shown> {
  const run = new Run(['trace', '--json', ...args], { NAMESRV_ADDR: '' });
  assert.is(await run.ended, 0, run.err);
  const shown = JSON.parse(run.out) as Shown;
  for (const { title, bytes, fields } of piecesOf(shown))
    assert.ok(isCovered({ bytes: Buffer.from(bytes, 'hex'), fields }), `${title}: each byte in one field`);
  return shown;
}

const stepsOf = ({ stages }: Shown) => stages.flatMap(({ steps }) => steps);
const piecesOf = (shown: Shown) => stepsOf(shown).flatMap(({ pieces }) => pieces);
const numbersOf = (shown: Shown) => [...new Set(stepsOf(shown).map(({ number }) => number))].sort();

/** The bytes of each piece that lies in a file are those of that file, wherever they lie. Returns how many did. */
function compareWithStore(shown: Shown, store: string): number {
  let compared = 0;
  for (const { title, bytes, from } of piecesOf(shown)) {
    const [, name] = /^((?:consumequeue|index|timerlog)\/[^ ]+|timerwheel)(?::| at)/.exec(title) ?? [];
    const isRecord = title.startsWith('CommitLog at ');
    if (name === undefined && !isRecord) continue;
    const file = isRecord
      ? join('commitlog', readdirSync(join(store, 'commitlog')).sort()[0] as string)
      : name;
    const held = readFileSync(join(store, file as string)).subarray(from, from + bytes.length / 2);
    // A slot of the wheel and the head of an index go on after the trace.
    if (title.startsWith('timerwheel') || title.endsWith(': header') || /: slot /.test(title)) continue;
    assert.is(held.toString('hex'), bytes, title);
    compared++;
  }
  return compared;
}

/** What is noted of a broker of the command's own: nothing is unseen, and times follow each other. */
function complete(shown: Shown): void {
  for (const { number, unseen } of stepsOf(shown)) assert.is(unseen, undefined, `step ${number}`);
  for (const { began, ended } of shown.spans) assert.ok(ended >= began);
  for (const lane of ['producer', 'network-0', 'writer', 'dispatcher', 'flusher', 'consumer'])
    assert.ok(
      shown.spans.some((span) => span.lane === lane),
      lane,
    );
}

function fieldIn(piece: ShownPiece | undefined, name: string): string | undefined {
  return piece?.fields.find((field) => field.name === name)?.value;
}

const recordsIn = (shown: Shown) => piecesOf(shown).filter(({ title }) => title.startsWith('CommitLog at '));

test('a message: nine steps, and the bytes of the store', async () => {
  const store = newStore();
  const page = join(folder.directory, 'page.html');
  const shown = await traced(['--store', store, '--warm', '3', '-m', 'hello', '--html', page]);
  complete(shown);
  assert.equal(numbersOf(shown), ALL_STEPS);
  assert.ok(compareWithStore(shown, store) >= 5);
  const [record] = recordsIn(shown);
  assert.is(fieldIn(record, 'body'), '"hello"');
  assert.is(fieldIn(record, 'queueOffset'), '3');
  const positions = stepsOf(shown).find(({ number }) => number === 4)?.table;
  const appended = positions?.rows.find(([name]) => name === 'APPENDED');
  assert.equal(appended?.slice(1, 3), [record?.from, (record?.from ?? 0) + (record?.bytes.length ?? 0) / 2]);
  const said = stepsOf(shown)
    .flatMap(({ text }) => text)
    .join('\n');
  assert.match(said, /the same as were written/);
  assert.match(said, /are those of the file at \d+, byte for byte/);
  assert.match(said, /The kernel counted 1 call of the write family|does not count the calls/);
  const html = readFileSync(page, 'utf8');
  assert.is(isWellFormed(html), undefined);
  assert.match(html, /<svg /);
});

test('a batch in binary frames, under SYNC_FLUSH', async () => {
  const store = newStore();
  const args = ['--store', store, '--warm', '0', '--batch', '3', '--header', 'rocketmq', '--flush', 'sync'];
  const shown = await traced(args);
  complete(shown);
  assert.equal(numbersOf(shown), ALL_STEPS);
  assert.equal(
    recordsIn(shown).map((piece) => fieldIn(piece, 'queueOffset')),
    ['0', '1', '2'],
  );
  assert.ok(compareWithStore(shown, store) >= 3 + 3 + 3);
  const sync =
    stepsOf(shown)
      .find(({ number }) => number === 7)
      ?.text.join(' ') ?? '';
  assert.match(sync, /The acknowledgement left, after the sync/);
});

test('a message with a delay level: it goes by the schedule topic', async () => {
  const store = newStore();
  const shown = await traced(['--store', store, '--warm', '0', '--delay-level', '1']);
  complete(shown);
  assert.equal(
    recordsIn(shown).map((piece) => fieldIn(piece, 'topic')),
    ['SCHEDULE_TOPIC_XXXX', 'TraceTopic'],
  );
  assert.equal(
    shown.stages.map(({ title }) => title),
    ['The message is sent', 'It is due: delivery puts it into TraceTopic', 'A consumer gets it'],
  );
  assert.ok(compareWithStore(shown, store) >= 4);
});

test('a timed message: slot of the wheel, unit of the timer log', async () => {
  const store = newStore();
  const shown = await traced(['--store', store, '--warm', '0', '--delay', '3s']);
  complete(shown);
  assert.equal(
    recordsIn(shown).map((piece) => fieldIn(piece, 'topic')),
    ['rmq_sys_wheel_timer', 'TraceTopic'],
  );
  const unit = piecesOf(shown).find(({ title }) => title.startsWith('timerlog/'));
  assert.is(fieldIn(unit, 'phyOffset'), String(recordsIn(shown)[0]?.from));
  assert.ok(compareWithStore(shown, store) >= 5);
});

test('a message that is given back: schedule topic, retry topic', async () => {
  const store = newStore();
  const shown = await traced(['--store', store, '--warm', '0', '--retry', '--group', 'g1']);
  complete(shown);
  const topics = recordsIn(shown).map((piece) => fieldIn(piece, 'topic'));
  assert.equal(topics, ['TraceTopic', 'SCHEDULE_TOPIC_XXXX', '%RETRY%g1']);
  assert.is(stepsOf(shown).filter(({ number }) => number === 9).length, 2, 'two deliveries');
  assert.equal(
    recordsIn(shown).map((piece) => fieldIn(piece, 'reconsumeTimes')),
    ['0', '1', '1'],
  );
  assert.ok(compareWithStore(shown, store) >= 6);
});

test('a stored message is explained from its store; an unknown one is one sentence', async () => {
  const store = newStore();
  const sent = await traced(['--store', store, '--warm', '2']);
  const { 'unique key': key = '', 'message id': id = '' } = sent.facts;
  for (const by of [
    ['--unique-key', key],
    ['--message-id', id],
  ]) {
    const shown = await traced(['--store', store, ...by]);
    assert.equal(
      recordsIn(shown).map(({ bytes }) => bytes),
      recordsIn(sent).map(({ bytes }) => bytes),
      by[0],
    );
    assert.equal(numbersOf(shown), ALL_STEPS);
    assert.match(stepsOf(shown)[0]?.unseen ?? '', /^It is over/);
    assert.match(stepsOf(shown)[6]?.text[0] ?? '', /^The checkpoint says/);
  }
  const nobody = [
    ['--unique-key', 'NOBODY'],
    ['--message-id', `${id.slice(0, -4)}FFFF`],
    ['--message-id', ''],
  ];
  for (const by of nobody)
    assert.is(await fails(['trace', '--store', store, ...by], /^.* has no message with the .*\n$/), 1);
});

test('a running broker: what the protocol shows, and with the store what the files show', async () => {
  const store = newStore();
  mkdirSync(store, { recursive: true });
  const broker = await startBrokerProcess(store);
  try {
    const namesrv = ['-n', broker.nameServer];
    assert.is(await fails(['trace', ...namesrv], /^There is no topic TraceTopic/), 1);
    const topic = new Run(['topic', 'create', 'T', '--queues', '1', ...namesrv]);
    assert.is(await topic.ended, 0);

    const outside = await traced([...namesrv, '--topic', 'T']);
    assert.equal(numbersOf(outside), ALL_STEPS);
    for (const { number, unseen } of stepsOf(outside)) assert.ok(unseen !== undefined, `${number} says why`);
    assert.is(recordsIn(outside).length, 1);

    const inside = await traced([...namesrv, '--topic', 'T', '--store', store, '--retry', '--group', 'g2']);
    for (const number of [5, 6])
      for (const step of stepsOf(inside).filter((one) => one.number === number))
        assert.is(step.unseen, undefined, `step ${number}`);
    const topics = recordsIn(inside).map((piece) => fieldIn(piece, 'topic'));
    assert.equal(topics, ['T', 'SCHEDULE_TOPIC_XXXX', '%RETRY%g2']);
    assert.ok(compareWithStore(inside, store) >= 6);

    const key = inside.facts['unique key'] ?? '';
    const byBroker = await traced([...namesrv, '--unique-key', key]);
    assert.equal(
      recordsIn(byBroker).map(({ bytes }) => bytes),
      recordsIn(inside).map(({ bytes }) => bytes),
    );
    assert.is(
      await fails(['trace', ...namesrv, '--unique-key', 'X'], /^.* has no message with the unique key X/),
      1,
    );
  } finally {
    await stopped(broker);
  }
});

async function stopped({ child, ended }: BrokerProcess): Promise<void> {
  child.kill('SIGTERM');
  assert.is(await ended, 0);
}

test('wrong use is a sentence', async () => {
  const store = newStore();
  mkdirSync(store);
  writeFileSync(join(store, 'something'), '');
  const wrong: [string[], RegExp][] = [
    [['--store', store], /is not empty: give --store a new directory/],
    [['--batch', '2', '--retry'], /are kinds of their own/],
    [['--batch', '1'], /--batch 1 is not possible/],
    [['--delay-level', '0'], /--delay-level 0 is not possible/],
    [['--delay', '11m'], /--delay 11m is not possible/],
    [['--header', 'xml'], /--header xml is not possible/],
    [['--flush', 'never'], /--flush never is not possible/],
    [['--message', ''], /--message is not possible/],
    [['--topic', 'a b'], /--topic a b is not possible/],
    [['--message-id', 'A'], /Say where the message is/],
    [['--message-id', 'A', '--unique-key', 'B'], /give one of them/],
    [['-n', '127.0.0.1:1', '--retry'], /say which group/],
    [['-n', '127.0.0.1:1', '--flush', 'sync'], /leave them out beside -n/],
    [['--store', join(store, 'none'), '--message-id', 'A'], /is not a directory/],
  ];
  for (const [args, sentence] of wrong)
    assert.is(await fails(['trace', ...args], sentence), 2, args.join(' '));
  assert.is(await fails(['trace', '-n', '127.0.0.1:1'], /No name server answers/), 1);
});

test.run();
