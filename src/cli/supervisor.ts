/**
 * What a service manager is told by sd_notify(3): that the start is over, that the stop has begun, and, where it asks
 * for that (WatchdogSec), that the threads with clients turn: the main thread, which says so, and the network threads.
 * A disk that does not answer is no reason to end the process.
 */
import { constants } from 'node:os';
import { addon } from '../native/addon.ts';

const MICROS_PER_MS = 1_000;
/** So that one that is lost does no harm. */
const BEATS_PER_PERIOD = 4;
/** Whoever waits for the start waits for ever when that is lost. */
const READY_AGAIN_MS = 1_000;
/** What is left when the clients have gone is given the time that the unit's TimeoutStopSec gives it by itself. */
const STOP_MS = 120_000;

export interface SupervisorParts {
  env: NodeJS.ProcessEnv;
  pid: number;
  notify: (address: string, text: string) => number;
  /** Runs a task again and again. */
  every: (ms: number, task: () => void) => void;
  later: (ms: number, task: () => void) => void;
}

export class Supervisor {
  readonly #parts: SupervisorParts;
  readonly #address: string | undefined;

  constructor(parts: SupervisorParts = ofProcess()) {
    this.#parts = parts;
    this.#address = parts.env['NOTIFY_SOCKET'] || undefined;
  }

  /**
   * `status` is shown by `systemctl status`. `lateMs`: how long the other thread that is most behind has not turned;
   * nothing is said while that is longer than half of what the manager waits for.
   */
  ready(status: string, lateMs = () => 0): void {
    this.#tellUntilHeard(`READY=1\nSTATUS=${status}`);
    const period = this.#watchdogMs();
    if (period === undefined) return;
    this.#tell('WATCHDOG=1');
    this.#parts.every(period / BEATS_PER_PERIOD, () => {
      if (lateMs() < period / 2) this.#tell('WATCHDOG=1');
    });
  }

  /** `waitMs`: for how long it may first let clients go on. The manager adds that to the time that a stop may take. */
  stopping(waitMs = 0): void {
    const more = waitMs > 0 ? `\nEXTEND_TIMEOUT_USEC=${(waitMs + STOP_MS) * MICROS_PER_MS}` : '';
    this.#tell(`STOPPING=1\nSTATUS=${waitMs > 0 ? 'waiting for clients to leave' : 'stopping'}${more}`);
  }

  /** Undefined when nobody watches, or somebody watches another process. */
  #watchdogMs(): number | undefined {
    const { env, pid } = this.#parts;
    const micros = Number(env['WATCHDOG_USEC']);
    const isMeant = env['WATCHDOG_PID'] === undefined || Number(env['WATCHDOG_PID']) === pid;
    return isMeant && micros > 0 ? micros / MICROS_PER_MS : undefined;
  }

  #tellUntilHeard(text: string): void {
    if (!this.#tell(text)) this.#parts.later(READY_AGAIN_MS, () => this.#tellUntilHeard(text));
  }

  /** False when it was not taken. A manager that is gone or does not read is no reason to stop serving. */
  #tell(text: string): boolean {
    return this.#address === undefined || this.#parts.notify(this.#address, text) !== -constants.errno.EAGAIN;
  }
}

function ofProcess(): SupervisorParts {
  const every = (ms: number, task: () => void) => void setInterval(task, ms).unref();
  const later = (ms: number, task: () => void) => void setTimeout(task, ms).unref();
  return { env: process.env, pid: process.pid, notify: addon.notifySupervisor, every, later };
}
