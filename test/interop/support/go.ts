// The Go side of the tests: one binary with all programs, built once per content of its sources.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { alone } from './alone.ts';
import { cache, interop } from './paths.ts';
import { tool } from './tools.ts';

const BUILD_TIMEOUT = 600_000;
const APT = 'apt-get install -y golang-go';

/** `secure`: with the client's development version, which has TLS. */
export function goBinary(secure = false): string {
  return alone(() => build(secure));
}

function build(secure: boolean): string {
  const folder = join(interop, 'go');
  const sum = createHash('sha256');
  for (const name of readdirSync(folder).sort()) sum.update(name).update(readFileSync(join(folder, name)));
  const stamp = sum.digest('hex');
  const place = join(cache, secure ? 'go-tls' : 'go');
  const binary = join(place, 'interop');
  const stampFile = join(place, 'stamp');
  if (existsSync(binary) && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return binary;
  mkdirSync(place, { recursive: true });
  console.error('interop: building the Go programs (the module proxy is asked once)');
  const flags = secure ? ['-tags', 'tls', '-modfile', 'tls.mod'] : [];
  const result = spawnSync(tool('go', APT), ['build', '-buildvcs=false', ...flags, '-o', binary, '.'], {
    cwd: folder,
    encoding: 'utf8',
    timeout: BUILD_TIMEOUT,
  });
  if (result.status !== 0) throw new Error(`go build failed:\n${result.stdout}\n${result.stderr}`);
  writeFileSync(stampFile, stamp);
  return binary;
}
