// The same sources give the same bytes: built in another folder, by another user, with another mask, time zone and
// language.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cloneInto } from './support/checkout.ts';
import { environment } from './support/machine.ts';

const test = suite('reproducible builds');
const NOBODY = 65534;
/** What people are given, and of what it is made. */
const ARTEFACTS = ['dist/binary', 'dist/bundle', 'dist/types', 'packed', 'build/Release/ringmq.node'];
/** The file and its sum, the bill and the licences with theirs, and the Debian package. */
const AT_LEAST = 20;

const folder = mkdtempSync(join(tmpdir(), 'ringmq-same-'));
chmodSync(folder, 0o755);

interface Builder {
  readonly path: string;
  readonly umask: string;
  readonly uid?: number;
  readonly env: Readonly<Record<string, string>>;
}

const USUAL: Builder = { path: 'one', umask: '022', env: { TZ: 'UTC', LC_ALL: 'C.UTF-8' } };
const OTHER: Builder = {
  path: 'a/quite/other/place',
  umask: '077',
  ...(canBeNobody() ? { uid: NOBODY } : {}),
  env: { TZ: 'Pacific/Kiritimati', LC_ALL: 'tr_TR.UTF-8', LANGUAGE: 'tr' },
};

/** Only root can be somebody else, and others can build only where they have a /dev/null. */
function canBeNobody(): boolean {
  if (process.getuid?.() === 0 && (statSync('/dev/null').mode & 0o006) === 0o006) return true;
  console.log('skipped: building as another user (it takes root, and a /dev/null that all may use)');
  return false;
}

function cloneFor({ path }: Builder): string {
  const clone = join(folder, path);
  mkdirSync(join(clone, '..'), { recursive: true });
  cloneInto(clone);
  return clone;
}

/** Makes all that is made of a clone; returns the sums. */
function build(clone: string, { path, umask, uid, env }: Builder): Record<string, string> {
  const home = join(folder, `home-${umask}`);
  mkdirSync(home);
  // Which registry is asked may stand in the file of the user.
  const settings = process.env['npm_config_userconfig'] ?? join(homedir(), '.npmrc');
  if (existsSync(settings)) copyFileSync(settings, join(home, '.npmrc'));
  if (uid !== undefined) for (const name of [...below(clone), ...below(home)]) chownSync(name, uid, uid);
  const script = `umask ${umask}; npm run build:deb && mkdir packed && npm pack --pack-destination packed`;
  const { status, stdout, stderr } = spawnSync('sh', ['-ec', script], {
    cwd: clone,
    env: { ...environment, ...env, HOME: home, npm_config_userconfig: join(home, '.npmrc') },
    encoding: 'utf8',
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  assert.is(status, 0, `${path}\n${stdout}\n${stderr}`);
  return sums(clone);
}

function below(path: string): string[] {
  const entries = readdirSync(path, { recursive: true, withFileTypes: true });
  return [path, ...entries.map((entry) => join(entry.parentPath, entry.name))];
}

/** The sums of all artefacts, by their paths. */
function sums(clone: string): Record<string, string> {
  const files = ARTEFACTS.flatMap((name) =>
    name.endsWith('.node') ? [join(clone, name)] : filesBelow(join(clone, name)),
  );
  const pairs = files.map((path) => [
    path.slice(clone.length + 1),
    createHash('sha256').update(readFileSync(path)).digest('hex'),
  ]);
  return Object.fromEntries(pairs);
}

function filesBelow(path: string): string[] {
  const entries = readdirSync(path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

test.after(() => rmSync(folder, { recursive: true, force: true }));

test('bundles, addon, the one file, the Debian package and the tarball are the same, whoever builds them where', () => {
  // Both at once: what is committed meanwhile is in neither.
  const clones = [USUAL, OTHER].map(cloneFor);
  const usual = build(clones[0] as string, USUAL);
  assert.ok(Object.keys(usual).length >= AT_LEAST, Object.keys(usual).join('\n'));
  const other = build(clones[1] as string, OTHER);
  assert.equal(other, usual);
});

test.run();
