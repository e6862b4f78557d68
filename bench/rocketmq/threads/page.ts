/** The page that a run leaves in docs/benchmarks. */
import { mebibytes } from '../format.ts';
import type { MachineInfo } from '../machine.ts';
import { PINNED, type Placement } from './pinning.ts';
import { type ShapeResult, shapeText } from './report.ts';

export interface ThreadsReport {
  machine: MachineInfo;
  settings: {
    header: string;
    busyPollMicros: number;
    rounds: number;
    placement: Placement;
    processors: readonly number[];
  };
  results: ShapeResult[];
}

export function page({ machine, results }: ThreadsReport): string {
  const shapes = results.map(shapeText).join('\n\n');
  return `# CPU a message by thread\n\n${machine.processor}, ${mebibytes(machine.memoryBytes)}, ${PINNED.split}\n\n${shapes}\n`;
}
