/** What the figures were measured on. */
import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { describeEnvironment } from '../../micro/report.ts';
import { mebibytes } from '../../rocketmq/format.ts';
import { fileSystemOf } from '../../rocketmq/machine.ts';

export interface Machine {
  /** Day and time, UTC. */
  date: string;
  facts: Record<string, string>;
}

/** `folder`: where the labs' files lie. */
export function describe(folder: string, now: Date): Machine {
  const { commit, node, processor, processors, kernel, load } = describeEnvironment();
  return {
    date: now.toISOString().slice(0, 16).replace('T', ' '),
    facts: {
      processor: `${processor} × ${processors}`,
      memory: mebibytes(totalmem()),
      kernel,
      'file system': fileSystemOf(folder, readFileSync('/proc/mounts', 'latin1')),
      'Node.js': node,
      commit,
      'load at the beginning': String(load),
    },
  };
}
