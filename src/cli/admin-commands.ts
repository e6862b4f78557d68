/** Names of the commands that talk to running brokers: all that is known of them until one is chosen. */

export const ADMIN_COMMANDS = {
  topic: 'topics: list, show, create, change, delete, purge',
  group: 'groups of consumers: list, show, create, change, delete',
  message: 'messages: find by id, key or time, show, follow, resend',
  offset: 'where groups are: lag in messages and time, resets',
  dlq: 'dead letters: list, show, resend',
  cluster: 'brokers: roles, addresses, versions, rates, disks; start some to try',
  produce: 'send messages, from the command line or from stdin',
  consume: 'print messages as they come, alone or as a member of a group',
  bench: 'how many messages a broker takes and gives',
  doctor: 'look at machine and cluster: what to change, and why',
  config: 'read and change the configuration of running brokers',
  completion: 'a script by which a shell completes commands, topics, groups',
} as const;

export type AdminCommand = keyof typeof ADMIN_COMMANDS;

/** The broker of `play`, which that starts; in no help. */
export const PLAY_BROKER_COMMAND = '__play-broker';

/** Asked by the scripts of `completion`; in no help. */
export const WORDS_COMMAND = '__words';

/** The command of a command line, if it is one of these; `help` and options may stand before it. */
export function chosenAdminCommand(args: readonly string[]): AdminCommand | undefined {
  const name = args.find((arg) => !arg.startsWith('-') && arg !== 'help');
  return name !== undefined && Object.hasOwn(ADMIN_COMMANDS, name) ? (name as AdminCommand) : undefined;
}
