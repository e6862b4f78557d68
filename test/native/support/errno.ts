import { constants } from 'node:os';

/** What a call returns for an errno. */
export function failure(name: keyof typeof constants.errno): number {
  return -constants.errno[name];
}
