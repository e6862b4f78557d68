/** Errors as a person sees them: a sentence where there is something to mend, a stack where the fault is ours. */
import { inSources } from './source-places.ts';

const OTHER_PLACE = 'Choose another place (--store, or the paths in broker.conf)';

/** What is the matter with a path, by the system's code, and what to do. */
const PATH_SENTENCES: Readonly<Record<string, string>> = {
  ENOENT: `does not exist and cannot be made there. ${OTHER_PLACE}`,
  EEXIST: 'has to be a directory, and is none. Move away what is there, or choose another place',
  ENOTDIR: 'leads through something that is no directory. Move it away, or choose another place',
  EISDIR: 'is a directory, and has to be a file. Move it away',
  EACCES: `may not be used by this user. Give it the right to read and write there. ${OTHER_PLACE}`,
  EPERM: `may not be used by this user. ${OTHER_PLACE}`,
  EROFS: `is on a file system that can only be read. ${OTHER_PLACE}`,
  ENOSPC: 'finds no room: the disk is full. Free some space and start again',
  EDQUOT: "finds no room: this user's quota is used up. Free some space and start again",
  ENAMETOOLONG: `is too long. ${OTHER_PLACE}`,
  ELOOP: 'leads through symbolic links that go round in circles. Mend them, or choose another place',
};

const BUGS: readonly (new (message?: string) => Error)[] = [
  TypeError,
  ReferenceError,
  SyntaxError,
  EvalError,
];

/** What to print of an error that ended a command: a sentence, or all there is when it can only be a fault of ours. */
export function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const isBug = BUGS.some((kind) => error instanceof kind) || error.name === 'AssertionError';
  if (isBug) return inSources(error.stack ?? error.message);
  return systemSentence(error as NodeJS.ErrnoException) ?? error.message;
}

function systemSentence(
  error: NodeJS.ErrnoException & { address?: string; port?: number; hostname?: string; dest?: string },
): string | undefined {
  const { code } = error;
  // Of a rename, what was in the way is where it led.
  const path = error.dest ?? error.path;
  const where = error.port ? `${error.address ?? ''}:${error.port}` : error.address;
  if (code === 'EADDRINUSE') {
    return `${where} is in use: stop the program that listens there, or choose another port (--port, --namesrv-port).`;
  }
  if (code === 'EADDRNOTAVAIL') return `${where} is not an address of this machine: choose another --host.`;
  if (code === 'EACCES' && error.port !== undefined) {
    return `${where} may not be used by this user: choose a port above 1023.`;
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return `${error.hostname ?? where} is not known here: choose another --host.`;
  }
  if (path === undefined || code === undefined) return undefined;
  const reading = code === 'ENOENT' && error.syscall !== 'mkdir';
  const sentence = reading ? 'does not exist' : PATH_SENTENCES[code];
  return sentence === undefined
    ? `${path} cannot be used (${code}): check its kind and rights, or choose another place.`
    : `${path} ${sentence}.`;
}
