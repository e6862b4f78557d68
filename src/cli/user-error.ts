/** Errors as a person sees them: a sentence where there is something to mend, a stack where the fault is ours. */
import { inSources } from './source-places.ts';

/** Something that the person at the keyboard can mend: shown as its sentence, without a stack. */
export class UserError extends Error {
  override name = 'UserError';
}

/** A path that exists, but not for this user or not as what it should be. */
const UNUSABLE: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EISDIR', 'EEXIST']);

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
  error: NodeJS.ErrnoException & { address?: string; port?: number },
): string | undefined {
  const { code, path } = error;
  const where = error.port ? `${error.address ?? ''}:${error.port}` : error.address;
  if (code === 'EADDRINUSE') {
    return `${where} is in use: stop the program that listens there, or choose another port (--port, --namesrv-port).`;
  }
  if (code === 'EADDRNOTAVAIL') return `${where} is not an address of this machine: choose another --host.`;
  if (code === 'EACCES' && error.port !== undefined) {
    return `${where} may not be used by this user: choose a port above 1023.`;
  }
  if (path === undefined) return undefined;
  if (code === 'ENOENT') return `${path} does not exist.`;
  if (code !== undefined && UNUSABLE.has(code))
    return `${path} cannot be used (${code}): check its kind and rights, or choose another place.`;
  if (code === 'ENOSPC') return `${path}: the disk is full. Free some space and start again.`;
  return undefined;
}
