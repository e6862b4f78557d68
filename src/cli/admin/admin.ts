/** The commands that talk to running brokers, whoever wrote these; loaded when one of them is chosen. */
import type { Command } from 'commander';
import type { AdminCommand } from '../admin-commands.ts';
import { benchCommand } from './bench.ts';
import { clusterCommand } from './cluster.ts';
import { completionCommand, wordsAfter } from './completion.ts';
import { configCommands } from './config.ts';
import { consumeCommand } from './consume.ts';
import { dlqCommands } from './dlq.ts';
import { doctorCommand } from './doctor/doctor.ts';
import { groupCommands } from './group.ts';
import { messageCommands } from './message.ts';
import { offsetCommands } from './offset.ts';
import { print } from './output.ts';
import { produceCommand } from './produce.ts';
import { topicCommands } from './topic.ts';

const FILLERS: Readonly<Record<AdminCommand, (command: Command) => void>> = {
  topic: topicCommands,
  group: groupCommands,
  message: messageCommands,
  offset: offsetCommands,
  dlq: dlqCommands,
  cluster: clusterCommand,
  produce: produceCommand,
  consume: consumeCommand,
  bench: benchCommand,
  doctor: doctorCommand,
  config: configCommands,
  completion: completionCommand,
};

/** Gives a command its arguments, options and subcommands. */
export function fillCommand(name: AdminCommand, command: Command): void {
  FILLERS[name](command);
}

/** Prints what may follow on a command line, a word a line. `program` has its commands, those of this file empty. */
export async function printWords(program: Command, words: readonly string[]): Promise<void> {
  for (const command of program.commands)
    if (Object.hasOwn(FILLERS, command.name())) fillCommand(command.name() as AdminCommand, command);
  for (const word of await wordsAfter(program, words)) await print(word);
}
