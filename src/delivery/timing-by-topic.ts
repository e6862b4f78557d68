/** How many timed messages wait, by topic: the wheel counts by the hash of a topic's name. */
import { javaHashCode } from '../lib/java-hash.ts';
import type { FigureTotals } from './figures.ts';

export function* timingByTopic(
  figures: Pick<FigureTotals, 'totals'>,
  topics: Iterable<{ topicName: string }>,
): Iterable<[topic: string, count: number]> {
  const byHash = figures.totals('timing');
  if (byHash.size === 0) return;
  for (const { topicName } of topics) {
    const count = byHash.get(String(javaHashCode(topicName)));
    if (count !== undefined) yield [topicName, Math.max(0, count)];
  }
}
