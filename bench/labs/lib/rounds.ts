/**
 * Measures the cases of a lab by turns: all of them once, then all again. What the machine does meanwhile hits all of
 * them alike, and each figure is told with the least and the greatest of its rounds. Every other round goes backwards,
 * so that no case always follows the same one.
 */
import { spread } from '../../rocketmq/statistics.ts';
import {
  CannotRun,
  type Case,
  type Column,
  type Figures,
  type Outcome,
  type Row,
  type Scale,
} from './lab.ts';

export interface Rounds {
  rows: Row[];
  /** What could not be measured, and why. */
  skipped: string[];
}

interface Measured {
  one: Case;
  rounds: Figures[];
  remark: string;
}

function isOutcome(result: Figures | Outcome): result is Outcome {
  return typeof result['figures'] === 'object';
}

function rowOf({ one, rounds, remark }: Measured, columns: readonly Column[]): Row {
  const figures: Row['figures'] = {};
  for (const { key } of columns) {
    const values = rounds.flatMap((round) => round[key] ?? []);
    if (values.length > 0) figures[key] = spread(values);
  }
  return { place: one.place, way: one.way, figures, remark };
}

export async function measureRounds(
  cases: readonly Case[],
  columns: readonly Column[],
  scale: Scale,
  onRound: (round: number, rounds: number) => void,
): Promise<Rounds> {
  let measured: Measured[] = cases.map((one) => ({ one, rounds: [], remark: '' }));
  const skipped: string[] = [];
  const first = scale.warmUp ? 0 : 1;
  for (let round = first; round <= scale.rounds; round++) {
    onRound(round, scale.rounds);
    for (const entry of round % 2 === 0 ? [...measured] : [...measured].reverse()) {
      try {
        await entry.one.prepare?.();
        const result = await entry.one.measure();
        if (round > 0) entry.rounds.push(isOutcome(result) ? result.figures : result);
        if (isOutcome(result)) entry.remark = result.remark;
      } catch (error) {
        if (!(error instanceof CannotRun)) throw error;
        skipped.push(`${entry.one.way}, ${entry.one.place}: ${error.message}`);
        measured = measured.filter((other) => other !== entry);
      }
    }
  }
  return { rows: measured.map((entry) => rowOf(entry, columns)), skipped };
}
