import { accessSync, constants, existsSync } from 'node:fs';
import { join } from 'node:path';
import loader from '../../native/load.cjs';
import { notWritable, SetupError } from './errors.mjs';
import { isInstalled } from './exec.mjs';
import { nodeSentence } from './node-version.mjs';
import { root } from './paths.mjs';

/** What node-gyp calls; the variables may name others. */
export const COMPILER = [
  { name: 'g++', variable: 'CXX' },
  { name: 'make', variable: 'MAKE' },
  { name: 'python3', variable: 'PYTHON' },
];

/** By what a step says that it needs. */
export const TOOLS = {
  python: COMPILER.filter(({ name }) => name === 'python3'),
  compiler: COMPILER,
  npm: [{ name: 'npm' }],
};

/** How systems install a program, and what they call it where the name is another one. */
const MANAGERS = [
  { program: 'apt-get', command: 'apt-get install -y', names: {} },
  { program: 'apk', command: 'apk add', names: {} },
  { program: 'dnf', command: 'dnf install -y', names: { 'g++': 'gcc-c++' } },
  { program: 'zypper', command: 'zypper install -y', names: { 'g++': 'gcc-c++' } },
  { program: 'pacman', command: 'pacman -S --needed', names: { 'g++': 'gcc', python3: 'python' } },
];

/** Ends the set-up with all that this machine lacks at once, before anything is downloaded or built. */
export function requireMachine(tools, { platform = process.platform, version = process.versions.node } = {}) {
  if (platform !== 'linux') throw new SetupError(loader.elsewhere(platform));
  const lacks = [nodeSentence(version), toolsSentence(tools)].filter(Boolean);
  if (lacks.length === 0) return;
  throw new SetupError(
    lacks.length === 1 ? lacks[0] : ['This machine lacks:', ...lacks.map((lack) => `- ${lack}`)].join('\n'),
  );
}

/** Which of the tools are missing and how they are installed here, or ''. */
export function toolsSentence(tools) {
  // Two steps may need the same.
  const missing = [...new Set(tools)].filter(
    ({ name, variable }) => !process.env[variable] && !isInstalled(name),
  );
  if (missing.length === 0) return '';
  const names = missing.map(({ name }) => name);
  const list =
    names.length === 1 ? `${names[0]} is` : `${names.slice(0, -1).join(', ')} and ${names.at(-1)} are`;
  return `${list} missing: ${installLine(names)}`;
}

function installLine(names) {
  const manager = MANAGERS.find(({ program }) => isInstalled(program));
  if (manager === undefined) return "install them with this system's package manager.";
  const sudo = process.getuid() === 0 ? '' : 'sudo ';
  return `${sudo}${manager.command} ${names.map((name) => manager.names[name] ?? name).join(' ')}`;
}

/** Folders that set-up writes to. */
const WRITTEN = ['.', '.cache', 'node_modules', 'build', 'dist'];

/** A folder of root's, or one that is mounted for reading, is told of before anything has been begun. */
export function requireWritable(folder = root) {
  for (const path of WRITTEN.map((name) => join(folder, name)).filter((path) => existsSync(path))) {
    try {
      accessSync(path, constants.W_OK);
    } catch (error) {
      throw new SetupError(notWritable(path, error.code));
    }
  }
}
