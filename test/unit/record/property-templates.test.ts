/** What comes from a template must be what a scan of the same bytes finds. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { PropertyScan } from '../../../src/record/property-scan.ts';
import { PropertyTemplates } from '../../../src/record/property-templates.ts';
import { Random } from '../../support/random.ts';

const test = suite('property templates');
const NAMES = [
  'KEYS',
  'TAGS',
  'WAIT',
  'UNIQ_KEY',
  'DELAY',
  'TRAN_MSG',
  'XRAN_MSG',
  'INNER_MULTI_DISPATCH',
  'INNER_MULTI_DISPATCX',
  'INNER_MULTI_QUEUE_OFFSET',
  'INNER_MULTI_QUEUE_OFFSEX',
  'TIMER_OUT_MS',
  'CLUSTER',
  'mine',
  'X',
  '',
];
const VALUES = [
  '',
  'a',
  'TagA',
  'true',
  'false',
  '7F0000010000000A',
  'k1 k2',
  'ü',
  '"\\',
  'x\x01y',
  '\x00',
  '3',
];

function properties(random: Random): string[][] {
  return Array.from({ length: random.int(0, 5) }, () => [random.pick(NAMES), random.pick(VALUES)]);
}

function encode(entries: string[][], closed: boolean): Buffer {
  const text = entries.map(([name, value]) => `${name}\x01${value}`).join('\x02');
  return Buffer.from(closed ? `${text}\x02` : text);
}

/** All that it has found. Offsets of what is not there mean nothing. */
function found(scan: PropertyScan): Record<string, unknown> {
  const all: Record<string, unknown> = { ...scan, transactional: scan.transactional };
  for (const name of Object.keys(all)) {
    const length = all[name.replace('Offset', 'Length')];
    if (name.endsWith('Offset')) assert.type(length, 'number', `the length of ${name}`);
    if (name.endsWith('Offset') && length === 0) delete all[name];
  }
  return all;
}

test('texts that resemble each other', () => {
  const random = new Random(3);
  const templates = new PropertyTemplates();
  const reused = new PropertyScan();
  for (let run = 0; run < 5000; run++) {
    const first = properties(random);
    // Values of the same length, as real keys are, and now and then other bytes in any place.
    const variants = [
      first,
      first.map(([name, value]) => [name ?? '', random.pick(VALUES).padEnd(value?.length ?? 0)]),
    ];
    for (const entries of [...variants, ...variants]) {
      const text = encode(entries, random.next() < 0.8);
      if (text.length > 0 && random.next() < 0.2)
        text[random.int(0, text.length - 1)] = random.pick([1, 2, 65, 200]);
      const bytes = new Uint8Array(text.length + 5).fill(2);
      bytes.set(text, 4);
      const view = new DataView(bytes.buffer);
      const expected = new PropertyScan();
      expected.scan(bytes, view, 4, 4 + text.length, 4);
      assert.equal(
        found(templates.scan(bytes, view, 4, 4 + text.length)),
        found(expected),
        JSON.stringify(entries),
      );
      reused.scan(bytes, view, 4, 4 + text.length, 4);
      assert.equal(found(reused), found(expected), 'what earlier texts had is forgotten');
    }
  }
});

test.run();
