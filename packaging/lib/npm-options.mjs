import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './paths.mjs';

/**
 * The options of all commands, as the command line declares them: a test holds the two against each other. Those that
 * npm answers itself, whatever stands in package.json, are not among them: --help and --version.
 */
export const COMMAND_OPTIONS = [
  '--again',
  '--all',
  '--as <form>',
  '--at <position>',
  '--at <time>',
  '--base-port <number>',
  '--batch <number>',
  '--body',
  '--brief',
  '--broker <name>',
  '--commitlog <directory>',
  '--connections <number>',
  '--consume <on|off>',
  '--count <number>',
  '--delay <span>',
  '--delay-level <number>',
  '--dir <directory>',
  '--dry-run',
  '--explain',
  '--file <file>',
  '--flush <mode>',
  '--from <offset>',
  '--full',
  '--group <name>',
  '--header <format>',
  '--hex',
  '--host <address>',
  '--html <file>',
  '--in-flight <number>',
  '--index-slots <number>',
  '--into <topic>',
  '--json',
  '--key <key>',
  '--layout <name>',
  '--limit <number>',
  '--message-id <id>',
  '--namesrv-port <number>',
  '--network-threads <number>',
  '--no-receive',
  '--on <name>',
  '--orderly <on|off>',
  '--origin',
  '--perm <perm>',
  '--port <number>',
  '--print',
  '--property <name=value>',
  '--queue <number>',
  '--queues <number>',
  '--rate <number>',
  '--recreate',
  '--retries <number>',
  '--retry',
  '--script <actions>',
  '--seconds <number>',
  '--since <time>',
  '--size <bytes>',
  '--sql <expression>',
  '--store <directory>',
  '--sync-flush',
  '--tag <tag>',
  '--tls',
  '--to <place>',
  '--topic <name>',
  '--type <type>',
  '--unique-key <key>',
  '--until <time>',
  '--until-end',
  '--warm <number>',
  '--yes',
  '-c, --config <file>',
  '-g, --group <name>',
  '-m, --message <text>',
  '-n, --namesrv <addresses>',
  '-p, --print-config',
];

/**
 * What npm makes of a letter of ours that is also one of its own. -n means "no" to all questions, which may stand in a
 * file of npm's too: it is ours when there is an address behind it.
 */
const LETTERS = { c: ['call', undefined], p: ['parseable', 'true'] };

/** Scripts of package.json that hand their arguments to the command line, with what they put before them. */
const SCRIPTS = { start: ['standalone'], ringmq: [] };

/**
 * What to say when npm kept options of ours for itself, because the `--` before them was forgotten, or ''. npm then
 * starts the script without them and leaves their values in the environment as settings of its own.
 */
export function forgottenDashes(args, env = process.env) {
  if (!isOurScript(env)) return '';
  const fixed = SCRIPTS[env.npm_lifecycle_event];
  const given = args.slice(fixed.length);
  const words = positionals(given);
  const kept = COMMAND_OPTIONS.map((option) => keptByNpm(option, env, words)).filter(Boolean);
  if (kept.length === 0) return '';
  const rest = fillIn(kept, words);
  const others = given.filter((argument) => !words.includes(argument));
  const shown = [...rest, ...kept.map(asTyped), ...others].join(' ');
  const script = env.npm_lifecycle_event === 'start' ? 'start' : `run ${env.npm_lifecycle_event}`;
  const names = kept.map(({ typed }) => typed).join(', ');
  return `npm has kept ${names} for itself: options of RingMQ stand behind a "--" of their own. Type\n\n  npm ${script} -- ${shown}`;
}

/** Started by npm for a script of this package: not by a program that npm has started, nor by somebody else's script. */
function isOurScript(env) {
  return (
    Object.hasOwn(SCRIPTS, env.npm_lifecycle_event ?? '') &&
    env.npm_package_json === join(root, 'package.json') &&
    /^npm\//.test(env.npm_config_user_agent ?? '')
  );
}

/** Arguments that npm passed on although it kept the option before them. */
function positionals(args) {
  const end = args.findIndex((argument) => argument.startsWith('-'));
  return end < 0 ? args : args.slice(0, end);
}

/** How an option was typed and with which values, when npm has it; a value that npm did not take is undefined. */
function keptByNpm(option, env, words) {
  const [, letter, name, placeholder] = /^(?:-(\w), )?--([\w-]+)(?: (<.+>))?$/.exec(option);
  const value = setting(name, env);
  // A switch that is off was not typed as ours: npm has one of this name (--yes), and -n turns it off.
  const isOff = placeholder === undefined && value === '';
  if (value !== undefined && !isOff) {
    const isSwitch = placeholder === undefined || value === 'true' || value === '';
    return { typed: `--${name}`, placeholder, values: isSwitch ? [undefined] : value.split('\n\n') };
  }
  if (letter === 'n' && env.npm_config_yes === '' && words.some((word) => KINDS.address.test(word)))
    return { typed: '-n', placeholder, values: [undefined] };
  const [npmName, npmValue] = LETTERS[letter] ?? [];
  const kept = npmName === undefined ? undefined : setting(npmName, env);
  if (kept === undefined || (npmValue !== undefined && kept !== npmValue)) return undefined;
  return { typed: `-${letter}`, placeholder, values: [npmValue === undefined ? kept : undefined] };
}

/** A setting of npm that stands on its command line: not in a file of npm's, where it is none of our business. */
function setting(name, env) {
  const value = env[`npm_config_${name.replaceAll('-', '_')}`];
  if (value === undefined) return undefined;
  const files = [join(root, '.npmrc'), env.npm_config_userconfig, env.npm_config_globalconfig];
  return files.some((file) => file && asNpmSays(settingsIn(file).get(name)) === value) ? undefined : value;
}

/** A switch that is off is an empty text in the environment. */
const asNpmSays = (value) => (value === 'false' ? '' : value);

function settingsIn(file) {
  const settings = new Map();
  for (const [, name, value] of read(file).matchAll(/^\s*([^;#=\s]+)\s*=\s*(.*?)\s*$/gm)) {
    const plain = value.replace(/^(["'])(.*)\1$/, '$2');
    settings.set(
      name,
      plain.replace(/\$\{(\w+)\}/g, (whole, variable) => process.env[variable] ?? whole),
    );
  }
  return settings;
}

function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/**
 * Gives the words that npm passed on back to the options before them, which npm has as switches, as far as there is
 * only one way to do that: numbers go to those that want numbers. What is left over is returned.
 */
function fillIn(kept, words) {
  const left = [...words];
  for (const kind of Object.keys(KINDS)) {
    const open = kept.filter((option) => isOpen(option) && kindOfOption(option) === kind);
    const fitting = left.filter((word) => kindOfWord(word) === kind);
    const clear = open.length === fitting.length && (open.length === 1 || new Set(fitting).size === 1);
    if (!clear) continue;
    for (const option of open) {
      const word = fitting.shift();
      left.splice(left.indexOf(word), 1);
      option.values = [word];
      option.separate = true;
    }
  }
  return left;
}

const KINDS = { number: /^\d+$/, address: /^[^/]+:\d+(?:;|$)/, text: /^/ };
const kindOfWord = (word) => Object.keys(KINDS).find((kind) => KINDS[kind].test(word));

function kindOfOption({ placeholder }) {
  if (placeholder === '<addresses>') return 'address';
  return ['<number>', '<offset>'].includes(placeholder) ? 'number' : 'text';
}

const isOpen = ({ placeholder, values }) => placeholder !== undefined && values[0] === undefined;

function asTyped({ typed, placeholder, values, separate }) {
  const join = typed.startsWith('--') && !separate ? '=' : ' ';
  return values
    .map((value) => {
      if (placeholder === undefined) return typed;
      return value === undefined ? `${typed} ${placeholder}` : `${typed}${join}${quoted(value)}`;
    })
    .join(' ');
}

function quoted(value) {
  return /^[\w@%+=:,./~-]+$/.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`;
}
