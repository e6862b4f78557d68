// The text of metrics: labels, what is left out, histograms, and pages that are made in several pieces.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Exposition, type Labels } from '../../../src/remoting/exposition.ts';

const test = suite('exposition');

function linesOf(out: Exposition): string[] {
  return out.bytes().toString().split('\n').slice(0, -1);
}

test('each family has its help and type, and each sample the labels of all and its own', () => {
  const out = new Exposition({ cluster: 'c', node_id: 'n' });
  out.gauge('up', 'Runs').add(1);
  out.counter('sends_total', 'Sends').add(2.5, { topic: 'orders', is_system: false, queue_id: 3 });
  assert.equal(linesOf(out), [
    '# HELP up Runs',
    '# TYPE up gauge',
    'up{cluster="c",node_id="n"} 1',
    '# HELP sends_total Sends',
    '# TYPE sends_total counter',
    'sends_total{cluster="c",node_id="n",topic="orders",is_system="false",queue_id="3"} 2.5',
  ]);
});

test('nothing separates labels that are not there', () => {
  const out = new Exposition({});
  const family = out.gauge('up', 'Runs');
  family.add(1);
  family.add(2, { thread: 'a' });
  family.addBuckets({ bounds: [[1, 0]], count: 1, sum: 7 });
  assert.equal(linesOf(out).slice(2), [
    'up{} 1',
    'up{thread="a"} 2',
    'up_bucket{le="1"} 0',
    'up_bucket{le="+Inf"} 1',
    'up_sum{} 7',
    'up_count{} 1',
  ]);
});

test('labels are escaped, and may hold any character', () => {
  const out = new Exposition({ region: 'a"b' });
  out.gauge('up', 'Runs').add(1, { topic: 'back\\slash\nline "quoted" Größe' });
  assert.is(linesOf(out)[2], 'up{region="a\\"b",topic="back\\\\slash\\nline \\"quoted\\" Größe"} 1');
});

test('a family without samples, or with none that can be said, is left out', () => {
  const out = new Exposition({});
  out.gauge('nothing', 'Of nothing');
  out.gauge('unknown', 'Not known').add(Number.NaN);
  assert.is(out.bytes().length, 0);
});

test('labels that several families share come to each of them, those in between too', () => {
  const out = new Exposition({ node: 'n' });
  const [messages, bytes] = [out.counter('messages', 'M'), out.counter('bytes', 'B')];
  const kinds: Labels[] = [{ topic: 'a' }, { topic: 'b' }];
  for (const labels of [...kinds, ...kinds]) for (const family of [messages, bytes]) family.add(1, labels);
  const topics = linesOf(out).flatMap(
    (line) => /^(\w+)\{node="n",topic="(\w)"\} 1$/.exec(line)?.slice(1) ?? [],
  );
  assert.is(
    topics.join(' '),
    ['messages', 'bytes']
      .flatMap((name) => `${name} a ${name} b `.repeat(2))
      .join('')
      .trim(),
  );
});

test('a long family has all its samples in their order', () => {
  const out = new Exposition({ node: 'é' });
  const [first, second] = [out.gauge('first', 'F'), out.gauge('second', 'S')];
  const count = 3_000;
  for (let i = 0; i < count; i++) {
    first.add(i, { topic: `orders-${i}` });
    second.add(-i, { topic: `orders-${i}` });
  }
  const expected = (name: string, sign: number) => [
    `# HELP ${name} ${name === 'first' ? 'F' : 'S'}`,
    `# TYPE ${name} gauge`,
    ...Array.from({ length: count }, (_, i) => `${name}{node="é",topic="orders-${i}"} ${sign * i}`),
  ];
  assert.equal(linesOf(out), [...expected('first', 1), ...expected('second', -1)]);
});

test.run();
