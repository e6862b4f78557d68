/** The result as Markdown (also what the terminal shows) and as JSON. */
import type { LoadResult } from '../load/recorder.ts';
import { factor, integer, mebibytes, micros } from './format.ts';
import type { MachineInfo } from './machine.ts';
import type { ScenarioOutcome } from './measure.ts';
import type { BenchOptions } from './options.ts';
import { displayName } from './progress.ts';
import { JVM_FLAGS } from './start.ts';
import type { Spread } from './statistics.ts';
import { METRICS, type Metric, type ScenarioSummary, summarize, type TargetSummary } from './summary.ts';

export interface Report {
  startedAt: string;
  finishedAt: string;
  rocketmqVersion: string;
  machine: MachineInfo;
  options: Omit<BenchOptions, 'scenarios' | 'json'>;
  jvmFlags: readonly string[];
  /** The generator against the null server. */
  generator: LoadResult;
  summaries: ScenarioSummary[];
  outcomes: ScenarioOutcome[];
}

export type ReportParts = Omit<Report, 'summaries' | 'jvmFlags'>;

export function makeReport(parts: ReportParts): Report {
  return { ...parts, jvmFlags: JVM_FLAGS, summaries: parts.outcomes.map(summarize) };
}

function figure(unit: Metric['unit'], value: number): string {
  if (unit === 'rate') return integer(value);
  if (unit === 'micros') return micros(value);
  if (unit === 'bytes') return mebibytes(value);
  return `${value.toFixed(2)} µs`;
}

function cell(unit: Metric['unit'], values: Spread | undefined): string {
  if (values === undefined) return '-';
  return `${figure(unit, values.median)} (${figure(unit, values.min)} – ${figure(unit, values.max)})`;
}

function alignedTable(rows: string[][]): string {
  const columns = (rows[0] as string[]).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  const line = (row: string[]): string =>
    `| ${columns.map((width, at) => (row[at] ?? '').padEnd(width)).join(' | ')} |`;
  const [head, ...body] = rows as [string[], ...string[][]];
  const rule = `|${columns.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  return [line(head), rule, ...body.map(line)].join('\n');
}

function remarks(target: TargetSummary): string[] {
  const name = displayName(target.name);
  if (target.failure !== undefined)
    return [`- ${name} **failed**, no figures: ${target.failure.split('\n')[0]}`];
  const lines = [`- ${name}: ${target.rounds} rounds, ${target.repeated} more repeated for foreign load`];
  if (target.disturbedKept > 0) {
    lines.push(
      `- ${name}: ${target.disturbedKept} of its rounds count although disturbed: the machine was never quiet`,
    );
  }
  if (target.errors > 0)
    lines.push(`- ${name}: **${target.errors} requests failed** and are not in the figures`);
  return lines;
}

export function scenarioTable(summary: ScenarioSummary): string {
  const compared = Object.keys(summary.ratios).length > 0;
  const names = summary.targets.map(({ name }) => displayName(name));
  const rows = [[summary.name, ...names, ...(compared ? ['RingMQ / RocketMQ'] : [])]];
  for (const { key, title, unit } of METRICS) {
    const cells = summary.targets.map(({ metrics }) => cell(unit, metrics[key]));
    rows.push([title, ...cells, ...(compared ? [factor(summary.ratios[key] ?? Number.NaN)] : [])]);
  }
  return `${alignedTable(rows)}\n\n${summary.targets.flatMap(remarks).join('\n')}\n`;
}

function method({ options, machine, generator, rocketmqVersion }: Report): string {
  const { timing } = options;
  return `Measured on ${machine.processor}, ${machine.processors} processors, ${mebibytes(machine.memoryBytes)} memory,
${machine.kernel}, stores on ${machine.fileSystem}. RocketMQ ${rocketmqVersion} on ${machine.java}, broker heap
${options.heap}, flags \`${JVM_FLAGS.join(' ')}\`. RingMQ at commit ${machine.ringmqCommit} on Node ${machine.node}.

Both brokers from one \`broker.conf\`, on the same disk, with empty stores for each scenario; load generator, brokers and
name servers on this one machine. Warm-up of each broker ${timing.warmupSeconds} s or ${integer(timing.warmupMessages)} messages; then
${options.rounds} rounds each, alternating, ${timing.runInSeconds} s run-in and ${timing.measuredSeconds} s measured. Every reply is checked. Cells: median
(minimum – maximum) of the rounds; latency at the client; CPU and memory of the broker process. The generator itself
reached ${integer(generator.rate)} msg/s (1 KiB, 8 × 32) at ${generator.cpuMicrosPerMessage.toFixed(2)} µs of CPU a message against a server that only answers.
`;
}

export function markdown(report: Report): string {
  const sections = report.summaries.map((summary) => `## ${summary.title}\n\n${scenarioTable(summary)}`);
  const title = report.options.quick
    ? 'RingMQ and RocketMQ (quick run, not for quoting)'
    : 'RingMQ and RocketMQ';
  const when = `Run from ${report.startedAt} to ${report.finishedAt}.`;
  return `# ${title}\n\n${method(report)}\n${when}\n\n${sections.join('\n')}`;
}
