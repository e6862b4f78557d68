/** The configuration files of a layout: written where they are missing, kept where somebody has added to them. */
import { existsSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { readProperties } from '../../config/properties-file.ts';
import { makeDirectories } from '../../lib/files.ts';
import { UserError } from '../../lib/user-error.ts';
import { type ClusterPlan, FIXED_KEYS, type PlannedServer } from './layouts.ts';

/** Properties as Java reads them, with a comment that says what they are for. */
export function textOf({ layout }: ClusterPlan, { name, kind, keys }: PlannedServer): string {
  const lines = [...keys].map(([key, value]) => `${key}=${value.replaceAll('\\', '\\\\')}\n`);
  return `# ${name}: ${kind} of the layout ${layout}. Other keys may be added.\n${lines.join('')}`;
}

/** Writes what is not there. Throws a UserError, before anything is written, for a file that is of another cluster. */
export function writeFiles(plan: ClusterPlan): void {
  const missing = plan.servers.filter(({ file }) => !existsSync(file));
  for (const server of plan.servers) if (!missing.includes(server)) checkFile(server);
  for (const server of missing) {
    makeDirectories(dirname(server.file));
    writeFileSync(server.file, textOf(plan, server));
  }
}

function checkFile({ file, keys }: PlannedServer): void {
  const there = readProperties(file);
  for (const [key, value] of keys) {
    if (!FIXED_KEYS.has(key) || there.get(key) === value) continue;
    const found = there.has(key) ? `${key}=${there.get(key)}` : `no ${key}`;
    throw new UserError(
      `${file} has ${found}, and this start needs ${key}=${value}: give the --layout and --base-port that the file ` +
        'was made with, or another --dir.',
    );
  }
}
