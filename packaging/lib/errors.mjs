import { userInfo } from 'node:os';
import { root } from './paths.mjs';

/** Something that the person who started the command can act on: shown as its sentence, without a stack. */
export class SetupError extends Error {}

/** Runs the main function of a command; ends the process with 1 when it fails. */
export async function runCommand(main) {
  try {
    await main();
  } catch (error) {
    const sentence = error instanceof SetupError ? error.message : systemSentence(error);
    if (sentence === undefined) throw error;
    console.error(sentence);
    process.exitCode = 1;
  }
}

const RIGHTS = /\b(?:EACCES|EPERM)\b|Permission denied/;
const READ_ONLY = /\bEROFS\b|Read-only file system/;
const FULL = /\bENOSPC\b|No space left on device/;
const QUOTA = /\bEDQUOT\b|Disk quota exceeded/;

/** What a failed system call means here, or undefined when that is not known. */
function systemSentence(error) {
  return troubleIn(`${error?.code}`, error?.path);
}

/** The same for the output of a program that failed: npm, make and compilers name the error or its text. */
export function troubleIn(output, path = root) {
  if (FULL.test(output))
    return `There is no room left on the disk of ${path}: free some space, then try again.`;
  if (QUOTA.test(output))
    return `The disk quota of this user is used up at ${path}: free some space, then try again.`;
  if (READ_ONLY.test(output)) return notWritable(path, 'EROFS');
  return RIGHTS.test(output) ? notWritable(path, 'EACCES') : undefined;
}

export function notWritable(path, code) {
  if (code === 'EROFS')
    return `${path} is on a file system that can only be read: set RingMQ up in a folder that can be written.`;
  const { username } = userInfo();
  return `${username} may not write to all of ${path}; some files belong to somebody else. Run this as their owner, or make them yours: sudo chown -R ${username} ${root}`;
}
