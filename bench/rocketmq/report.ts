/** The result as Markdown (also what the terminal shows) and as JSON. */
import type { LoadResult } from '../load/recorder.ts';
import { JVM_FLAGS } from './broker-process.ts';
import { FIGURES, figureTitle, formatFigure } from './figures.ts';
import { alignedTable, factor, integer, mebibytes } from './format.ts';
import { rule, type Verdict } from './goals.ts';
import type { MachineInfo } from './machine.ts';
import type { BenchOptions } from './options.ts';
import { isClean, type LedgerCount, type ScenarioOutcome } from './outcome.ts';
import type { Scenario } from './scenarios.ts';
import type { Spread } from './statistics.ts';
import { type ScenarioSummary, summarize, type TargetSummary } from './summary.ts';

/** What an earlier start of the run has measured. */
export interface EarlierPart {
  scenarios: string[];
  from: string;
  to: string;
}

export interface Report {
  /** Of the run's last start. */
  startedAt: string;
  finishedAt: string;
  rocketmqVersion: string;
  machine: MachineInfo;
  options: Omit<BenchOptions, 'scenarios' | 'json' | 'continued' | 'list'>;
  jvmFlags: readonly string[];
  /** The generator against the null server. */
  generator: LoadResult;
  verdicts: Verdict[];
  summaries: ScenarioSummary[];
  outcomes: ScenarioOutcome[];
  earlier?: EarlierPart;
}

export type ReportParts = Omit<Report, 'summaries' | 'jvmFlags' | 'verdicts' | 'earlier'>;

function earlierPart(outcomes: readonly ScenarioOutcome[], startedAt: string): EarlierPart | undefined {
  // ISO times are in order as texts, too
  const earlier = outcomes.filter((outcome) => outcome.startedAt < startedAt);
  if (earlier.length === 0) return undefined;
  const starts = earlier.map((outcome) => outcome.startedAt).sort();
  const ends = earlier.map((outcome) => outcome.finishedAt).sort();
  const scenarios = earlier.map(({ scenario }) => scenario.name);
  return { scenarios, from: starts[0] as string, to: ends[ends.length - 1] as string };
}

/** Scenarios are read row by row, in whatever order they were measured. */
export function makeReport(parts: ReportParts, scenarios: readonly Scenario[]): Report {
  const sorted = [...scenarios].sort((one, other) => one.row - other.row);
  const outcomes = sorted.flatMap(
    ({ name }) => parts.outcomes.find(({ scenario }) => scenario.name === name) ?? [],
  );
  const summaries = outcomes.map((outcome) => {
    const scenario = scenarios.find(({ name }) => name === outcome.scenario.name);
    return summarize(outcome, scenario?.aliases);
  });
  const verdicts = sorted.flatMap(({ row, name, goals }) =>
    goals.map((goal) => rule(row, name, goal, summaries)),
  );
  const earlier = earlierPart(outcomes, parts.startedAt);
  const report = { ...parts, jvmFlags: JVM_FLAGS, verdicts, summaries, outcomes };
  return earlier === undefined ? report : { ...report, earlier };
}

function cell(key: string, values: Spread | undefined): string {
  if (values === undefined) return '-';
  const { median, min, max } = values;
  if (min === max) return formatFigure(key, median);
  return `${formatFigure(key, median)} (${formatFigure(key, min)} – ${formatFigure(key, max)})`;
}

function ledgerText(ledger: LedgerCount): string {
  const counts = `${ledger.lost} lost, ${ledger.duplicates} duplicates, ${ledger.foreign} foreign`;
  return isClean(ledger) ? counts : `**${counts}**`;
}

function remarks({
  title,
  failure,
  excused,
  rounds,
  repeated,
  disturbedKept,
  errors,
  ledger,
}: TargetSummary): string[] {
  if (failure !== undefined) {
    const reason = failure.split('\n')[0];
    return [`- ${title} ${excused === true ? 'has' : '**failed**,'} no figures: ${reason}`];
  }
  const lines = [`- ${title}: ${rounds} rounds, ${repeated} more repeated for foreign load`];
  if (disturbedKept > 0) {
    lines.push(
      `- ${title}: ${disturbedKept} of its rounds count although disturbed: the machine was never quiet`,
    );
  }
  if (errors > 0) lines.push(`- ${title}: **${errors} requests failed** and are not in the figures`);
  if (ledger !== undefined) lines.push(`- ${title}: ledger of all rounds: ${ledgerText(ledger)}`);
  return lines;
}

export function scenarioTable(summary: ScenarioSummary): string {
  const comparisons = [
    { title: 'RingMQ / RocketMQ', ratios: summary.ratios },
    { title: 'RingMQ / limit', ratios: summary.limitRatios },
  ].filter(({ ratios }) => Object.keys(ratios).length > 0);
  const names = summary.targets.map(({ title }) => title);
  const rows = [[summary.name, ...names, ...comparisons.map(({ title }) => title)]];
  for (const key of Object.keys(FIGURES)) {
    if (summary.targets.every(({ figures }) => figures[key] === undefined)) continue;
    const cells = summary.targets.map(({ figures }) => cell(key, figures[key]));
    const factors = comparisons.map(({ ratios }) => factor(ratios[key] ?? Number.NaN));
    rows.push([figureTitle(key), ...cells, ...factors]);
  }
  const notes = summary.targets.flatMap(remarks);
  for (const [alias, name] of Object.entries(summary.aliases)) notes.push(`- ${alias}: ${name}`);
  return `${alignedTable(rows)}\n\n${notes.join('\n')}\n`;
}

export function verdictTable(verdicts: readonly Verdict[]): string {
  const rows = verdicts.map(({ row, scenario, target, measured, ruling }) => [
    String(row),
    scenario,
    target,
    measured,
    ruling === 'not met' ? '**not met**' : ruling,
  ]);
  return alignedTable([['#', 'scenario', 'target', 'measured', 'verdict'], ...rows]);
}

function method({ options, machine, generator, rocketmqVersion }: Report): string {
  const { timing } = options;
  return `Measured on ${machine.processor}, ${machine.processors} processors, ${mebibytes(machine.memoryBytes)} memory,
${machine.kernel}, stores on ${machine.fileSystem}. RocketMQ ${rocketmqVersion} on ${machine.java}, broker heap
${options.heap}, flags \`${JVM_FLAGS.join(' ')}\`. RingMQ at commit ${machine.ringmqCommit} on Node ${machine.node}.

Both brokers from one \`broker.conf\`, on the same disk, begun with empty stores; load generator, brokers and name servers
on this one machine. Warm-up of each broker ${timing.warmupSeconds} s or ${integer(timing.warmupMessages)} messages, ${timing.adaptSeconds} s where it goes on from one
scenario of plain sends to the next; then ${options.rounds} rounds each, alternating, ${timing.runInSeconds} s run-in and ${timing.measuredSeconds} s measured. Every reply is checked. Cells: median
(minimum – maximum) of the rounds; latency at the client; CPU and memory of the broker process. The generator itself
reached ${integer(generator.rate)} msg/s (1 KiB, 8 × 32) at ${generator.cpuMicrosPerMessage.toFixed(2)} µs of CPU a message against a server that only answers.
`;
}

function whenMeasured({ startedAt, finishedAt, earlier }: Report): string {
  const run = `Run from ${startedAt} to ${finishedAt}.`;
  if (earlier === undefined) return run;
  const { scenarios, from, to } = earlier;
  return `${run}
An earlier start of it, same commit, settings and machine, measured from ${from} to ${to}:
${scenarios.join(', ')}.`;
}

export function markdown(report: Report): string {
  const sections = report.summaries.map((summary) => `## ${summary.title}\n\n${scenarioTable(summary)}`);
  const title = report.options.quick
    ? 'RingMQ and RocketMQ (quick run, not for quoting)'
    : 'RingMQ and RocketMQ';
  const targets = `## Targets\n\n${verdictTable(report.verdicts)}`;
  return `# ${title}\n\n${method(report)}\n${whenMeasured(report)}\n\n${targets}\n\n${sections.join('\n')}`;
}
