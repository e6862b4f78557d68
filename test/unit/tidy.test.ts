/** The house style as far as a machine can hold it: sizes, header comments, no leftovers. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type SourceFile, sourceFiles } from '../support/source-files.ts';

const test = suite('tidy');

const MAX_COLUMNS = 110;
const MAX_COMMENT_COLUMNS = 120;
const MAX_LINES = 500;
const MAX_FUNCTION_LINES = 70;

const src = sourceFiles('src');
const tests = sourceFiles('test');
const all = [...src, ...tests, ...sourceFiles('bench')];

/** `path:line` of every line that breaks a rule. */
function offenders(files: readonly SourceFile[], breaks: (line: string) => boolean): string[] {
  return files.flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, i) => (breaks(line) ? [`${path}:${i + 1}`] : [])),
  );
}

/** Lines from the one that opens a function's body to the one that closes it, both found by their indentation. */
function longFunctions({ path, text }: SourceFile): string[] {
  const lines = text.split('\n');
  const found: string[] = [];
  for (const [i, line] of lines.entries()) {
    const head = FUNCTION_BODY.exec(line);
    if (head === null) continue;
    const closes = new RegExp(`^${head[1] ?? ''}[})\\]]`);
    const end = lines.findIndex((other, j) => j > i && closes.test(other) && !/^\s*\}?\)[:,]/.test(other));
    if (end - i + 1 > MAX_FUNCTION_LINES) found.push(`${path}:${i + 1} (${end - i + 1} lines)`);
  }
  return found;
}

/**
 * A line that ends by opening the body of a function, method or arrow function. Control statements and classes do not
 * count, nor the arrows that a test is made of, whose end is that of the function around them.
 */
const FUNCTION_BODY =
  /^(\s*)(?!(?:if|else|for|while|switch|do|try|catch|class|export class|export interface|interface)\b)(?:.*(?:\bfunction\b.*|=>) \{|(?:(?:static|async|private|override|get|set) )*[*#\w]+(?:<[^>]*>)?\(.*\)(?:: [^={]+)? \{|\)(?:: [^={]+)? \{)$/;

/**
 * The formatter holds code to 110 columns but breaks no text. So a line may be longer when a string, template or
 * regular expression in it is what makes it so; comments may run to 120 columns.
 */
test(`lines fit into ${MAX_COLUMNS} columns`, () => {
  const tooLong = (line: string) => {
    if (line.length <= MAX_COLUMNS) return false;
    if (/^\s*(?:\/\/|\/?\*)/.test(line)) return line.length > MAX_COMMENT_COLUMNS && !/\S{60}/.test(line);
    return !/['"`/]/.test(line);
  };
  assert.equal(offenders([...src, ...tests], tooLong), []);
});

test(`files have at most ${MAX_LINES} lines`, () => {
  const long = all.filter(({ text }) => text.split('\n').length - 1 > MAX_LINES);
  assert.equal(
    long.map((file) => file.path),
    [],
  );
});

test(`functions have at most ${MAX_FUNCTION_LINES} lines`, () => {
  assert.equal(src.flatMap(longFunctions), []);
});

test('every source file begins with a comment that says what it is for', () => {
  const bare = src.filter(({ text }) => !/^(?:#!.*\n)?\/\*\*/.test(text));
  assert.equal(
    bare.map((file) => file.path),
    [],
  );
});

test('no leftovers', () => {
  // Written so that this file does not find itself.
  const marks = /\b(?:TO[D]O|FIX[M]E)\b/;
  assert.equal(
    offenders(all, (line) => marks.test(line)),
    [],
  );
});

test('src prints in the command line only', () => {
  const library = src.filter(({ path }) => !path.startsWith('src/cli/'));
  assert.equal(
    offenders(library, (line) => /\bconsole\./.test(line)),
    [],
  );
});

test('time comes through lib/clock', () => {
  const others = src.filter(({ path }) => path !== 'src/lib/clock.ts');
  const readsClock = /\bDate\.now\b|\bnew Date(?:\(\)|;|$)|(?<!new )\bDate\(|\bhrtime\b|\btimeOrigin\b/;
  assert.equal(
    offenders(others, (line) => readsClock.test(line)),
    [],
  );
});

test('bytes are copied by lib/copied: slice of a Buffer is a view', () => {
  assert.equal(
    offenders(src, (line) => /[bB]ytes\.slice\(/.test(line)),
    [],
  );
});

test('directories are made by lib/files: with recursive, mkdir may never end', () => {
  const others = src.filter(({ path }) => path !== 'src/lib/files.ts');
  assert.equal(
    offenders(others, (line) => /\bmkdir(?:Sync)?\b(?!')/.test(line)),
    [],
  );
});

/** Who may ask what time it is, and what for. Spans are measured by `monotonic`, as the clock may be set. */
const ASKS_THE_TIME = new Map([
  ['src/delivery/lite/lite-pops.ts', 'pop time, which receipts hold'],
  ['src/metadata/lite-topics.ts', 'age of a message by its store time, of which an hour is elapsed time'],
  ['src/broker/admin/time-span.ts', 'how long a message has been there by its store time, which is shown'],
  ['src/broker/lite/lite-info.ts', 'when a client was last heard of, which is shown'],
  ['src/broker/stats/runtime-figures.ts', 'timers are due at times of day'],
  ['src/broker/cold/cold-reads.ts', 'when a group has read old messages, which is shown'],
  ['src/broker/consumer/check-client-config.ts', 'version of a subscription that is only looked at'],
  ['src/cli/admin/times.ts', 'times that people give, the age of messages by their store times'],
  ['src/cli/log-file.ts', 'the time of a line that it writes itself'],
  ['src/cli/logger.ts', 'the time of a line that could not be written'],
  ['src/embed/message-store.ts', 'when a message was made'],
  ['src/metadata/append-times.ts', 'by how much the clock is ahead of the monotonic one'],
  ['src/clients/clients.ts', 'versions of subscriptions, made to ascend'],
  ['src/delivery/timer/timer-clock.ts', 'timers are due at times of day'],
  ['src/metadata/consumer-filters.ts', 'since when a filter is dead, over restarts'],
  ['src/metadata/data-version.ts', 'part of a version that is compared for equality'],
  ['src/broker/stats/day-totals.ts', 'midnight'],
  ['src/store/index/key-index.ts', 'names of files, made to ascend'],
  ['src/store/store.ts', 'store times'],
  ['src/threads/replication/slave-agent.ts', 'when the master was last heard of, which is shown'],
  ['src/threads/control/assembly.ts', 'part of unique keys'],
  ['src/threads/control/duties.ts', 'startAcceptSendRequestTimeStamp, a time of day'],
  ['src/broker/admin/offset-tables.ts', 'when timers were counted, which slaves show'],
  ['src/broker/metrics/scrape.ts', 'how old messages are, by their store times'],
  ['src/broker/reply/reply-message.ts', 'when a reply was passed on, which the requester is told'],
  ['src/broker/retry/send-back.ts', 'in which slot of the wheel a retry waits'],
  ['src/broker/retry/retry-topic-send.ts', 'when a message is due by the time of day that its sender says'],
  ['src/broker/timer/recall.ts', 'the same, of the one that is taken back'],
  ['src/delivery/acting/acted-timers.ts', 'until when timers may come, over restarts'],
  ['src/delivery/transaction/learn.ts', 'for how long a half message has been there, over restarts'],
  ['src/delivery/transaction/overdue.ts', 'the same'],
  ['src/delivery/transaction/ends.ts', 'the same, and when what is committed is due'],
  ['src/delivery/transaction/op-log.ts', 'when a message was made'],
  ['src/store/retention/retention.ts', 'deleteWhen, an hour of the day'],
  ['src/threads/network/assembly.ts', 'part of unique keys'],
  ['src/store/log/writer-agent.ts', 'store times'],
  ['src/tls/tls-gate.ts', 'from when to when a certificate is valid'],
  ['src/delivery/pop/acks.ts', 'when acks are due, which is stored'],
  ['src/delivery/pop/change-invisible.ts', 'the time of a receipt, which is stored and told to clients'],
  ['src/delivery/pop/live-checkpoints.ts', 'what is left of a time that has just been stored'],
  ['src/delivery/pop/order-journal.ts', 'the time of a message'],
  ['src/delivery/pop/ordered-pops.ts', 'when messages are visible again, which is stored'],
  ['src/delivery/pop/polling.ts', 'the time of an answer, which clients are told'],
  ['src/delivery/pop/pop-kind.ts', 'the same'],
  ['src/delivery/pop/pop-pairs.ts', 'the same'],
  ['src/delivery/pop/popper.ts', 'the time of a pop, which is stored and told to clients'],
  [
    'src/delivery/pop/revive-log.ts',
    'what is left of a time that a process before has stored, a second at most',
  ],
  ['src/delivery/pop/reviver.ts', 'the time of an ack, which is stored'],
  ['src/delivery/timer/timer-service.ts', 'what is due by the time of day'],
]);

test('no file refers to papers outside the repository', () => {
  const outside = /§|\b(?:protocol|storage) traps? T\d|\bsee design\b/;
  assert.equal(
    offenders(all, (line) => outside.test(line) && !line.includes('const outside')),
    [],
  );
});

test('the time of day is asked for only where no span is meant', () => {
  const asks = /\bclock\.now\b|\bsystemClock\.now\b/i;
  const found = src.filter(({ path, text }) => path !== 'src/lib/clock.ts' && asks.test(text));
  assert.equal(found.map(({ path }) => path).sort(), [...ASKS_THE_TIME.keys()].sort());
});

test('the search for long functions sees methods, functions and arrows', () => {
  const body = '    work();\n'.repeat(MAX_FUNCTION_LINES);
  const cases = [
    `class A {\n  async #run(a: number): Promise<void> {\n${body}  }\n}\n`,
    `function run(a: { b: number }): number {\n${body}}\n`,
    `function run(\n  a: number,\n): number {\n${body}}\n`,
    `const run = (a: number) => {\n${body}};\n`,
    `class A {\n  constructor(setup: Setup) {\n${body}  }\n}\n`,
  ];
  for (const text of cases) assert.is(longFunctions({ path: 'x.ts', text }).length, 1, text.slice(0, 60));
  assert.equal(longFunctions({ path: 'x.ts', text: `class A {\n${body}}\nif (a) {\n${body}}\n` }), []);
});

test.run();
