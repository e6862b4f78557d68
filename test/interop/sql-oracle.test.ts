/**
 * The SQL92 filter against RocketMQ's own (rocketmq-filter 5.5.0), over generated pairs of expressions and messages:
 * which expressions are refused, and what comes of each message. SQL_SEED=<n> tries others, SQL_PAIRS=<n> so many.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fullRun, Random } from '../support/random.ts';
import { makeCase, type SqlCase, textOf } from './support/sql-cases.ts';
import { askOurs, askRocketmq, disagreement, explain } from './support/sql-oracle.ts';

const test = suite('sql oracle');

const SEED = Number(process.env['SQL_SEED'] ?? 92);
const PAIRS = Number(process.env['SQL_PAIRS'] ?? (fullRun ? 1_000_000 : 100_000));
const MESSAGES = 5;
const ROUND = 20_000;

function agree(cases: readonly SqlCase[]): string {
  const theirs = askRocketmq(cases);
  const found = disagreement(cases, theirs, askOurs);
  if (found !== undefined) assert.unreachable(`SQL_SEED=${SEED}: ${explain(found)}`);
  return theirs;
}

test(`${PAIRS} pairs of expressions and messages agree`, () => {
  const random = new Random(SEED);
  const counts: Record<string, number> = {};
  for (let done = 0; done < PAIRS; done += ROUND) {
    const cases = Array.from({ length: ROUND / MESSAGES }, () => makeCase(random, MESSAGES));
    for (const letter of agree(cases)) counts[letter] = (counts[letter] ?? 0) + 1;
  }
  for (const letter of 'RTFNX') {
    assert.ok((counts[letter] ?? 0) > PAIRS / 30, `outcome ${letter} is rare: ${JSON.stringify(counts)}`);
  }
});

function long(...pieces: string[]): SqlCase {
  return {
    pieces,
    messages: [[], [Buffer.from('a\x015\x02')], [Buffer.from(`a\x01${'x'.repeat(6000)}\x02`)]],
  };
}

test('long expressions agree', () => {
  const x = 'x'.repeat(6000);
  const nested = (n: number, open: string, close: string) => long(open.repeat(n), 'a = 5', close.repeat(n));
  agree([
    long('a', ' ', '=', ' ', `'${x}'`),
    long(`/*${x}*/`, 'a', '=', '5', '/*'),
    long('a', '=', '5', `/*${x}*/`),
    long(`--${x}\n`, 'a', '=', '5'),
    long(`--${x}`, 'a', '=', '5'),
    long('a', '=', `'${x}`),
    long(x, ' ', 'IS', ' ', 'NULL'),
    long('a', '=', '5', ' '.repeat(6000)),
    long('a', '=', '0'.repeat(3), '.', '0'.repeat(5000), '1e5001'),
    long('a', ' ', 'IN', '(', Array.from({ length: 1000 }, (_, i) => `'${i}'`).join(), ')'),
    long(Array.from({ length: 800 }, () => 'a = 5').join(' AND ')),
    long(Array.from({ length: 800 }, () => 'a > 5').join(' OR ')),
    nested(150, '(', ')'),
    nested(90, 'NOT (', ')'),
    nested(90, '(TRUE AND (', '))'),
    long('a', ' IS NULL'.repeat(150)),
  ]);
});

test('a wrong filter is found out, and the disagreement made small', () => {
  const random = new Random(SEED);
  const cases = Array.from({ length: 200 }, () => makeCase(random, MESSAGES));
  const forgetsOr = (some: readonly SqlCase[]) =>
    some
      .map((one) => (/\bOR\b/.test(textOf(one)) ? 'F'.repeat(one.messages.length) : askOurs([one])))
      .join('');
  const found = disagreement(cases, askRocketmq(cases), forgetsOr);
  assert.ok(found !== undefined);
  const text = textOf(found);
  assert.match(text, /\bOR\b/);
  assert.ok(
    text.length < 20 && Buffer.concat(found.messages[0] ?? []).length < 20,
    `not small: ${explain(found)}`,
  );
  assert.match(explain(found), /RocketMQ says [RTNX], RingMQ says [RTNX]/);
});

test.run();
