/** The life of a server process: start, ready line, signals, death, clean stop and exit code. */

import { systemClock } from '../lib/clock.ts';
import type { ControlLog } from '../lib/log.ts';
import { VERSION } from '../lib/version.ts';
import { explain } from './explain.ts';
import { IdleMemory } from './idle-memory.ts';
import { inSources } from './source-places.ts';
import { firstSignal } from './stop-signals.ts';

export interface Serving {
  /** What follows `RingMQ ready: `; the version follows it. */
  readonly ready: string;
  /** Resolves when the server has ended by itself. */
  readonly died?: Promise<Error>;
  /** Resolves whether the stop was clean. */
  close(): Promise<boolean>;
}

/**
 * Starts, serves until SIGTERM, SIGINT or SIGHUP, stops and ends the process. A signal during a long start waits for
 * the start, so that the store is closed properly; another one more than a second after the first ends the process at
 * once.
 */
export async function serve(log: ControlLog, start: () => Promise<Serving>): Promise<never> {
  const signalled = firstSignal(process, systemClock.monotonic, (signal) => {
    log.warn({ signal }, 'another signal: ending at once, the store will be checked at the next start');
    process.exit(1);
  });
  let started = false;
  void signalled.then((signal) => {
    if (!started) log.info({ signal }, 'stopping when the start is done; another signal ends at once');
  });
  const memory = IdleMemory.watch();
  const serving = await start();
  started = true;
  const early = await Promise.race([signalled, Promise.resolve(undefined)]);
  if (early === undefined) process.stdout.write(`RingMQ ready: ${serving.ready}, version ${VERSION}\n`);
  const dead = serving.died?.then((reason) => ({ reason })) ?? new Promise<never>(() => {});
  const end = await Promise.race([signalled, dead]);
  if (typeof end !== 'string') {
    log.error({ error: stackOf(end.reason) }, `the broker has died: ${end.reason.message}`);
    process.exit(1);
  }
  clearInterval(memory);
  log.info({ signal: end }, 'stopping');
  const clean = await closed(log, serving);
  log.info({ clean }, clean ? 'stopped' : 'stopped, but the store will be checked at the next start');
  process.exit(clean ? 0 : 1);
}

async function closed(log: ControlLog, serving: Serving): Promise<boolean> {
  try {
    return await serving.close();
  } catch (error) {
    log.error({ error: stackOf(error as Error) }, `the stop failed: ${explain(error)}`);
    return false;
  }
}

/** With what caused it: a thread dies of an error of its own. */
function stackOf(error: Error): string {
  const stack = inSources(error.stack ?? error.message);
  return error.cause instanceof Error ? `${stack}\ncaused by ${stackOf(error.cause)}` : stack;
}
