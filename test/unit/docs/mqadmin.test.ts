/** docs/mqadmin.md says of mqadmin's commands what the table of the interop test says, and all of it is recorded. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { statusOf } from '../../interop/mqadmin/command.ts';
import { PAGES, shapeOf } from '../../interop/mqadmin/console.ts';
import { withTables } from '../../interop/mqadmin/document.ts';
import { difference, readDifferences, readRecording, titlesOf } from '../../interop/mqadmin/recording.ts';
import { HELP } from '../../interop/mqadmin/session.ts';
import { COMMANDS } from '../../interop/mqadmin/table.ts';
import { readProjectFile } from '../../support/source-files.ts';

const test = suite('mqadmin page');
const subjects = [...COMMANDS, ...PAGES];

test('the tables of the page are those of the test', () => {
  const page = readProjectFile('docs/mqadmin.md');
  assert.is(page, withTables(page), 'run: node dist/test/interop/mqadmin/document.js');
});

test('every command line and call is recorded, and nothing else', () => {
  const titles = [HELP, ...subjects.flatMap(titlesOf)];
  assert.is(new Set(titles).size, titles.length, 'two runs have one title');
  assert.equal(Object.keys(readRecording()).sort(), titles.sort());
});

test('what differs is said to', () => {
  const differing = new Set(Object.keys(readDifferences()));
  for (const subject of subjects) {
    const differs = titlesOf(subject).some((title) => differing.has(title));
    if (statusOf(subject) === 'same') assert.not(differs, `${subject.name} is said to be the same`);
    if (statusOf(subject) === 'differs') assert.ok(differs, `nothing differs of ${subject.name}`);
  }
});

test('lines that only one side has are found', () => {
  assert.equal(difference(['a', 'b', 'c'], ['a', 'b', 'c']), []);
  assert.equal(difference(['a', 'b', 'c'], ['a', 'x', 'c', 'd']), ['-b', '+x', '+d']);
  assert.equal(difference([], ['a']), ['+a']);
});

test('a shape has every place and the type of what is there', () => {
  const shape = [...shapeOf({ list: [{ n: 1 }, { n: 'x' }], on: true, no: null }, '')];
  assert.equal(shape, ['.list[]', '.list[].n: number', '.list[].n: string', '.on: true', '.no: null']);
});

test.run();
