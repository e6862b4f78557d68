/** The page that a run leaves in docs/benchmarks. */
import { mebibytes } from '../format.ts';
import type { MachineInfo } from '../machine.ts';
import { PINNED, type Settled } from './pinning.ts';
import { type ShapeResult, shapeText, summaryTable } from './report.ts';

export interface ThreadsReport {
  /** ISO time. */
  at: string;
  machine: MachineInfo;
  settings: {
    header: string;
    busyPollMicros: number;
    rounds: number;
    measuredSeconds: number;
    placement: Settled;
    processors: readonly number[];
  };
  results: ShapeResult[];
}

const READING = `Cells of the first table are µs of CPU a message, user and system time of all threads of the kind together, of it system
time in brackets; \`a network thread\` is its share of that. Waiting for a device or for others is no CPU. \`others\` are
V8's helpers, which compile and collect garbage, and libuv's pool. \`other programs\` is what they used of all processors
meanwhile; much of it makes rates lower and caches colder.

\`alone would carry\` is what follows for a kind with a processor for each of its threads: 1,000,000 / µs, for network
threads times their number. Memory bandwidth, caches and the network are not in it: threads that share a processor here
share its caches, too. Under sync flush the device stands beside that: messages a second, divided by the share of the time
in which syncs were under way. It follows from how many are in flight, as one sync releases all that wait for it, and a
sync lasts longer where other programs take the processors.

A broker that asks for nothing has \`paired\` and 1 network thread on up to 4 processors; \`dedicated\` with 1 network thread
on 5 to 7, with 2 on 8 to 11, with 3 on 12 to 15, with 4 from 16 on. So **eight processors** are the column of 2
network threads.

The last table has how often a kind slept, and how much of a processor each of its threads used. Before it sleeps a thread
looks for work in vain, which is in its CPU and would not be at its limit: 24 µs for the writer, 2 for the dispatcher, 8
for the flusher (measured once, with a clock around it). So 9 sleeps of the writer a 1,000 messages are 0.2 µs of its cost
of each, and it would carry more by as much. Wake-ups of others are in the cost, too: under sync flush each sync brings
some, for as few messages as it releases.`;

export function page({ at, machine, settings, results }: ThreadsReport): string {
  const { processor, processors, memoryBytes, kernel, fileSystem, node, ringmqCommit } = machine;
  const { header, busyPollMicros, rounds, measuredSeconds, placement } = settings;
  const head = [
    `Measured on ${processor}, ${processors} processors, ${mebibytes(memoryBytes)} memory, ${kernel}, stores on ${fileSystem}.`,
    `RingMQ at commit ${ringmqCommit} on Node ${node}, ${at.slice(0, 10)}, by \`npm run bench:threads\`;`,
    '[bench/README.md](../../bench/README.md#cpu-by-thread) has the method.',
    `Medians of ${rounds} rounds by turns, ${measuredSeconds} s measured each; requests with ${header} headers,`,
    `\`ringmq.busyPollMicros=${busyPollMicros}\`. Pinned: ${PINNED[placement]}.`,
  ].join('\n');
  return `${['# CPU a message by thread', head, summaryTable(results), READING, ...results.map(shapeText)].join('\n\n')}\n`;
}
