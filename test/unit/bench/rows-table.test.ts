/** The table of rows in bench/README.md has every scenario that there is, in its row, and no other. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SCENARIOS } from '../../../bench/rocketmq/scenarios.ts';
import { readProjectFile } from '../../support/source-files.ts';

interface Row {
  from: number;
  to: number;
  /** `async-*` stands for all that begin so. */
  names: string[];
}

/** A name that begins with a dash goes on from the first one of its cell: `topics-1`, `-100`. */
function namesOf(cell: string): string[] {
  const [first = '', ...others] = [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name as string);
  const stem = first.slice(0, Math.max(0, first.indexOf('-')));
  return [first, ...others.map((name) => (name.startsWith('-') ? stem + name : name))];
}

function rowsOf(page: string): Row[] {
  const rows = page.matchAll(/^\| (\d+)(?:–(\d+))? +\| ([^|]+)\| [^|]+\|$/gm);
  return [...rows].map(([, from = '', to, cell = '']) => ({
    from: Number(from),
    to: Number(to ?? from),
    names: namesOf(cell),
  }));
}

function isNamed(name: string, names: readonly string[]): boolean {
  return names.some((one) => (one.endsWith('*') ? name.startsWith(one.slice(0, -1)) : name === one));
}

const rows = rowsOf(readProjectFile('bench/README.md'));

test('every scenario stands in its row', () => {
  const missing = SCENARIOS.filter(
    ({ row, name }) => !rows.some(({ from, to, names }) => from <= row && row <= to && isNamed(name, names)),
  );
  assert.equal(
    missing.map(({ row, name }) => `${row} ${name}`),
    [],
  );
});

test('every name in the table is that of a scenario of the row', () => {
  for (const { from, to, names } of rows)
    for (const name of names)
      assert.ok(
        SCENARIOS.some(
          (scenario) => scenario.row >= from && scenario.row <= to && isNamed(scenario.name, [name]),
        ),
        `${from} ${name}`,
      );
});

test('rows are numbered without a gap', () => {
  const numbers = rows.flatMap(({ from, to }) =>
    Array.from({ length: to - from + 1 }, (_, index) => from + index),
  );
  assert.equal(
    numbers,
    numbers.map((_, index) => index + 1),
  );
  assert.is(numbers.length, Math.max(...SCENARIOS.map(({ row }) => row)));
});

test.run();
