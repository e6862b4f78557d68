/** With what a command ends; docs/operations.md tells them. */

export const ExitCode = {
  /** Done; of a server: stopped cleanly. */
  DONE: 0,
  /** It could not be done, or the server has died or could not stop cleanly: a start may do better. */
  FAILED: 1,
  /** The command line, the environment or a configuration file is wrong: the same start fails again. */
  WRONG_USE: 2,
} as const;
