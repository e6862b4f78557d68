/** The figures that rounds consist of: what they are called and how they read. */
import type { LatencySummary, LoadResult } from '../load/recorder.ts';
import { factor, integer, kibibytes, mebibytes, micros } from './format.ts';

type Unit = 'rate' | 'micros' | 'microsPerMessage' | 'bytes' | 'kibibytes' | 'share' | 'factor';

interface Figure {
  title: string;
  unit: Unit;
}

/** In the order of the tables. */
export const FIGURES: Readonly<Record<string, Figure>> = {
  rate: { title: 'messages a second', unit: 'rate' },
  p50: { title: 'latency p50', unit: 'micros' },
  p99: { title: 'latency p99', unit: 'micros' },
  p999: { title: 'latency p99.9', unit: 'micros' },
  max: { title: 'latency maximum', unit: 'micros' },
  ackP50: { title: 'acknowledgement p50', unit: 'micros' },
  ackP99: { title: 'acknowledgement p99', unit: 'micros' },
  ackP999: { title: 'acknowledgement p99.9', unit: 'micros' },
  ackMax: { title: 'acknowledgement maximum', unit: 'micros' },
  endToEndP50: { title: 'end to end p50', unit: 'micros' },
  endToEndP99: { title: 'end to end p99', unit: 'micros' },
  endToEndP999: { title: 'end to end p99.9', unit: 'micros' },
  endToEndMax: { title: 'end to end maximum', unit: 'micros' },
  consumedRate: { title: 'messages consumed a second', unit: 'rate' },
  throughRate: { title: 'from first send to last delivery, messages a second', unit: 'rate' },
  burstRate: { title: 'burst, deliveries a second', unit: 'rate' },
  burstLate: { title: 'burst, delivered after due, p99', unit: 'micros' },
  dispatchLag: { title: 'dispatch lag', unit: 'micros' },
  slaveBehind: { title: 'slave behind at the end', unit: 'kibibytes' },
  slaveBehindFor: { title: 'slave behind at the end for', unit: 'micros' },
  p99Alone: { title: 'send p99 before the read', unit: 'micros' },
  p99Growth: { title: 'growth of send p99', unit: 'factor' },
  readRate: { title: 'backlog messages read a second', unit: 'rate' },
  readTime: { title: 'duration of the read', unit: 'micros' },
  resident: { title: 'backlog in memory before the read', unit: 'share' },
  emptyStart: { title: 'start on an empty store', unit: 'micros' },
  crashStart: { title: 'start after kill -9', unit: 'micros' },
  cleanStart: { title: 'start after a clean stop', unit: 'micros' },
  cpu: { title: 'broker CPU a message', unit: 'microsPerMessage' },
  slaveCpu: { title: 'slave CPU a message', unit: 'microsPerMessage' },
  proxyCpu: { title: 'proxy CPU a message', unit: 'microsPerMessage' },
  generator: { title: 'client CPU a message', unit: 'microsPerMessage' },
  sendLag: { title: 'generator late by, p99', unit: 'micros' },
  anonymous: { title: 'anonymous memory', unit: 'bytes' },
  shared: { title: 'shared memory', unit: 'bytes' },
  memory: { title: 'anonymous + shared memory', unit: 'bytes' },
  slaveMemory: { title: 'slave anonymous + shared memory', unit: 'bytes' },
};

const FORMATS: Record<Unit, (value: number) => string> = {
  rate: integer,
  micros,
  microsPerMessage: (value) => `${value.toFixed(2)} µs`,
  bytes: mebibytes,
  kibibytes,
  share: (value) => `${(value * 100).toFixed(2)} %`,
  factor,
};

export function figureTitle(key: string): string {
  return FIGURES[key]?.title ?? key;
}

export function formatFigure(key: string, value: number): string {
  const unit = FIGURES[key]?.unit;
  return unit === undefined ? String(value) : FORMATS[unit](value);
}

function latencies({ p50, p99, p999, max }: LatencySummary, prefix = ''): Record<string, number> {
  if (prefix === '') return { p50, p99, p999, max };
  return { [`${prefix}P50`]: p50, [`${prefix}P99`]: p99, [`${prefix}P999`]: p999, [`${prefix}Max`]: max };
}

export type GeneratorResult = LatencySummary &
  Pick<LoadResult, 'rate' | 'seconds' | 'cpuMicrosPerMessage'> &
  Partial<Pick<LoadResult, 'sendLagP99' | 'acknowledged' | 'endToEnd' | 'consumed' | 'throughRate'>>;

/** The figures in a result line of the load generator. */
export function generatorFigures(result: GeneratorResult): Record<string, number> {
  const figures: Record<string, number> = { rate: result.rate, ...latencies(result) };
  figures['generator'] = result.cpuMicrosPerMessage;
  if (result.sendLagP99 !== undefined) figures['sendLag'] = result.sendLagP99;
  if (result.acknowledged !== undefined) Object.assign(figures, latencies(result.acknowledged, 'ack'));
  if (result.endToEnd !== undefined) Object.assign(figures, latencies(result.endToEnd, 'endToEnd'));
  if (result.consumed !== undefined && result.seconds > 0)
    figures['consumedRate'] = result.consumed / result.seconds;
  if (result.throughRate !== undefined) figures['throughRate'] = result.throughRate;
  return figures;
}
