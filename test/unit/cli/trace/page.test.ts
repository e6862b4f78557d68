/** What becomes of a report: a page that needs nothing else, a picture, text. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { htmlOfReport } from '../../../../src/cli/trace/html.ts';
import { type Report, type Span, spanOfTime, step } from '../../../../src/cli/trace/report.ts';
import { placing, sectionsOf } from '../../../../src/cli/trace/sections.ts';
import { textOfReport } from '../../../../src/cli/trace/text.ts';
import { timeline } from '../../../../src/cli/trace/timeline.ts';
import { isWellFormed } from '../../../support/markup.ts';

const test = suite('pages of a trace');

const span = (lane: string, began: number, ended: number, label = 'works'): Span => ({
  ...{ lane, label, began, ended },
  step: 3,
});

const SPANS = [
  span('writer', 0, 0.2),
  span('network-0', 0.1, 0.3),
  span('flusher', 900, 901, '<syncs> & "ends"'),
];

const REPORT: Report = {
  title: 'The way of <b>one</b>',
  facts: [['broker', 'a & b']],
  stages: [
    {
      title: 'Sent',
      text: ['It goes.'],
      steps: [
        step(1, {
          began: 0,
          ended: 0.5,
          text: ["It's <i>bytes</i>."],
          pieces: [
            {
              title: 'frame',
              bytes: Uint8Array.from({ length: 20 }, (_, i) => i),
              from: 100,
              fields: [
                { at: 0, length: 4, name: 'length', value: '<4>', meaning: 'm' },
                { at: 4, length: 16, name: 'rest', value: 'v', meaning: '' },
              ],
            },
          ],
        }),
        step(4, { unseen: 'It is over.', table: { columns: ['name', '#n'], rows: [['<x>', 1]] } }),
      ],
    },
  ],
  spans: SPANS,
};

test('a page is well-formed, and asks for nothing from elsewhere', () => {
  const page = htmlOfReport(REPORT);
  assert.is(isWellFormed(page), undefined);
  assert.not.match(page, /<script|<link|<img|<iframe|@import|url\(|\ssrc=|\shref=/i);
  assert.equal(
    page.match(/https?:\/\/[^"]*/g),
    ['http://www.w3.org/2000/svg'],
    'the name of a format, no address',
  );
  assert.match(page, /The way of &lt;b&gt;one&lt;\/b&gt;/);
  assert.match(page, /00 01 02 03/);
  assert.match(page, /Not seen: It is over\./);
});

test('text shows each byte at its address', () => {
  const text = textOfReport(REPORT, true);
  assert.match(text, /\n {5}100 {2}00 01 02 03 +length +<4> {2}m\n/);
  assert.match(text, /\n {5}104 {2}04 05 06 07 08 09 0a 0b {2}rest +v\n {5}112 {2}0c 0d 0e 0f 10 11 12 13\n/);
  assert.match(text, /\(4\) The positions\n/);
  assert.not.match(textOfReport(REPORT, false), /00 01 02 03/);
});

test('long rests are cut out of the picture', () => {
  const sections = sectionsOf(SPANS);
  assert.equal(sections, [
    { from: 0, to: 0.3 },
    { from: 900, to: 901 },
  ]);
  const place = placing(sections, 140, 10);
  assert.equal(
    [0, 0.3, 900, 901].map((at) => Math.round(place(at))),
    [0, 30, 40, 140],
  );
  const picture = timeline(SPANS);
  assert.is(isWellFormed(picture), undefined);
  assert.match(picture, /899\.70 ms later/);
  assert.match(picture, /&lt;syncs&gt; &amp; &quot;ends&quot;/);
  assert.is(timeline([]), '');
});

test('bars lie within the picture, whatever the times are', () => {
  for (const spans of [[span('a', 5, 5)], [span('a', 0, 1e-9), span('b', 1e7, 1e7)], SPANS]) {
    const picture = timeline(spans);
    const [, width = 0] = /viewBox="0 0 (\d+)/.exec(picture)?.map(Number) ?? [];
    const bars = [...picture.matchAll(/class="bar" x="([\d.]+)" y="\d+" width="([\d.]+)"/g)];
    assert.is(bars.length, spans.length);
    for (const [, x, length] of bars)
      assert.ok(Number(x) >= 0 && Number(x) + Number(length) <= width, `${x}`);
  }
});

test('times have the unit that fits', () => {
  assert.equal([0, 0.0123, 0.5, 0.9999, 12.345, 1009.2, 12_345].map(spanOfTime), [
    '0.0 µs',
    '12.3 µs',
    '500 µs',
    '1.00 ms',
    '12.35 ms',
    '1009.20 ms',
    '12.345 s',
  ]);
});

test.run();
