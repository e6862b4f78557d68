/** What all commands that talk to servers have in common: their options, a connection for as long as they run. */
import type { Command } from 'commander';
import { integer } from '../../config/key.ts';
import { nearestName } from '../../lib/nearest.ts';
import { UserError } from '../../lib/user-error.ts';
import { Failure } from './failure.ts';
import { print, printJson } from './output.ts';
import { type ConnectionFlags, Servers } from './servers.ts';

export interface OnlineFlags extends ConnectionFlags {
  json?: boolean;
}

/** `run` gets the command's arguments as they stand there, and its options. */
export function online<Flags extends object>(
  command: Command,
  run: (servers: Servers, args: readonly string[], flags: Flags & OnlineFlags) => Promise<void>,
): Command {
  return command
    .option(
      '-n, --namesrv <addresses>',
      'name servers, host:port, separated by ; (default: NAMESRV_ADDR or 127.0.0.1:9876)',
    )
    .option('--tls', 'talk by TLS, whatever the certificates say')
    .option('--json', 'print JSON')
    .action(async () => {
      const flags = command.opts<Flags & OnlineFlags>();
      const args = command.processedArgs.flat().filter((arg) => arg !== undefined);
      const servers = new Servers(flags);
      try {
        await run(servers, args, flags);
      } finally {
        servers.close();
      }
    });
}

export function examples(command: Command, ...lines: string[]): Command {
  return command.addHelpText('after', `\nExamples:\n${lines.map((line) => `  $ ringmq ${line}`).join('\n')}`);
}

/** The whole number that an option has. `name` without dashes. */
export function numberOf(name: string, text: string, from: number, to: number): number {
  const { parse, allowed } = integer(from, to);
  const value = parse(text);
  if (typeof value === 'number') return value;
  throw new UserError(`--${name} ${text} is not possible: give ${allowed}.`);
}

/** One of a few words, in any case of letters. `name`: `--type`. */
export function choiceOf<T extends string>(name: string, text: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice.toLowerCase() === text.toLowerCase());
  if (found !== undefined) return found;
  const near = nearestName(text, choices);
  const hint = near === undefined ? `give ${choices.join(', ')}.` : `did you mean ${near}?`;
  throw new UserError(`${name} ${text} is not possible: ${hint}`);
}

/** Says what was made or changed, and on which brokers. */
export function tellWritten(
  done: 'Made' | 'Changed',
  kind: 'topic' | 'group',
  name: string,
  brokers: readonly string[],
  json = false,
): Promise<void> {
  if (json) return printJson({ [kind]: name, brokers });
  return print(`${done} ${kind} ${name} on ${brokers.join(', ')}.`);
}

/**
 * Does it on one broker after the other; a failure says on which it was done before: "Made topic x on broker-a".
 * `work` resolves with false where there was nothing to do.
 */
export async function onEach<T extends { name: string }>(
  brokers: readonly T[],
  done: string,
  work: (broker: T) => Promise<unknown>,
): Promise<void> {
  const before: string[] = [];
  for (const broker of brokers) {
    try {
      if ((await work(broker)) !== false) before.push(broker.name);
    } catch (error) {
      if (before.length === 0 || !(error instanceof Failure)) throw error;
      throw new Failure(`${error.message} ${done} on ${before.join(', ')} before that.`);
    }
  }
}
