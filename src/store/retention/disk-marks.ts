/** RocketMQ's marks of the used share of the disk: what follows from each, and the news when one is crossed. */
import type { ControlLog, LogLevel } from '../../lib/log.ts';

/** Above it expired files are deleted at any hour. */
export const DELETE_BY_TIME = 0.75;
/** Above it the oldest files are deleted, expired or not. */
export const DELETE_BY_FORCE = 0.85;
/** Above it no messages are taken. */
export const REFUSE_WRITES = 0.9;

interface Mark {
  ratio: number;
  level: LogLevel;
  above: string;
  below: string;
}

const MARKS: readonly Mark[] = [
  {
    ratio: DELETE_BY_TIME,
    level: 'info',
    above: 'expired CommitLog files are deleted at any hour',
    below: 'expired CommitLog files are deleted in the hours of deleteWhen only',
  },
  {
    ratio: DELETE_BY_FORCE,
    level: 'warn',
    above: 'the oldest CommitLog files are deleted, expired or not',
    below: 'only expired CommitLog files are deleted',
  },
  {
    ratio: REFUSE_WRITES,
    level: 'error',
    above: 'sends are refused. Free some space or lower fileReservedTime',
    below: 'sends are taken again',
  },
];

export class DiskMarks {
  readonly #log: ControlLog;
  readonly #directory: string;
  #last = 0;

  /** `directory`: of the CommitLog. */
  constructor(log: ControlLog, directory: string) {
    this.#log = log;
    this.#directory = directory;
  }

  /** Tells of each mark that lies between the used share now and the one of the last time. */
  note(ratio: number): void {
    const fields = { percent: Math.floor(ratio * 100), directory: this.#directory };
    for (const { ratio: mark, level, above, below } of MARKS) {
      const isAbove = ratio > mark;
      if (isAbove === this.#last > mark) continue;
      const percent = Math.round(mark * 100);
      if (isAbove)
        this.#log[level]({ ...fields, mark: percent }, `the disk is over ${percent} % full: ${above}`);
      else
        this.#log.info(
          { ...fields, mark: percent },
          `the disk is not over ${percent} % full any more: ${below}`,
        );
    }
    this.#last = ratio;
  }
}
