// The picture of `ringmq play`: a pure function from a state to lines.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ASCII, BLOCKS } from '../../../../src/cli/play/panels.ts';
import { type Frame, picture } from '../../../../src/cli/play/picture.ts';
import { SEGMENT_BYTES } from '../../../../src/cli/play/play-store.ts';
import { fit, render, widthOf, wrap } from '../../../../src/cli/play/spans.ts';
import type { PlayState } from '../../../../src/cli/play/state.ts';
import { emptyState, playState, segment } from './state.ts';

const ESCAPE = '\u001b[';

const test = suite('play: the picture');

const plain = (columns: number, rows?: number): Frame => ({ columns, rows, colours: false, glyphs: ASCII });

/** The picture, of which every line has its width. */
function drawn(state: PlayState, frame: Frame): string[] {
  const lines = picture(state, frame);
  for (const line of lines) assert.is(line.length, frame.columns, line);
  if (frame.rows !== undefined) assert.is(lines.length, frame.rows);
  return lines;
}

function lineWith(lines: readonly string[], words: string): string {
  const line = lines.find((one) => one.includes(words));
  assert.ok(line !== undefined, `${words} in\n${lines.join('\n')}`);
  return line;
}

test('80 by 24: everything has its place, and what has none says how much there is', () => {
  const lines = drawn(playState(), plain(80, 24));
  assert.match(
    lines[0] ?? '',
    /^RingMQ play {2}runs for 12 s, process 4711 {2}name server 127\.0\.0\.1:9876/,
  );
  for (const title of ['RINGS', 'POSITIONS', 'THREADS', 'FILES', 'QUEUES', 'WHAT HAPPENED'])
    lineWith(lines, title);
  assert.match(lineWith(lines, 'APPENDED  '), /send +network>writer +25\/50 % {2}APPENDED +74,032 {2}writer/);
  assert.match(lineWith(lines, 'FLUSHED'), /replies .*0\/<0\.01 % {2}FLUSHED +69,632 {2}4,400 behind/);
  assert.match(lineWith(lines, 'CONFIRMED'), /CONFIRMED +74,032 {2}= APPENDED/);
  assert.match(lineWith(lines, 'writer '), /writer/);
  assert.match(lineWith(lines, 'play/0'), /^play\/0 +0 +93 +90 +3 +1/);
  assert.match(lineWith(lines, 'play/1'), /^play\/1 +0 +92 +- +- +1/);
  assert.match(lineWith(lines, 'acknowledged'), /^flow off {2}acknowledged 185 .* consumer off 90/);
});

test('threads stand in the order of a message, with what they do', () => {
  const lines = drawn(playState(), plain(120, 40));
  const names = lines.flatMap(
    (line) => /^(network-0|writer|control) +(works|sleeps)/.exec(line)?.slice(1, 3).join(' ') ?? [],
  );
  assert.equal(names, ['network-0 works', 'writer works', 'control sleeps']);
  assert.match(lineWith(lines, 'works   50 %'), /writer +works +50 % ?1,200 {2}74,032 B|writer .*50 %1,200/);
});

test('a file of the log: what is synced, written, has room; the newest first', () => {
  const lines = drawn(playState(), plain(120, 40));
  const [newest = '', oldest = ''] = lines.filter((line) => line.includes(' msg'));
  assert.match(newest, / 69,632 \[=+\.+ +\] +6 % +11 msg/);
  assert.match(oldest, / 0 \[#+\] +100 % +174 msg/);
  const bar = /\[(.*)\]/.exec(newest)?.[1] ?? '';
  assert.is(bar.replace(/[^.=]/g, '').length, bar.length / 2, 'half of it has room on the disk');
});

test('all sizes: lines are as wide as the terminal, and as many', () => {
  const states = [
    playState(),
    emptyState(),
    playState({ process: { kind: 'starting' } }),
    playState({
      queues: Array.from({ length: 16 }, (_, queueId) => ({
        ...(playState().queues[0] as PlayState['queues'][0]),
        queueId,
      })),
    }),
    playState({
      disk: {
        ...playState().disk,
        segments: Array.from({ length: 40 }, (_, i) => segment(i * SEGMENT_BYTES, 174)),
      },
    }),
    playState({ news: Array.from({ length: 100 }, (_, i) => `line ${i} ${'word '.repeat(i)}`) }),
  ];
  for (const state of states)
    for (const columns of [1, 20, 79, 80, 81, 100, 133, 250])
      for (const rows of [1, 5, 23, 24, 25, 40, 90]) drawn(state, plain(columns, rows));
  for (const state of states) drawn(state, plain(100));
});

test('many files: the newest are shown, and how many more there are', () => {
  const segments = Array.from({ length: 40 }, (_, i) => segment(i * SEGMENT_BYTES, 174));
  const state = playState({ disk: { ...playState().disk, segments, setAside: 2 } });
  const lines = drawn(state, plain(80, 24));
  lineWith(lines, (39 * SEGMENT_BYTES).toLocaleString('en-US'));
  lineWith(lines, '... 38 more');
  lineWith(lines, 'queue files 2, index files 1 (185/399)');
  assert.match(lineWith(lines, 'abort is there'), /abort is there, 2 put aside/);
});

test('too small a terminal says what is needed, and still what happened', () => {
  const lines = drawn(playState(), plain(60, 20));
  assert.match(lines.join(' '), /The picture needs 80 columns and 24 rows; here are 60 and +20\./);
  lineWith(lines, '> send 100');
  assert.match(drawn(playState(), plain(80, 10)).join(' '), /here are 80 and +10\./);
});

test('before there is a broker', () => {
  const lines = drawn(emptyState(), plain(80, 24));
  lineWith(lines, 'no broker yet');
  assert.ok(lines.filter((line) => line.includes('nothing yet')).length >= 3);
  lineWith(lines, 'abort is not there');
});

test('a dead broker: its threads have ended, what is damaged in its files is marked', () => {
  const damaged: [number, number][] = [[SEGMENT_BYTES + 4000, SEGMENT_BYTES + 4400]];
  const torn = segment(SEGMENT_BYTES, 10, { damaged });
  const { disk } = playState();
  const state = playState({
    process: { kind: 'ended', how: 'was ended by SIGKILL' },
    disk: { ...disk, segments: [disk.segments[0] as typeof torn, torn] },
  });
  const lines = drawn(state, plain(100, 30));
  lineWith(lines, 'the process was ended by SIGKILL  restart?');
  assert.match(lineWith(lines, 'writer  '), /send|writer/);
  assert.ok(lines.some((line) => /^writer +ended/.test(line)));
  assert.match(lineWith(lines, ' damaged'), / 69,632 \[=X\.* +\] damaged +10 msg/);
  const living = drawn(playState({ disk: state.disk }), plain(100, 30));
  assert.not(
    living.some((line) => line.includes('damaged')),
    'what is just being written is no damage',
  );
});

test('SYNC_FLUSH: what is confirmed is what is flushed', () => {
  const lines = drawn(playState({ flushType: 'SYNC_FLUSH' }), plain(80, 24));
  assert.match(lineWith(lines, 'CONFIRMED'), /CONFIRMED +69,632 {2}4,400 behind/);
  assert.match(lineWith(lines, 'POSITIONS'), /SYNC_FLUSH/);
});

test('a full disk stands in the first line', () => {
  const process = { kind: 'running', pid: 1, seconds: 1, isFull: true } as const;
  assert.match(drawn(playState({ process }), plain(80, 24))[0] ?? '', /DISK FULL/);
});

test('colours only where they are asked for; without them not one control character', () => {
  const state = playState({
    news: ['odd \u001b[2J text \u0007 \u4e2d'],
    process: { kind: 'ended', how: 'x' },
  });
  const bare = picture(state, plain(80, 24));
  assert.not.match(bare.join(''), /[^\x20-\x7e]/);
  lineWith(bare, 'odd ?[2J text ? ?');
  const colourful = picture(state, { ...plain(80, 24), colours: true, glyphs: BLOCKS });
  assert.ok(colourful.join('').includes(`${ESCAPE}31m`));
  const uncoloured = colourful.map((line) =>
    line
      .split(ESCAPE)
      .map((part, i) => (i === 0 ? part : part.slice(part.indexOf('m') + 1)))
      .join(''),
  );
  for (const line of uncoloured) assert.is(line.length, 80);
});

test('the footer has the last row', () => {
  for (const [columns, rows] of [
    [80, 24],
    [200, 50],
    [30, 5],
  ] as const) {
    const lines = drawn(playState(), { ...plain(columns, rows), footer: [['keys', 'title']] });
    assert.match(lines.at(-1) ?? '', /^keys/);
  }
});

test('text in cells: cut with a mark, filled, wrapped at blanks', () => {
  assert.is(render(fit(['abcdef'], 4), false), 'abc~');
  assert.is(render(fit(['ab', ['cd', 'good']], 3), true), 'ab~');
  assert.is(render(fit(['ab'], 4), false), 'ab  ');
  assert.is(widthOf(fit([['abc', 'bad'], 'def'], 5)), 5);
  assert.equal(wrap('one two three', 8), ['one two', 'three']);
  assert.equal(wrap('abcdefgh', 3), ['abc', 'def', 'gh']);
});

test.run();
