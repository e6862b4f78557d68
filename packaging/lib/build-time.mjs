import { statSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './exec.mjs';
import { root } from './paths.mjs';

/**
 * The time that artefacts say of themselves, seconds since the epoch: that of their sources, so that the same sources
 * give the same bytes. SOURCE_DATE_EPOCH is the convention of reproducible-builds.org.
 */
export async function buildTime() {
  const given = process.env.SOURCE_DATE_EPOCH;
  if (given) return Number(given);
  const { ok, output } = await run('git', ['log', '-1', '--format=%ct']);
  return ok ? Number(output) : Math.floor(statSync(join(root, 'CHANGELOG.md')).mtimeMs / 1_000);
}
