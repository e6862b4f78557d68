/** `--continue`: what a run that was cut short has measured already is taken from its report, if nothing else differs. */
import fs from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import type { ScenarioOutcome } from './outcome.ts';
import type { Report } from './report.ts';

/** What the figures of two starts of one run must have in common. */
export type RunSettings = Pick<Report, 'rocketmqVersion' | 'machine' | 'options'>;

/** All settings by the name that a refusal calls them by. */
function byName({ rocketmqVersion, machine, options }: RunSettings): Record<string, unknown> {
  const { timing, targets, ...others } = options;
  const { ringmqCommit, ...system } = machine;
  const order = [...targets].sort();
  return { commit: ringmqCommit, rocketmqVersion, ...system, ...others, ...timing, targets: order };
}

function shown(value: unknown): string {
  return value === undefined ? 'missing' : [value].flat().join(', ');
}

/** Says which setting differs; undefined = none does. */
export function difference(before: RunSettings, now: RunSettings): string | undefined {
  const [theirs, ours] = [byName(before), byName(now)];
  for (const name of Object.keys({ ...ours, ...theirs })) {
    if (isDeepStrictEqual(theirs[name], ours[name])) continue;
    return `${name} was ${shown(theirs[name])} and is ${shown(ours[name])}`;
  }
  // of a tree that is more than its commit nobody knows whether it is still the same
  const { ringmqCommit } = now.machine;
  return /^[0-9a-f]+$/.test(ringmqCommit) ? undefined : `commit is no clean one but ${ringmqCommit}`;
}

function readReport(file: string): Report {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8')) as Report;
  } catch (error) {
    throw new Error(`there is no report to continue: ${(error as Error).message}`);
  }
}

/** The outcomes that the report holds; an error says why they cannot stand beside those of this run. */
export function outcomesToKeep(file: string, now: RunSettings): ScenarioOutcome[] {
  const report = readReport(file);
  const differs = difference(report, now);
  if (differs !== undefined) throw new Error(`${file} cannot be continued: ${differs}`);
  return report.outcomes;
}
