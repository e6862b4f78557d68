// What RocketMQ 5.5.0 printed, kept in the repository, and in which lines RingMQ differs from it.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { interop } from '../support/paths.ts';
import { type Command, runsOf } from './command.ts';
import { type Page, titleOfCall } from './console.ts';
import { type Transcript, titleOf } from './session.ts';

const RECORDING = join(interop, 'mqadmin', 'rocketmq-5.5.0.json');
const DIFFERENCES = join(interop, 'mqadmin', 'differences.json');

export const readRecording = (): Transcript => read(RECORDING);
/** By command line: lines that only RocketMQ prints, with a minus, and those that only RingMQ prints, with a plus. */
export const readDifferences = (): Transcript => read(DIFFERENCES);

export const writeRecording = (transcript: Transcript): void => write(RECORDING, transcript);
export const writeDifferences = (differences: Transcript): void => write(DIFFERENCES, differences);

function read(path: string): Transcript {
  return JSON.parse(readFileSync(path, 'utf8')) as Transcript;
}

function write(path: string, transcript: Transcript): void {
  writeFileSync(path, `${JSON.stringify(transcript, undefined, 2)}\n`);
}

/** Of what is run for a command, or asked for a page. */
export function titlesOf(subject: Command | Page): string[] {
  return 'calls' in subject
    ? subject.calls.map((call) => titleOfCall(subject, call))
    : runsOf(subject).map((run) => titleOf(subject, run));
}

/** Of those that differ. */
export function differencesOf(subject: Command | Page, real: Transcript, ours: Transcript): Transcript {
  const found: Transcript = {};
  for (const title of titlesOf(subject)) {
    const lines = difference(real[title] ?? ['(not recorded)'], ours[title] ?? ['(not run)']);
    if (lines.length > 0) found[title] = lines;
  }
  return found;
}

/** A shortest edit by the longest common subsequence; nothing where both are equal. */
export function difference(before: readonly string[], after: readonly string[]): string[] {
  const common = commonLengths(before, after);
  const lines: string[] = [];
  let i = 0;
  let j = 0;
  while (i < before.length || j < after.length) {
    if (i < before.length && before[i] === after[j]) {
      i += 1;
      j += 1;
    } else if (j === after.length || (i < before.length && at(common, i + 1, j) >= at(common, i, j + 1))) {
      lines.push(`-${before[i++]}`);
    } else {
      lines.push(`+${after[j++]}`);
    }
  }
  return lines;
}

/** [i][j]: how many lines the rests from i and j have in common. */
function commonLengths(before: readonly string[], after: readonly string[]): number[][] {
  const lengths = Array.from({ length: before.length + 1 }, () =>
    new Array<number>(after.length + 1).fill(0),
  );
  for (let i = before.length - 1; i >= 0; i -= 1) {
    for (let j = after.length - 1; j >= 0; j -= 1) {
      const length =
        before[i] === after[j]
          ? at(lengths, i + 1, j + 1) + 1
          : Math.max(at(lengths, i + 1, j), at(lengths, i, j + 1));
      (lengths[i] as number[])[j] = length;
    }
  }
  return lengths;
}

function at(lengths: readonly (readonly number[])[], i: number, j: number): number {
  return lengths[i]?.[j] ?? 0;
}
