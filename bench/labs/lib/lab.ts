/**
 * What a lab consists of: a claim about the machine, an experiment that may refute it, and how to read what comes out.
 *
 * A lab compares *ways* of doing the same thing at several *places* (a record size, a number of readers …). Each pair of
 * them is a case; `rounds.ts` measures all cases of a lab by turns.
 */
import type { Timing } from '../../micro/measure.ts';
import type { Spread } from '../../rocketmq/statistics.ts';

export interface Scale {
  /** Measured rounds; one more before them is thrown away when `warmUp` is set. */
  rounds: number;
  warmUp: boolean;
  /** Sizes and counts are divided by it. */
  divisor: number;
  /** Of what tinybench measures in one round. */
  timing: Timing;
}

export const FULL: Scale = { rounds: 5, warmUp: true, divisor: 1, timing: { time: 60, warmup: 20 } };
export const QUICK: Scale = { rounds: 2, warmUp: true, divisor: 4, timing: { time: 30, warmup: 10 } };
/** To see that a lab works, as the tests do: its figures mean nothing. */
export const TINY: Scale = { rounds: 1, warmUp: false, divisor: 64, timing: { time: 1, warmup: 0 } };

/** `full` divided by the scale, `least` at the least. */
export function scaled(scale: Scale, full: number, least = 1): number {
  return Math.max(least, Math.ceil(full / scale.divisor));
}

/** What a case measures, by the keys of the lab's columns. */
export type Figures = Record<string, number>;

export interface Outcome {
  figures: Figures;
  /** What happened, where that is no number. */
  remark: string;
}

export interface Case {
  place: string;
  way: string;
  /** Not measured; before each round. */
  prepare?: () => void | Promise<void>;
  measure: () => Figures | Outcome | Promise<Figures | Outcome>;
}

export interface Bench {
  /** An empty directory, on the disk that holds the project; it is removed afterwards. */
  folder: string;
  scale: Scale;
  /** A process that belongs to the lab: its CPU time is no disturbance. */
  helper: (pid: number) => void;
}

export interface Opened {
  cases: Case[];
  /** What cannot be measured here, and why; the rest is. */
  skipped?: string[];
  close?: () => void | Promise<void>;
}

export interface Column {
  key: string;
  /** With its unit. */
  title: string;
}

/** A source file in which the result is used. */
export interface Use {
  /** From the project's folder. */
  file: string;
  /** A name that stands in it. */
  symbol: string;
  what: string;
}

/** Median of a column at a place for a way; throws a NoFigure when that was not measured. */
export type Look = (place: string, way: string, column: string) => number;

export interface Lab {
  title: string;
  hypothesis: string;
  experiment: string;
  reading: string;
  uses: readonly Use[];
  /** What a place is; the heading of its column. */
  places: string;
  columns: readonly Column[];
  chart: {
    column: string;
    /** Over a scale of powers of ten: where figures lie far apart. */
    logarithmic: boolean;
  };
  /** Of disk, at most. */
  bytes: (scale: Scale) => number;
  /** Throws a CannotRun when nothing of it can be measured here. */
  open: (bench: Bench) => Opened | Promise<Opened>;
  /** Sentences about the run's own figures. */
  findings: readonly ((look: Look) => string)[];
}

export interface Row {
  place: string;
  way: string;
  figures: Record<string, Spread>;
  remark: string;
}

/** The machine lacks what a lab, or a case of it, needs. */
export class CannotRun extends Error {}

/** A sentence is about something that was not measured. */
export class NoFigure extends Error {}

export function lookIn(rows: readonly Row[]): Look {
  return (place, way, column) => {
    const row = rows.find((one) => one.place === place && one.way === way);
    const figure = row?.figures[column];
    if (figure === undefined) throw new NoFigure(`${way}, ${place}: ${column} was not measured`);
    return figure.median;
  };
}

/** What the findings say of these rows; a sentence whose figures are missing is left out. */
export function findingsOf(lab: Lab, rows: readonly Row[]): string[] {
  const look = lookIn(rows);
  return lab.findings.flatMap((finding) => {
    try {
      return [finding(look)];
    } catch (error) {
      if (error instanceof NoFigure) return [];
      throw error;
    }
  });
}

/** Negative results of the addon are errnos. */
export function check(result: number, what: string): number {
  if (result < 0) throw new Error(`${what} failed with errno ${-result}`);
  return result;
}
