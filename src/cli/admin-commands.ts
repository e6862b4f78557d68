/** Names of the commands that talk to running brokers: all that is known of them until one is chosen. */

export const ADMIN_COMMANDS = {
  topic: 'topics: list, show, create, change, delete, purge',
  offset: 'where groups are: lag in messages and time, resets',
  produce: 'send messages: from the command line or from stdin',
  consume: 'print messages as they come, alone or as a member of a group',
} as const;

export type AdminCommand = keyof typeof ADMIN_COMMANDS;

export function isAdminCommand(name: string | undefined): name is AdminCommand {
  return name !== undefined && Object.hasOwn(ADMIN_COMMANDS, name);
}

/** The command of a command line, if it is one of these; `help` and options may stand before it. */
export function chosenAdminCommand(args: readonly string[]): AdminCommand | undefined {
  const name = args.find((arg) => !arg.startsWith('-') && arg !== 'help');
  return isAdminCommand(name) ? name : undefined;
}
