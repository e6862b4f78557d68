// Options that npm keeps for itself when the `--` before them was forgotten.

import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { inFolder, PROJECT, packagingModule } from '../../support/packaging.ts';

interface NpmOptions {
  COMMAND_OPTIONS: string[];
  forgottenDashes(args: string[], env: Record<string, string>): string;
}

const { COMMAND_OPTIONS, forgottenDashes } = await packagingModule<NpmOptions>(
  'packaging/lib/npm-options.mjs',
);
const MAIN = fileURLToPath(new URL('../../../src/cli/main.js', import.meta.url));

const test = suite('options that npm keeps');

/** What npm tells a script of this project. */
const byNpm = (settings: Record<string, string>, event = 'start') => ({
  npm_lifecycle_event: event,
  npm_package_json: join(PROJECT, 'package.json'),
  npm_config_user_agent: 'npm/10.8.2 node/v20.20.2 linux x64 workspaces/false',
  ...Object.fromEntries(Object.entries(settings).map(([name, value]) => [`npm_config_${name}`, value])),
});

const START = ['standalone'];

function shownFor(settings: Record<string, string>, words: string[] = []): string {
  return (
    forgottenDashes([...START, ...words], byNpm(settings))
      .split('\n')
      .at(-1)
      ?.trim() ?? ''
  );
}

/** The options that a command's help names, and its subcommands. */
function helpOf(command: string[]): { options: string[]; commands: string[] } {
  const { stdout } = spawnSync(process.execPath, [MAIN, ...command, '--help'], { encoding: 'utf8' });
  const options = [...stdout.matchAll(/^ {2}(-.*?)(?: {2,}|$)/gm)].map((match) =>
    (match[1] as string).trim(),
  );
  const listed = stdout.split('Commands:')[1] ?? '';
  const commands = [...listed.matchAll(/^ {2}(\w+)/gm)].map((match) => match[1] as string);
  return { options, commands: commands.filter((name) => name !== 'help') };
}

function allOptions(command: string[] = []): string[] {
  const { options, commands } = helpOf(command);
  return [...options, ...commands.flatMap((name) => allOptions([...command, name]))];
}

test('the list has every option that a command has', () => {
  const answeredByNpm = /--(?:help|version)$/;
  const declared = new Set(allOptions().filter((option) => !answeredByNpm.test(option)));
  assert.ok(declared.has('--store <directory>'), 'the help was read');
  assert.equal([...COMMAND_OPTIONS].sort(), [...declared].sort());
});

test('a value with =', () => {
  assert.is(shownFor({ store: '/data/store' }), 'npm start -- --store=/data/store');
  assert.is(shownFor({ namesrv_port: '0', port: '0' }), 'npm start -- --namesrv-port=0 --port=0');
  assert.is(shownFor({ store: "/my data's" }), "npm start -- --store='/my data'\\''s'");
});

test('a value behind a blank, which npm passes on as a word', () => {
  assert.is(shownFor({ store: 'true' }, ['/data']), 'npm start -- --store /data');
  const all = shownFor({ store: 'true', port: 'true', namesrv_port: 'true' }, ['0', '0', '/data']);
  assert.is(all, 'npm start -- --namesrv-port 0 --port 0 --store /data');
});

test('values that could belong to either option are not guessed', () => {
  const shown = shownFor({ port: 'true', namesrv_port: 'true' }, ['1', '2']);
  assert.is(shown, 'npm start -- 1 2 --namesrv-port <number> --port <number>');
});

test('an option without its value', () => {
  assert.is(shownFor({ store: 'true' }), 'npm start -- --store <directory>');
});

test('letters that npm has a use of its own for', () => {
  assert.is(shownFor({ call: 'broker.conf' }), 'npm start -- -c broker.conf');
  assert.is(shownFor({ parseable: 'true' }), 'npm start -- -p');
  assert.is(shownFor({ yes: '' }, ['host:9876']), 'npm start -- -n host:9876');
  assert.is(shownFor({ yes: '' }), '', 'npm -n start');
});

test('what stands behind -- stays', () => {
  const env = byNpm({ store: '/data' });
  assert.match(forgottenDashes([...START, '--port', '0'], env), /npm start -- --store=\/data --port 0$/);
});

test('commands of npm run ringmq', () => {
  const message = forgottenDashes(['log', 'dump', '/data'], byNpm({ json: 'true' }, 'ringmq'));
  assert.match(message, /^npm has kept --json for itself/);
  assert.match(message, /npm run ringmq -- log dump \/data --json$/);
});

test('nothing is said without such an option, or when npm did not start this script', () => {
  const store = byNpm({ store: '/data' });
  assert.is(shownFor({ loglevel: 'silent', cache: '/cache' }), '');
  assert.is(forgottenDashes(START, {}), '');
  assert.is(forgottenDashes(START, { ...store, npm_lifecycle_event: 'test' }), '');
  assert.is(forgottenDashes(START, { ...store, npm_package_json: '/other/package.json' }), '');
  assert.is(forgottenDashes(START, { ...store, npm_config_user_agent: 'pnpm/9.1.0 npm/? node/v20' }), '');
});

test('a setting in a file of npm is none of the command line', async () => {
  await inFolder((folder) => {
    const userconfig = join(folder, '.npmrc');
    writeFileSync(userconfig, '; pnpm keeps its packages there\nstore = "/pnpm/store"\n');
    assert.is(shownFor({ userconfig, store: '/pnpm/store' }), '');
    assert.is(shownFor({ userconfig, store: '/data' }), 'npm start -- --store=/data');
  });
});

test.run();
