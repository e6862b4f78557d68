/** Errors as a person sees them: a sentence where there is something to mend, a stack where the fault is ours. */
import { pathSentence } from '../lib/path-sentence.ts';
import { inSources } from './source-places.ts';

const PATH_WORDS = { elsewhere: 'Choose another place (--store, or the paths in broker.conf)' };

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
  error: NodeJS.ErrnoException & { address?: string; port?: number; hostname?: string },
): string | undefined {
  const { code } = error;
  const where = error.port ? `${error.address ?? ''}:${error.port}` : error.address;
  if (code === 'EADDRINUSE') {
    return `${where} is in use: stop the program that listens there, or choose another port (--port, --namesrv-port).`;
  }
  if (code === 'EADDRNOTAVAIL') {
    return `${error.address} is not an address of this machine: choose another --host (bindAddress, brokerIP1).`;
  }
  if (code === 'EACCES' && error.port !== undefined) {
    return `${where} may not be used by this user: choose a port above 1023.`;
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return `${error.hostname ?? where} is not known here: choose another --host.`;
  }
  return pathSentence(error, PATH_WORDS);
}
