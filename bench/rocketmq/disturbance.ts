/** Was a round hit by somebody else's load? Answered by the stall probe and by the CPU time that nobody of ours used. */
import type { ChildProcess } from 'node:child_process';
import os from 'node:os';
import { fileURLToPath } from 'node:url';
import type { RunFolder } from './cleanup.ts';
import { type CpuSnapshot, cpuSnapshot, foreignShare } from './proc.ts';
import type { StallReading } from './stall-probe.ts';

/** More than this share of all processors used by others, or a longer stop of the machine, and the round is repeated. */
export const FOREIGN_SHARE_MAX = 0.05;
export const STALL_MILLIS_MAX = 100;

/** How long a round waits for others to end their work, looking once a second. */
const QUIET_WAIT_MILLIS = 30_000;
const LOOK_MILLIS = 1000;

export interface Disturbance {
  foreignShare: number;
  stallMaxMillis: number;
  disturbed: boolean;
}

export function judge(share: number, stallMaxMillis: number): Disturbance {
  const disturbed = share > FOREIGN_SHARE_MAX || stallMaxMillis > STALL_MILLIS_MAX;
  return { foreignShare: share, stallMaxMillis, disturbed };
}

/** What several measurements of one round met together. */
export function worst(all: readonly Disturbance[]): Disturbance {
  const max = (pick: (one: Disturbance) => number): number => Math.max(0, ...all.map(pick));
  return judge(
    max((one) => one.foreignShare),
    max((one) => one.stallMaxMillis),
  );
}

export class DisturbanceWatch {
  readonly #folder: RunFolder;
  readonly #probe: ChildProcess;
  #from: CpuSnapshot | undefined;

  constructor(folder: RunFolder) {
    this.#folder = folder;
    const script = fileURLToPath(new URL('./stall-probe.js', import.meta.url));
    this.#probe = folder.start({ command: process.execPath, args: [script], ipc: true });
  }

  #snapshot(): CpuSnapshot {
    return cpuSnapshot([...this.#folder.pids, process.pid]);
  }

  #shareSince(from: CpuSnapshot): number {
    return foreignShare(from, this.#snapshot(), os.availableParallelism());
  }

  /** Returns when others leave the machine alone, or after half a minute in vain. */
  async quiet(): Promise<void> {
    const deadline = performance.now() + QUIET_WAIT_MILLIS;
    do {
      const from = this.#snapshot();
      await new Promise((resolve) => setTimeout(resolve, LOOK_MILLIS));
      if (this.#shareSince(from) <= FOREIGN_SHARE_MAX) return;
    } while (performance.now() < deadline);
  }

  #askProbe(): Promise<StallReading> {
    return new Promise((resolve, reject) => {
      this.#probe.once('message', (reading) => resolve(reading as StallReading));
      this.#probe.send('read', (error) => error && reject(error));
    });
  }

  async begin(): Promise<void> {
    this.#from = this.#snapshot();
    await this.#askProbe();
  }

  async end(): Promise<Disturbance> {
    const share = this.#from === undefined ? 0 : this.#shareSince(this.#from);
    const { maxMillis } = await this.#askProbe();
    return judge(share, maxMillis);
  }

  /** Does something that is a measurement as a whole. Processes that end in it look like somebody else's work. */
  async around<T>(work: () => Promise<T>): Promise<{ value: T; disturbance: Disturbance }> {
    await this.begin();
    const value = await work();
    return { value, disturbance: await this.end() };
  }

  stop(): void {
    this.#probe.kill('SIGKILL');
  }
}
