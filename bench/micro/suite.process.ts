/** Measures one suite in a process of its own and sends the figures to the parent. */
import { type Figure, measure, type Timing } from './measure.ts';
import type { OpenSuite } from './suite.ts';

export interface Order {
  suite: string;
  folder: string;
  timing: Timing;
}

export type News = { figure: Figure } | { skipped: string };

function tell(news: News): void {
  process.send?.(news);
}

async function perform({ suite, folder, timing }: Order): Promise<void> {
  const { open } = (await import(new URL(`./${suite}.bench.js`, import.meta.url).href)) as {
    open: OpenSuite;
  };
  const { subjects, skipped, close } = open(folder);
  for (const subject of subjects) tell({ figure: measure(subject, timing) });
  if (skipped !== undefined) tell({ skipped });
  await close?.();
  process.disconnect();
}

process.once('message', (order) => perform(order as Order));
