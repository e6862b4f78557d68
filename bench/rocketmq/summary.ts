/** From rounds to figures: median, minimum and maximum per broker, ratio of the medians. */
import type { Round } from './load-run.ts';
import type { ScenarioOutcome, TargetOutcome } from './measure.ts';
import { ratio, type Spread, spread } from './statistics.ts';
import type { TargetName } from './target.ts';

export interface Metric {
  key: string;
  title: string;
  unit: 'rate' | 'micros' | 'microsPerMessage' | 'bytes';
  read(round: Round): number;
}

export const METRICS: readonly Metric[] = [
  { key: 'rate', title: 'messages a second', unit: 'rate', read: ({ result }) => result.rate },
  { key: 'p50', title: 'latency p50', unit: 'micros', read: ({ result }) => result.p50 },
  { key: 'p99', title: 'latency p99', unit: 'micros', read: ({ result }) => result.p99 },
  { key: 'p999', title: 'latency p99.9', unit: 'micros', read: ({ result }) => result.p999 },
  { key: 'max', title: 'latency maximum', unit: 'micros', read: ({ result }) => result.max },
  {
    key: 'cpu',
    title: 'broker CPU a message',
    unit: 'microsPerMessage',
    read: (round) => round.brokerCpuMicrosPerMessage,
  },
  {
    key: 'generator',
    title: 'generator CPU a message',
    unit: 'microsPerMessage',
    read: ({ result }) => result.cpuMicrosPerMessage,
  },
  { key: 'anonymous', title: 'anonymous memory', unit: 'bytes', read: ({ memory }) => memory.anonymousBytes },
  { key: 'shared', title: 'shared memory', unit: 'bytes', read: ({ memory }) => memory.sharedBytes },
];

export interface TargetSummary {
  name: TargetName;
  failure?: string;
  rounds: number;
  repeated: number;
  disturbedKept: number;
  errors: number;
  metrics: Record<string, Spread>;
}

export interface ScenarioSummary {
  name: string;
  title: string;
  targets: TargetSummary[];
  /** RingMQ's median divided by RocketMQ's; missing unless both were measured. */
  ratios: Record<string, number>;
}

function summarizeTarget(outcome: TargetOutcome): TargetSummary {
  const { name, rounds, repeated, disturbedKept, failure } = outcome;
  const metrics: Record<string, Spread> = {};
  if (rounds.length > 0) for (const { key, read } of METRICS) metrics[key] = spread(rounds.map(read));
  const errors = rounds.reduce((sum, { result }) => sum + result.errors, 0);
  const counts = { rounds: rounds.length, repeated, disturbedKept, errors };
  return { name, ...counts, metrics, ...(failure === undefined ? {} : { failure }) };
}

export function summarize({ scenario, targets }: ScenarioOutcome): ScenarioSummary {
  const summaries = targets.map(summarizeTarget);
  const ours = summaries.find(({ name }) => name === 'ringmq');
  const reference = summaries.find(({ name }) => name === 'rocketmq');
  const ratios: Record<string, number> = {};
  for (const { key } of METRICS) {
    const value = ratio(ours?.metrics[key], reference?.metrics[key]);
    if (Number.isFinite(value)) ratios[key] = value;
  }
  return { name: scenario.name, title: scenario.title, targets: summaries, ratios };
}
