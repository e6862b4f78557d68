/** A Debian package of the single executable: its service, configuration and documentation. */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';
import { buildBinary, version, writeSum } from '../binary/build.mjs';
import { buildTime } from '../lib/build-time.mjs';
import { SetupError } from '../lib/errors.mjs';
import { isInstalled, run } from '../lib/exec.mjs';
import { forEveryone } from '../lib/modes.mjs';
import { root } from '../lib/paths.mjs';

const SOURCES = join(root, 'packaging/debian');
/** What Debian calls them. */
const ARCHITECTURES = { 'linux-x64': 'amd64', 'linux-arm64': 'arm64' };
const DOC = 'usr/share/doc/ringmq';
/** What an administrator may change, and an upgrade keeps. */
const CONFIGURATION = {
  'etc/ringmq/broker.conf': 'broker.conf',
  'etc/default/ringmq': 'default',
  'etc/logrotate.d/ringmq': 'logrotate',
};
const SCRIPTS = ['postinst', 'prerm', 'postrm'];

/** Builds it into the folder; returns its path and sum. `target` is another machine than this one. */
export async function buildDebianPackage(folder, target) {
  if (!isInstalled('dpkg-deb'))
    throw new SetupError(
      'dpkg-deb is missing: a Debian package is built on Debian, or where dpkg is installed.',
    );
  const architecture = ARCHITECTURES[target?.machine ?? `${process.platform}-${process.arch}`];
  if (architecture === undefined)
    throw new SetupError(`Debian has no packages for ${target?.name ?? process.arch}.`);
  const { file: binary } = await buildBinary(folder, target);
  const file = join(folder, `ringmq_${version}_${architecture}.deb`);
  const stage = mkdtempSync(join(folder, 'deb-'));
  try {
    layOut(stage, binary);
    writeControl(join(stage, 'DEBIAN'), stage, architecture);
    forEveryone(stage);
    const env = { ...process.env, SOURCE_DATE_EPOCH: String(await buildTime()) };
    const { ok, output } = await run('dpkg-deb', ['--root-owner-group', '--build', stage, file], { env });
    if (!ok) throw new SetupError(`${output}\nThe Debian package was not built; see above.`);
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
  return { file, sum: writeSum(file) };
}

function layOut(stage, binary) {
  put(stage, 'usr/bin/ringmq', readFileSync(binary), 0o755);
  put(stage, 'usr/lib/systemd/system/ringmq.service', readFileSync(join(SOURCES, 'ringmq.service')));
  for (const [path, source] of Object.entries(CONFIGURATION))
    put(stage, path, readFileSync(join(SOURCES, source)));
  put(stage, `${DOC}/copyright`, copyright(binary));
  put(stage, `${DOC}/changelog.gz`, gzipSync(readFileSync(join(root, 'CHANGELOG.md')), { level: 9 }));
  put(stage, `${DOC}/bill-of-materials.cdx.json`, readFileSync(`${binary}.cdx.json`));
  const docs = join(root, 'docs');
  const isPage = (path) => statSync(path).isDirectory() || path.endsWith('.md');
  cpSync(docs, join(stage, DOC, 'docs'), {
    recursive: true,
    filter: (path) => path !== join(docs, 'benchmarks') && isPage(path),
  });
}

function copyright(binary) {
  return `${readFileSync(`${binary}.licences.txt`, 'utf8')}\n${'-'.repeat(80)}\n\n${readFileSync(join(root, 'LICENSE'), 'utf8')}`;
}

function put(stage, path, content, mode = 0o644) {
  const target = join(stage, path);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, content);
  chmodSync(target, mode);
}

function writeControl(folder, stage, architecture) {
  const files = filesBelow(stage);
  const kib = files.reduce((sum, path) => sum + Math.ceil(statSync(path).size / 1024), 0);
  mkdirSync(folder);
  const text = readFileSync(join(SOURCES, 'control'), 'utf8');
  const values = { VERSION: version, ARCHITECTURE: architecture, SIZE: String(kib) };
  writeFileSync(
    join(folder, 'control'),
    text.replace(/@(\w+)@/g, (_, name) => values[name]),
  );
  const kept = Object.keys(CONFIGURATION);
  writeFileSync(join(folder, 'conffiles'), kept.map((path) => `/${path}\n`).join(''));
  const sums = files.map((path) => [relative(stage, path), path]).filter(([name]) => !kept.includes(name));
  const lines = sums.map(
    ([name, path]) => `${createHash('md5').update(readFileSync(path)).digest('hex')}  ${name}\n`,
  );
  writeFileSync(join(folder, 'md5sums'), lines.join(''));
  for (const script of SCRIPTS) {
    copyFileSync(join(SOURCES, script), join(folder, script));
    chmodSync(join(folder, script), 0o755);
  }
}

function filesBelow(folder) {
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
