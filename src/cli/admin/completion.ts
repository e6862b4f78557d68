/**
 * `ringmq completion`: a script for a shell, which asks this program for the words that may follow. So it knows the
 * commands and options of the version that is installed, and the topics and groups that there are.
 */
import type { Command } from 'commander';
import { isRetryOrDeadLetterTopic, isSystemGroup } from '../../lib/names.ts';
import { WORDS_COMMAND } from '../admin-commands.ts';
import { allGroupConfigs, OWN_GROUPS } from './groups.ts';
import { choiceOf, examples } from './online.ts';
import { print } from './output.ts';
import { isBrokersTopic, topicNames } from './routes.ts';
import { Servers } from './servers.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

/** Whoever completes does not wait for servers that are not there. */
const PATIENCE_MS = 800;
const SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: `_ringmq() {
  local IFS=$'\\n'
  COMPREPLY=($(ringmq ${WORDS_COMMAND} -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
  [ "\${#COMPREPLY[@]}" -gt 0 ] || compopt -o default 2>/dev/null
}
complete -F _ringmq ringmq`,
  zsh: `#compdef ringmq
_ringmq() {
  local -a words_found
  words_found=("\${(@f)$(ringmq ${WORDS_COMMAND} -- "\${words[@]:1:$((CURRENT-1))}" 2>/dev/null)}")
  if [ -n "$words_found" ]; then compadd -a words_found; else _files; fi
}
# The first completion loads this file as the function _ringmq, which is to complete at once.
if [ "$funcstack[1]" = _ringmq ]; then _ringmq "$@"; else compdef _ringmq ringmq; fi`,
  fish: `function __ringmq_words
  set -l words (commandline -opc) (commandline -ct)
  set -l found (ringmq ${WORDS_COMMAND} -- $words[2..-1] 2>/dev/null)
  if set -q found[1]
    printf '%s\\n' $found
  else
    __fish_complete_path (commandline -ct)
  end
end
complete -c ringmq -f -a '(__ringmq_words)'`,
};

export function completionCommand(command: Command): void {
  command
    .argument('<shell>', SHELLS.join(', '))
    .action(async (shell: string) => print(SCRIPTS[choiceOf('shell', shell, SHELLS)]));
  examples(
    command,
    'completion bash > ~/.local/share/bash-completion/completions/ringmq',
    'completion zsh > ~/.zsh/completions/_ringmq',
    'completion fish > ~/.config/fish/completions/ringmq.fish',
  );
}

/** What may follow; the last word is the one that is being typed. `program` has all commands. */
export async function wordsAfter(program: Command, words: readonly string[]): Promise<string[]> {
  const typed = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  const { command, args } = commandOf(program, before);
  const last = before.at(-1) ?? '';
  const pending = command.options.find(
    (option) => option.required && (option.short === last || option.long === last),
  );
  const candidates =
    pending !== undefined
      ? await namesOf(pending.attributeName().replace('into', 'topic'), before)
      : typed.startsWith('-')
        ? [...command.options.map(({ long }) => long ?? ''), '--help']
        : await argumentsOf(command, args, before);
  const fitting = candidates.filter((word) => word !== '' && word.startsWith(typed)).sort();
  const ordinary = fitting.filter((word) => !isOwnName(word));
  return ordinary.length > 0 ? ordinary : fitting;
}

/** Names that brokers have made for themselves are offered when nothing else fits. */
function isOwnName(name: string): boolean {
  return (
    isRetryOrDeadLetterTopic(name) || isBrokersTopic(name) || OWN_GROUPS.has(name) || isSystemGroup(name)
  );
}

function commandOf(program: Command, before: readonly string[]): { command: Command; args: string[] } {
  let command = program;
  const args: string[] = [];
  for (let i = 0; i < before.length; i++) {
    const word = before[i] as string;
    const option = command.options.find(({ short, long }) => short === word || long === word);
    if (option !== undefined) {
      if (option.required) i++;
      continue;
    }
    if (word.startsWith('-')) continue;
    const sub = args.length === 0 ? command.commands.find((each) => each.name() === word) : undefined;
    if (sub === undefined) args.push(word);
    else command = sub;
  }
  return { command, args };
}

async function argumentsOf(
  command: Command,
  args: readonly string[],
  before: readonly string[],
): Promise<string[]> {
  if (command.commands.length > 0)
    return command.commands.map((each) => each.name()).filter((name) => !name.startsWith('_'));
  const argument = command.registeredArguments[args.length] ?? command.registeredArguments.at(-1);
  if (argument === undefined || (args.length >= command.registeredArguments.length && !argument.variadic))
    return [];
  return namesOf(argument.name(), before);
}

async function namesOf(kind: string, before: readonly string[]): Promise<string[]> {
  if (kind === 'shell') return [...SHELLS];
  if (kind !== 'topic' && kind !== 'group') return [];
  const servers = new Servers(connectionFlags(before));
  const patience = setTimeout(() => servers.close(), PATIENCE_MS);
  try {
    const brokers = await servers.masters();
    const own = new Set(brokers.flatMap(({ cluster, name }) => [cluster, name]));
    if (kind === 'topic') return (await topicNames(servers)).filter((name) => !own.has(name));
    const groups = await Promise.all(brokers.map((broker) => allGroupConfigs(servers, broker)));
    return [...new Set(groups.flat().map(({ name }) => name))];
  } catch {
    return [];
  } finally {
    clearTimeout(patience);
    servers.close();
  }
}

function connectionFlags(before: readonly string[]): { namesrv?: string; tls?: boolean } {
  const at = before.findIndex((word) => word === '-n' || word === '--namesrv');
  const namesrv = at < 0 ? undefined : before[at + 1];
  return { ...(namesrv === undefined ? {} : { namesrv }), tls: before.includes('--tls') };
}
