/** `npm run bench:timers`: how exactly, and at what cost, a broker delivers very many timed messages. */
import fs from 'node:fs';
import { RunFolder } from '../cleanup.ts';
import { DisturbanceWatch } from '../disturbance.ts';
import { fetchRocketMq, ROCKETMQ_VERSION, requireJava } from '../fetch.ts';
import { integer } from '../format.ts';
import { LoadRun } from '../load-run.ts';
import { describeMachine } from '../machine.ts';
import { CACHE, runProgram, say } from '../program.ts';
import { ensureFreshBundle } from '../ringmq-program.ts';
import { TimersMeasurement, type TimersResult } from './measure.ts';
import { parseTimersOptions, TIMERS_USAGE, type TimersOptions } from './options.ts';
import { faults, timersTable } from './report.ts';

/** RocketMQ's jars, or nothing when it does not take part. */
async function provide({ contestants }: TimersOptions, folder: RunFolder): Promise<string> {
  if (contestants.some(({ kind }) => kind === 'ringmq')) await ensureFreshBundle(say);
  if (!contestants.some(({ kind }) => kind === 'rocketmq')) return '';
  await requireJava(folder);
  return fetchRocketMq(folder, CACHE, say);
}

/** 1 when a broker could not be measured, or RingMQ's deliveries are not as they have to be. */
async function run(options: TimersOptions): Promise<number> {
  const folder = new RunFolder(CACHE);
  const lib = await provide(options, folder);
  const machine = describeMachine(folder.path);
  say(`${machine.processor}, ${machine.processors} processors, ${machine.kernel}, ${machine.fileSystem}`);
  say(
    `RingMQ ${machine.ringmqCommit} on Node ${machine.node}; RocketMQ ${ROCKETMQ_VERSION}, ${machine.java}`,
  );
  const watch = new DisturbanceWatch(folder);
  const context = { folder, lib, heap: options.heap };
  const bench = { context, load: new LoadRun(folder, watch), options, say };
  const results: TimersResult[] = [];
  let failed = false;
  for (const contestant of options.contestants) {
    try {
      const result = await new TimersMeasurement(bench, contestant).run();
      results.push(result);
      for (const fault of faults(result)) {
        say(`${contestant.title}: ${fault}`);
        if (contestant.kind === 'ringmq') failed = true;
      }
    } catch (error) {
      failed = true;
      say(`${contestant.title} FAILED: ${(error as Error).message}`);
    }
  }
  watch.stop();
  const head = `${integer(options.messages)} timers over ${options.spreadSeconds} s`;
  if (results.length > 0) process.stdout.write(`\n${timersTable(head, results)}\n`);
  if (options.json !== undefined)
    fs.writeFileSync(options.json, `${JSON.stringify({ machine, options, results }, null, 2)}\n`);
  return failed ? 1 : 0;
}

await runProgram({ name: 'bench:timers', usage: TIMERS_USAGE, parse: parseTimersOptions, run });
