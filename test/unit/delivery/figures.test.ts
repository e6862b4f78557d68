/** Figures by topic: what delivery counts and tells, what control makes of it, and that their number is bounded. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  DeliveryFigures,
  FigureTotals,
  figureKey,
  namesIn,
  type ToldFigures,
} from '../../../src/delivery/figures.ts';
import { MAX_DELIVERY_FIGURES } from '../../../src/lib/limits.ts';

const test = suite('figures of delivery');

function taken(figures: DeliveryFigures): ToldFigures {
  return figures.take() ?? { counts: [], observed: [] };
}

test('what was told is added up, and told once', () => {
  const [figures, totals] = [new DeliveryFigures(), new FigureTotals()];
  assert.is(figures.take(), undefined);
  for (let told = 0; told < 2; told++) {
    figures.count('commits', 'T');
    figures.count('commits', 'T', 2);
    figures.count('halves', 'T', -1);
    figures.observe('committed', 'T', 5);
    figures.observe('committed', 'T', 90_000);
    totals.add(taken(figures));
    assert.is(figures.take(), undefined);
  }
  assert.equal([...totals.totals('commits')], [['T', 6]]);
  assert.equal([...totals.totals('halves')], [['T', -2]]);
  assert.equal(totals.observed('committed').get('T')?.state, {
    counts: [2, 0, 0, 0, 0, 0, 2],
    sum: 180_010,
  });
  assert.equal([...totals.totals('rollbacks')], []);
});

test('a deleted topic is forgotten, and no other', () => {
  const [figures, totals] = [new DeliveryFigures(), new FigureTotals()];
  for (const topic of ['T', 'TT']) {
    figures.count('timersIn', topic);
    figures.count('revived', figureKey(topic, 'g'));
    figures.count('acksOut', figureKey(topic, 'g', 3));
    figures.observe('delays', topic, 1);
  }
  totals.add(taken(figures));
  totals.forget('T');
  assert.equal([...totals.totals('timersIn').keys()], ['TT']);
  assert.equal([...totals.totals('revived').keys()].map(namesIn), [['TT', 'g']]);
  assert.equal([...totals.totals('acksOut').keys()].map(namesIn), [['TT', 'g', '3']]);
  assert.equal([...totals.observed('delays').keys()], ['TT']);
});

test('any number of names costs bounded memory at both ends, and what is known is counted on', () => {
  const [figures, totals] = [new DeliveryFigures(), new FigureTotals()];
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < MAX_DELIVERY_FIGURES + 10; i++) figures.count('commits', `${round} ${i}`);
    figures.count('commits', `${round} 0`);
    const told = taken(figures);
    assert.is(told.counts.length, MAX_DELIVERY_FIGURES);
    totals.add(told);
  }
  assert.is(totals.totals('commits').size, MAX_DELIVERY_FIGURES);
  assert.equal([totals.totals('commits').get('0 0'), totals.totals('commits').get('1 0')], [2, undefined]);
});

test.run();
