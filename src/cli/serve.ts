/** The life of a server process: start, ready line, signals, death, clean stop and exit code. */
import { writeFileSync } from 'node:fs';
import { systemClock } from '../lib/clock.ts';
import { VERSION } from '../lib/version.ts';
import { StartAgain } from '../threads/config.ts';
import { docsPlace } from './docs-place.ts';
import { ExitCode } from './exit-codes.ts';
import { explain } from './explain.ts';
import { IdleMemory } from './idle-memory.ts';
import type { ServerLog } from './logger.ts';
import { inSources } from './source-places.ts';
import { firstSignal } from './stop-signals.ts';
import { Supervisor } from './supervisor.ts';

export interface Serving {
  /** What follows `RingMQ ready: `; the version follows it. */
  readonly ready: string;
  /** Resolves when the server has ended by itself. */
  readonly died?: Promise<Error>;
  /** How long the thread that is most behind has not turned, ms. */
  readonly lateMs?: () => number;
  /** How long `close` may let clients go on, ms. */
  readonly drainMs?: number;
  /** Resolves whether the stop was clean. */
  close(): Promise<boolean>;
}

/**
 * Starts, serves until SIGTERM, SIGINT or SIGHUP, stops and ends the process. A signal during a long start waits for
 * the start, so that the store is closed properly; another one more than a second after the first ends the process at
 * once.
 */
export async function serve(log: ServerLog, start: () => Promise<Serving>): Promise<never> {
  surviveReaders();
  nameProcess();
  const docs = docsPlace();
  const found = docs === undefined ? {} : { docs };
  log.info({ version: VERSION, node: process.version, ...found }, 'RingMQ starts');
  const signalled = firstSignal(process, systemClock.monotonic, (signal) => {
    log.warn({ signal }, 'another signal: ending at once, the store will be checked at the next start');
    process.exit(ExitCode.FAILED);
  });
  const memory = IdleMemory.watch();
  let serving = await started(log, start, signalled);
  const early = await Promise.race([signalled, Promise.resolve(undefined)]);
  const supervisor = new Supervisor();
  if (early === undefined) process.stdout.write(`RingMQ ready: ${serving.ready}, version ${VERSION}\n`);
  supervisor.ready(serving.ready, () => serving.lateMs?.() ?? 0);
  log.open();
  let end = await endOf(serving, signalled);
  while (typeof end !== 'string' && end.reason instanceof StartAgain) {
    log.warn({}, `starting again: ${end.reason.message}`);
    serving = await started(log, start, signalled);
    end = await endOf(serving, signalled);
  }
  if (typeof end !== 'string') {
    log.error({ err: withSources(end.reason) }, `the broker has died: ${end.reason.message}`);
    process.exit(ExitCode.FAILED);
  }
  clearInterval(memory);
  supervisor.stopping(serving.drainMs);
  log.info({ signal: end }, 'stopping');
  const began = performance.now();
  const clean = await closed(log, serving);
  const ms = Math.round(performance.now() - began);
  if (clean) log.info({ ms }, 'stopped');
  else log.warn({ ms }, 'stopped, but the store will be checked at the next start');
  process.exit(clean ? ExitCode.DONE : ExitCode.FAILED);
}

/** The signal that ends it, or why it has ended by itself. */
function endOf({ died }: Serving, signalled: Promise<string>): Promise<string | { reason: Error }> {
  const dead = died?.then((reason) => ({ reason })) ?? new Promise<never>(() => {});
  return Promise.race([signalled, dead]);
}

/** What was logged until a start failed comes before the sentence that says why it did. */
async function started(
  log: ServerLog,
  start: () => Promise<Serving>,
  signalled: Promise<string>,
): Promise<Serving> {
  let isUnderWay = true;
  void signalled.then((signal) => {
    if (!isUnderWay) return;
    log.info({ signal }, 'stopping when the start is done; another signal ends at once');
    log.open();
  });
  try {
    return await start();
  } catch (error) {
    log.open();
    throw error;
  } finally {
    isUnderWay = false;
  }
}

/** For `ps`, `top` and `systemctl status`: by itself it is called `node` or `MainThread`. */
function nameProcess(): void {
  try {
    writeFileSync('/proc/self/comm', 'ringmq');
  } catch {
    // No /proc: it serves under the other name.
  }
}

/** Whoever reads the output may go: a server does not end with its reader. */
function surviveReaders(): void {
  process.stdout.on('error', () => {});
  process.stderr.on('error', () => {});
}

async function closed(log: ServerLog, serving: Serving): Promise<boolean> {
  try {
    return await serving.close();
  } catch (error) {
    log.error({ err: withSources(error as Error) }, `the stop failed: ${explain(error)}`);
    return false;
  }
}

function withSources(error: Error): object {
  return { type: error.name, message: error.message, stack: stackOf(error) };
}

/** With what caused it: a thread dies of an error of its own. */
function stackOf(error: Error): string {
  const stack = inSources(error.stack ?? error.message);
  return error.cause instanceof Error ? `${stack}\ncaused by ${stackOf(error.cause)}` : stack;
}
