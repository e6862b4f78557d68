/** Measures one lab in a process of its own, and tells the parent how it goes. */
import { type Bench, CannotRun, findingsOf, type Row, type Scale } from './lab.ts';
import { loadLab } from './load-lab.ts';
import { OthersWatch } from './others-watch.ts';
import { measureRounds } from './rounds.ts';

export interface Order {
  name: string;
  folder: string;
  scale: Scale;
}

export interface Measured {
  rows: Row[];
  /** Parts that could not be measured, and why. */
  skipped: string[];
  findings: string[];
  /** Share of all processors, 0 to 1, that others used meanwhile. */
  foreignShare: number;
}

export type News = { round: number; rounds: number } | { measured: Measured } | { cannotRun: string };

function tell(news: News): void {
  process.send?.(news);
}

async function perform({ name, folder, scale }: Order): Promise<void> {
  const lab = await loadLab(name);
  const others = new OthersWatch();
  const bench: Bench = { folder, scale, helper: (pid) => others.knows(pid) };
  const opened = await lab.open(bench);
  try {
    others.begin();
    const onRound = (round: number, rounds: number) => tell({ round, rounds });
    const { rows, skipped } = await measureRounds(opened.cases, lab.columns, scale, onRound);
    const share = others.end();
    const all = [...(opened.skipped ?? []), ...skipped];
    if (rows.length === 0) throw new CannotRun(all.join('; '));
    const findings = findingsOf(lab, rows);
    tell({ measured: { rows, skipped: all, findings, foreignShare: share } });
  } finally {
    await opened.close?.();
  }
}

process.once('message', (order) => {
  // Nothing is left to do for a parent that has gone.
  process.once('disconnect', () => process.exit());
  perform(order as Order)
    .catch((error: unknown) => {
      if (!(error instanceof CannotRun)) throw error;
      tell({ cannotRun: error.message });
    })
    .then(
      () => process.disconnect(),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
});
