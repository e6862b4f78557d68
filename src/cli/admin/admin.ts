/** The commands that talk to running brokers, whoever wrote these; loaded when one of them is chosen. */
import type { Command } from 'commander';
import type { AdminCommand } from '../admin-commands.ts';
import { consumeCommand } from './consume.ts';
import { offsetCommands } from './offset.ts';
import { produceCommand } from './produce.ts';
import { topicCommands } from './topic.ts';

const FILLERS: Readonly<Record<AdminCommand, (command: Command) => void>> = {
  topic: topicCommands,
  offset: offsetCommands,
  produce: produceCommand,
  consume: consumeCommand,
};

/** Gives a command its arguments, options and subcommands. */
export function fillCommand(name: AdminCommand, command: Command): void {
  FILLERS[name](command);
}
