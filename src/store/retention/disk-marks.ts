/** The marks of the used share of the disk: what follows from each, and the news when one is crossed. */
import type { ControlLog, LogLevel } from '../../lib/log.ts';
import type { StoreOptions } from '../options.ts';

type MarkName = 'diskMaxUsedSpaceRatio' | 'diskSpaceCleanForciblyRatio' | 'diskSpaceWarningLevelRatio';

interface Mark {
  /** The option that holds it, in percent; it may change while the broker runs. */
  name: MarkName;
  level: LogLevel;
  above: string;
  below: string;
}

const DELETES: Mark = {
  name: 'diskSpaceCleanForciblyRatio',
  level: 'warn',
  above: 'the oldest CommitLog files are deleted, expired or not',
  below: 'only expired CommitLog files are deleted',
};

const MARKS: readonly Mark[] = [
  {
    name: 'diskMaxUsedSpaceRatio',
    level: 'info',
    above: 'expired CommitLog files are deleted at any hour',
    below: 'expired CommitLog files are deleted in the hours of deleteWhen only',
  },
  DELETES,
  {
    name: 'diskSpaceWarningLevelRatio',
    level: 'error',
    above: 'sends are refused. Free some space or lower fileReservedTime',
    below: 'sends are taken again',
  },
];

export class DiskMarks {
  readonly #log: ControlLog;
  readonly #options: StoreOptions;
  /** The marks that the disk was over the last time. */
  readonly #over = new Set<Mark>();

  constructor(log: ControlLog, options: StoreOptions) {
    this.#log = log;
    this.#options = options;
  }

  /** Tells of each mark that has been crossed since the last time. `ratio`: used share of the disk, 0 to 1. */
  note(ratio: number): void {
    for (const mark of MARKS) {
      const isOver = this.#isOver(mark, ratio);
      if (isOver === this.#over.has(mark)) continue;
      if (isOver) this.#over.add(mark);
      else this.#over.delete(mark);
      this.#tell(mark, ratio, isOver);
    }
  }

  #isOver(mark: Mark, ratio: number): boolean {
    if (mark === DELETES && !this.#options.cleanFileForciblyEnable) return false;
    return ratio > this.#options[mark.name] / 100;
  }

  #tell({ name, level, above, below }: Mark, ratio: number, isOver: boolean): void {
    const mark = this.#options[name];
    const fields = { percent: Math.floor(ratio * 100), mark, directory: this.#options.commitLogDirectory };
    if (isOver) this.#log[level](fields, `the disk is over ${mark} % full: ${above}`);
    else this.#log.info(fields, `the disk is not over ${mark} % full any more: ${below}`);
  }
}
