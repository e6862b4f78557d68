// What messages hold is shown on a terminal, and does nothing to it.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { listing, table } from '../../../src/cli/admin/output.ts';
import { visibleJson, visibleLine, visibleText } from '../../../src/lib/visible.ts';

const test = suite('visible');

const EVIL = '\u001b[2Jtea\r\nforged\u009b1A\ttab\u007f';

test('control characters are shown by their number, in one line or in several', () => {
  assert.is(visibleLine(EVIL), '\\u001b[2Jtea\\u000d\\u000aforged\\u009b1A\\u0009tab\\u007f');
  assert.is(visibleText(EVIL), '\\u001b[2Jtea\r\nforged\\u009b1A\ttab\\u007f');
  assert.is(visibleText('back\rover\b'), 'back\\u000dover\\u0008');
});

test('all else stays, letters of any language too', () => {
  for (const text of ['', 'orders', 'Größe 漢字 🍵', 'a\\b "c"'])
    assert.equal([visibleLine(text), visibleText(text)], [text, text]);
});

test('JSON stays the same value', () => {
  const text = visibleJson(JSON.stringify({ EVIL }));
  assert.equal(JSON.parse(text), { EVIL });
  assert.not.match(text, /\p{Cc}/u);
});

test('a cell of a table or a value of a list begins no line of its own, and columns stay below each other', () => {
  const lines = table(
    ['topic', '#messages'],
    [
      [EVIL, 1],
      ['orders', 20],
    ],
  ).split('\n');
  assert.is(lines.length, 3);
  assert.ok(
    lines.every((line) => line.length === lines[0]?.length && !/\p{Cc}/u.test(line)),
    lines.join('\n'),
  );
  const listed = listing([
    [`property ${EVIL}`, EVIL],
    ['body', 3],
  ]).split('\n');
  assert.is(listed.length, 2);
  assert.ok(listed.every((line) => !/\p{Cc}/u.test(line)));
  assert.is(listed[1]?.indexOf('3'), listed[0]?.lastIndexOf('\\u001b[2J'));
});

test.run();
