// Every command of mqadmin 5.5.0, in the order in which they are run.

import { ABSENT, BROKERS, EXPORTS } from './brokers.ts';
import type { Command } from './command.ts';
import { GROUPS, MEMBERS } from './groups.ts';
import { LITE } from './lite.ts';
import { MESSAGES } from './messages.ts';
import { RIGHTS } from './rights.ts';
import { TOPIC_STATES, TOPICS } from './topics.ts';

export const COMMANDS: readonly Command[] = [
  ...TOPICS,
  ...GROUPS,
  ...EXPORTS,
  ...MESSAGES,
  ...MEMBERS,
  ...TOPIC_STATES,
  ...BROKERS,
  ...LITE,
  ...RIGHTS,
  ...ABSENT,
];
