/** Why a start failed, in the words of the program that called: its options, never the command line's. */
import { pathSentence } from '../lib/path-sentence.ts';
import { UnknownHost } from '../net/hosts.ts';
import { StoreInUse } from '../store/opening.ts';
import type { RingMQErrorCode } from './error.ts';
import { type ErrorReport, reportOf } from './error-report.ts';

const PATH_WORDS = { elsewhere: 'Choose another store' };

type SystemError = NodeJS.ErrnoException & { address?: string; port?: number };

/** `call`: the function that failed. `portOption`: which of two ports was being bound. */
export function startReport(
  call: 'startBroker' | 'openStore',
  error: unknown,
  portOption: 'port' | 'nameServerPort' = 'port',
): ErrorReport {
  const [code, sentence] = reason(error as SystemError, portOption);
  return reportOf(code, `${call}: ${sentence}`, error);
}

function reason(error: SystemError, portOption: string): [RingMQErrorCode, string] {
  const { code, port } = error;
  const where = port ? `${error.address ?? ''}:${port}` : error.address;
  if (code === 'EADDRINUSE') {
    const mend = `stop what listens there, or leave ${portOption} out for any free port`;
    return ['RINGMQ_PORT_IN_USE', `${portOption}: ${where} is in use: ${mend}.`];
  }
  if (code === 'EACCES' && port !== undefined) {
    const mend = `choose one above 1023, or leave ${portOption} out for any free port`;
    return ['RINGMQ_PORT_IN_USE', `${portOption}: ${where} may not be used by this user: ${mend}.`];
  }
  if (code === 'EADDRNOTAVAIL') {
    return ['RINGMQ_BAD_ADDRESS', `host: ${error.address} is not an address of this machine.`];
  }
  if (error instanceof UnknownHost) return ['RINGMQ_BAD_ADDRESS', error.message];
  if (error instanceof StoreInUse) return ['RINGMQ_STORE_IN_USE', error.message];
  return ['RINGMQ_START_FAILED', pathSentence(error, PATH_WORDS) ?? String(error.message)];
}
