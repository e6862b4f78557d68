// Completion in the shells themselves, as a person has them: bash of this machine, zsh and fish of Debian.

import { chmodSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { Terminal } from '../support/pseudo-terminal.ts';
import { CommandLine } from './support/command-line.ts';
import { unpacked } from './support/debian-packages.ts';
import { repository, temporaryFolder } from './support/paths.ts';
import { clusterSuite } from './support/suite.ts';

const { test, cluster } = clusterSuite('command line: shells');
const ringmq = () => new CommandLine(cluster());

const READY = 'READY>';
const MAIN = join(repository, 'dist', 'src', 'cli', 'main.js');
const PACKAGES = ['zsh', 'zsh-common', 'fish', 'fish-common', 'libpcre2-32-0'];
/** Keys: whoever presses tab takes what is offered; Ctrl-U takes the line away. */
const [TAB, CLEAR] = ['\t', '\x15'];

/** A home with `ringmq` on its path, and a file of the folder in which the shell is. */
function home(): { folder: string; env: NodeJS.ProcessEnv } {
  const folder = temporaryFolder('shell');
  mkdirSync(join(folder, 'bin'));
  const command = join(folder, 'bin', 'ringmq');
  writeFileSync(command, `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`);
  chmodSync(command, 0o755);
  writeFileSync(join(folder, 'broker.conf'), '');
  const env = {
    HOME: folder,
    PATH: `${join(folder, 'bin')}:${process.env['PATH']}`,
    TERM: 'dumb',
    NAMESRV_ADDR: cluster().nameServer.address,
  };
  return { folder, env };
}

function debian(): { root: string; libraries: string } {
  const root = unpacked('shells', PACKAGES);
  const libraries = join(root, 'usr/lib');
  const [triplet = ''] = readdirSync(libraries).filter((name) => name.includes('-linux-'));
  // fish looks for its files beside where it lies itself, when all of them are there.
  if (!existsSync(join(root, 'usr/etc'))) symlinkSync('../etc', join(root, 'usr/etc'));
  return { root, libraries: join(libraries, triplet) };
}

/** What the shell makes of words with a tab behind them. */
const COMPLETED: readonly (readonly [typed: string, line: RegExp])[] = [
  ['ringmq topic sh', /ringmq topic show /],
  ['ringmq topic show comp', /ringmq topic show complete-me /],
  ['ringmq consume complete-me --group complete-g', /--group complete-group /],
  ['ringmq topic show complete-me --js', /complete-me --json /],
  ['ringmq broker -c bro', /-c broker\.conf/],
];

/** Types into a shell that shows its prompt, and looks at the line that comes of it. */
async function completes(shell: Terminal): Promise<void> {
  await shell.shows(new RegExp(READY));
  for (const [typed, line] of COMPLETED) {
    shell.screen = '';
    shell.type(`${typed}${TAB}`);
    await shell.shows(line);
    shell.type(CLEAR);
  }
  shell.type('exit\r');
  assert.is(await shell.ended, 0, shell.screen);
}

async function script(shell: string): Promise<string> {
  return ringmq().does(['completion', shell]);
}

test('there are a topic and a group to complete', async () => {
  await ringmq().topic('complete-me');
  await ringmq().does(['group', 'create', 'complete-group']);
});

test('bash', async () => {
  const { folder, env } = home();
  const rc = join(folder, 'bashrc');
  writeFileSync(rc, `PS1='${READY} '\n${await script('bash')}`);
  await completes(new Terminal(`bash --rcfile ${rc} -i`, { cwd: folder, env }));
});

test('zsh, from the folder of its functions', async () => {
  const { folder, env } = home();
  const { root, libraries } = debian();
  const functions = join(root, 'usr/share/zsh/functions');
  const [version = ''] = readdirSync(join(libraries, 'zsh'));
  mkdirSync(join(folder, 'completions'));
  writeFileSync(join(folder, 'completions', '_ringmq'), await script('zsh'));
  writeFileSync(
    join(folder, '.zshrc'),
    `module_path=(${join(libraries, 'zsh', version)})
fpath=(${folder}/completions ${functions}/Completion ${functions}/Completion/{Base,Unix,Zsh} ${functions}/{Zle,Misc})
autoload -Uz compinit
compinit -u -D
PS1='${READY} '
`,
  );
  const zsh = ['bin/zsh', 'usr/bin/zsh'].map((path) => join(root, path)).find((path) => existsSync(path));
  await completes(new Terminal(`${zsh} -i`, { cwd: folder, env: { ...env, ZDOTDIR: folder } }));
});

test('zsh, sourced', async () => {
  const { folder, env } = home();
  const { root, libraries } = debian();
  const functions = join(root, 'usr/share/zsh/functions');
  const [version = ''] = readdirSync(join(libraries, 'zsh'));
  writeFileSync(join(folder, 'ringmq.zsh'), await script('zsh'));
  writeFileSync(
    join(folder, '.zshrc'),
    `module_path=(${join(libraries, 'zsh', version)})
fpath=(${functions}/Completion ${functions}/Completion/{Base,Unix,Zsh} ${functions}/{Zle,Misc})
autoload -Uz compinit
compinit -u -D
source ${folder}/ringmq.zsh
PS1='${READY} '
`,
  );
  const zsh = ['bin/zsh', 'usr/bin/zsh'].map((path) => join(root, path)).find((path) => existsSync(path));
  await completes(new Terminal(`${zsh} -i`, { cwd: folder, env: { ...env, ZDOTDIR: folder } }));
});

test('fish', async () => {
  const { folder, env } = home();
  const { root, libraries } = debian();
  const completions = join(folder, '.config/fish/completions');
  mkdirSync(completions, { recursive: true });
  writeFileSync(join(completions, 'ringmq.fish'), await script('fish'));
  writeFileSync(
    join(folder, '.config/fish/config.fish'),
    `function fish_prompt; echo '${READY} '; end\nset -g fish_greeting\n`,
  );
  const own = { ...env, LD_LIBRARY_PATH: libraries };
  await completes(new Terminal(`${join(root, 'usr/bin/fish')} -i`, { cwd: folder, env: own }));
});

test.run();
