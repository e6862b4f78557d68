// Scripts of `ringmq play`, and the keys that stand for the same actions.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isQuit, KEY_HELP, KEY_LINE, keyMeans, keysOf, threadKey } from '../../../../src/cli/play/keys.ts';
import { ACTIONS, actionText, helpLines, parseScript } from '../../../../src/cli/play/script.ts';
import { widthOf } from '../../../../src/cli/play/spans.ts';
import { playState } from './state.ts';

const test = suite('play: scripts and keys');

test('every action, with and without what may follow', () => {
  const text =
    'send, send 10, delay, delay 30s, flow on, consume off, wait 1.5s, kill-thread writer, tear, tear 3, flip, flip 0, kill, fill, free, restart, status, help, quit';
  const actions = parseScript(text);
  assert.equal(actions, [
    { name: 'send', count: 1 },
    { name: 'send', count: 10 },
    { name: 'delay', seconds: 5 },
    { name: 'delay', seconds: 30 },
    { name: 'flow', isOn: true },
    { name: 'consume', isOn: false },
    { name: 'wait', ms: 1500 },
    { name: 'kill-thread', thread: 'writer' },
    { name: 'tear', count: 1 },
    { name: 'tear', count: 3 },
    { name: 'flip', back: 1 },
    { name: 'flip', back: 0 },
    ...['kill', 'fill', 'free', 'restart', 'status', 'help', 'quit'].map((name) => ({ name })),
  ]);
  const names = new Set(actions.map(({ name }) => name));
  assert.equal([...names].sort(), Object.keys(ACTIONS).sort(), 'none is left out');
});

test('what an action is called in a script is that action again', () => {
  const actions = parseScript(
    'send 3; delay 1s\nflow off, wait 250ms, kill-thread flusher, tear 2, flip 4, quit',
  );
  assert.equal(parseScript(actions.map(actionText).join(',')), actions);
});

test('commas, semicolons, ends of lines; letters of any size; nothing between them is nothing', () => {
  assert.equal(parseScript(' ,;\n\n '), []);
  assert.equal(parseScript('SEND 2;;Kill\n'), [{ name: 'send', count: 2 }, { name: 'kill' }]);
});

for (const [text, sentence] of [
  ['sned 3', /^There is no action sned: did you mean send\?$/],
  ['explode', /^There is no action explode: there are send, .*, quit\.$/],
  ['send many', /^send many is not possible: give send \[1 to 10000\]\.$/],
  ['send 0', /^send 0 is not possible/],
  ['send 10001', /^send 10001 is not possible/],
  ['send 1 2', /^send 1 2 is not possible/],
  ['delay 7s', /^delay 7s is not possible: give delay \[1s\|5s\|10s\|30s\]\.$/],
  ['flow', /^flow is not possible: give flow on\|off\.$/],
  ['wait', /^wait is not possible: give wait <span>\.$/],
  ['wait 2d', /^wait 2d is not possible/],
  ['kill-thread control', /give kill-thread network-0\|writer\|dispatcher\|flusher\.$/],
  ['kill now', /^kill now is not possible: kill stands alone\.$/],
  ['constructor', /^There is no action constructor/],
] as const)
  test(`"${text}" is one clear sentence`, () => {
    assert.throws(
      () => parseScript(`status, ${text}`),
      (error: Error) => error.name === 'UserError' && sentence.test(error.message),
    );
  });

test('the help names every action', () => {
  const help = helpLines();
  for (const name of Object.keys(ACTIONS))
    assert.ok(
      help.some((line) => line.startsWith(name)),
      name,
    );
});

test('keys: toggles go by what is on, the disk by whether it is full', () => {
  const idle = playState();
  assert.equal(keyMeans('f', idle), { name: 'flow', isOn: true });
  assert.equal(keyMeans('c', idle), { name: 'consume', isOn: true });
  assert.equal(keyMeans('o', idle), { name: 'fill' });
  const busy = playState({
    process: { kind: 'running', pid: 1, seconds: 1, isFull: true },
    traffic: { ...idle.traffic, flow: true, consuming: true },
  });
  assert.equal(keyMeans('f', busy), { name: 'flow', isOn: false });
  assert.equal(keyMeans('c', busy), { name: 'consume', isOn: false });
  assert.equal(keyMeans('o', busy), { name: 'free' });
  assert.ok(isQuit('\u0003'), 'Ctrl-C');
  assert.is(keyMeans('t', idle), 'thread');
  assert.equal(threadKey('2'), { name: 'kill-thread', thread: 'writer' });
  for (const key of ['0', '5', 'w', '']) assert.is(threadKey(key), undefined, key);
  assert.is(keyMeans('z', idle), undefined);
});

test('keys that come together, and sequences of keys that are none', () => {
  assert.equal(keysOf('sb\u0003'), ['s', 'b', '\u0003']);
  assert.equal(keysOf('\u001b[A'), []);
  assert.equal(keysOf('s\u001b[1;5Ck\u001bOP\u001b[5~\u0003'), ['s', 'k', '\u0003']);
  assert.equal(keysOf('\u001b'), []);
});

test('the line of keys fits into 80 columns, and each of its keys means something', () => {
  assert.ok(widthOf(KEY_LINE) <= 80, String(widthOf(KEY_LINE)));
  const keys = KEY_LINE.flatMap((span) => (typeof span === 'string' ? [] : [span[0]]));
  assert.is(keys.length, 13);
  for (const key of keys) assert.ok(isQuit(key) || keyMeans(key, playState()) !== undefined, key);
  for (const line of KEY_HELP) assert.ok(line.length <= 80, line);
});

test.run();
