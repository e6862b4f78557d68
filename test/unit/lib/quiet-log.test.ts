/** Lines that clients provoke: one at once, then one per window with a count, and none of them long. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { QuietLog } from '../../../src/lib/quiet-log.ts';
import { quote } from '../../../src/lib/quote.ts';
import { FakeTime } from '../metadata/support.ts';

const test = suite('quiet log');

interface Line {
  level: string;
  fields: Record<string, unknown>;
  message: string;
}

function rig(infoLines = 1) {
  const lines: Line[] = [];
  const at = (level: string) => (fields: object, message: string) =>
    void lines.push({ level, fields: fields as Record<string, unknown>, message });
  const time = new FakeTime();
  const log = new QuietLog({ info: at('info'), warn: at('warn'), error: at('error') }, time, infoLines);
  return { lines, time, log };
}

test('the first line of a kind is written at once, the following ones are counted', async () => {
  const { lines, time, log } = rig();
  for (let i = 0; i < 1000; i++) log.warn({ client: `c${i}` }, 'frame refused');
  assert.equal(lines, [{ level: 'warn', fields: { client: 'c0' }, message: 'frame refused' }]);
  await time.advance(10_000);
  assert.is(lines.length, 2);
  assert.equal(lines[1], {
    level: 'warn',
    fields: { client: 'c1', repeated: 999 },
    message: 'frame refused',
  });
});

test('a kind that goes on makes one line per window, one that has ended begins anew', async () => {
  const { lines, time, log } = rig();
  for (let second = 0; second < 100; second++) {
    log.error({}, 'request failed');
    log.error({}, 'request failed');
    await time.advance(1_000);
  }
  assert.is(lines.length, 11);
  const told = lines.reduce((sum, line) => sum + Number(line.fields['repeated'] ?? 1), 0);
  assert.is(told, 200);
  await time.advance(20_000);
  log.error({}, 'request failed');
  assert.is(lines.length, 12);
  assert.is(lines[11]?.fields['repeated'], undefined);
});

test('of everyday life several lines are written one by one, of warnings still one', async () => {
  const { lines, time, log } = rig(20);
  for (let i = 0; i < 100; i++) {
    log.info({ topic: `t${i}` }, 'topic made');
    log.warn({}, 'odd');
  }
  const of = (message: string) => lines.filter((line) => line.message === message);
  assert.equal(
    of('topic made').map(({ fields }) => fields['topic']),
    Array.from({ length: 20 }, (_, i) => `t${i}`),
  );
  assert.is(of('odd').length, 1);
  await time.advance(10_000);
  assert.equal(of('topic made').at(-1)?.fields, { topic: 't20', repeated: 80 });
  assert.is(of('odd').length, 2);
  await time.advance(10_000);
  log.info({ topic: 'later' }, 'topic made');
  assert.equal(of('topic made').at(-1)?.fields, { topic: 'later' });
});

test('kinds do not silence each other; messages that quote share a kind by name', () => {
  const { lines, log } = rig();
  log.info({}, 'a');
  log.info({}, 'b');
  for (let i = 0; i < 5; i++) log.info({}, `closing client ${i}`, 'closing');
  assert.equal(
    lines.map((line) => line.message),
    ['a', 'b', 'closing client 0'],
  );
});

test('any number of kinds makes a bounded number of lines', async () => {
  const { lines, time, log } = rig();
  for (let i = 0; i < 10_000; i++) log.warn({}, `line ${i}`);
  assert.is(lines.length, 257);
  await time.advance(10_000);
  assert.is(lines.length, 258);
  assert.is(lines[257]?.fields['repeated'], 9_743);
});

test('what is held back is written when the process ends, once', () => {
  const { lines, log } = rig();
  log.warn({}, 'a');
  log.warn({}, 'a');
  log.flush();
  log.flush();
  assert.equal(
    lines.map((line) => line.fields),
    [{}, { repeated: 1 }],
  );
});

test('texts of any length become short ones', async () => {
  const { lines, time, log } = rig();
  const huge = 'x'.repeat(1_000_000);
  const fields = { topic: huge, err: new Error(huge), changes: { [huge]: huge }, count: 7 };
  log.warn(fields, huge, 'kind');
  log.warn(fields, huge, 'kind');
  await time.advance(10_000);
  assert.is(lines.length, 2);
  for (const line of lines) {
    assert.ok(JSON.stringify(line).length < 8_000);
    assert.is(line.fields['count'], 7);
    assert.match(line.message, /\(1000000 characters\)$/);
  }
});

test('a quotation is a head and a length, and well-formed text', () => {
  assert.is(quote('short'), 'short');
  assert.is(quote('abcdef', 3), 'abc... (6 characters)');
  assert.is(quote('ab\u{1f600}cd', 3), 'ab... (6 characters)');
});

test.run();
