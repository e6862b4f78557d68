/** A broker under measurement: its processes, its port, and whether it still lives. */
import type { ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import { cpuSeconds, type Memory, memory } from './proc.ts';

export type TargetName = 'rocketmq' | 'ringmq' | 'null';

export interface TargetParts {
  name: TargetName;
  port: number;
  /** The process that stores messages; the one whose CPU and memory count. */
  broker: ChildProcess;
  /** Other processes, such as a name server. */
  helpers: ChildProcess[];
  /** What the broker printed, for the reason of a failure. */
  log: string;
}

const LOG_TAIL_BYTES = 1500;

export function logTail(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8').slice(-LOG_TAIL_BYTES).trim();
  } catch {
    return '';
  }
}

function describeExit(child: ChildProcess): string {
  return child.signalCode === null ? `exit code ${child.exitCode}` : `signal ${child.signalCode}`;
}

export class Target {
  readonly name: TargetName;
  readonly port: number;
  readonly #parts: TargetParts;

  constructor(parts: TargetParts) {
    this.#parts = parts;
    this.name = parts.name;
    this.port = parts.port;
  }

  /** Why no figure of this broker may be used any more; undefined while all its processes live. */
  get death(): string | undefined {
    for (const child of [this.#parts.broker, ...this.#parts.helpers]) {
      if (child.exitCode === null && child.signalCode === null) continue;
      const what = child === this.#parts.broker ? 'the broker' : 'its name server';
      return `${what} died (${describeExit(child)})\nlast output: ${logTail(this.#parts.log)}`;
    }
    return undefined;
  }

  get cpuSeconds(): number {
    return cpuSeconds(this.#parts.broker.pid as number);
  }

  get memory(): Memory {
    return memory(this.#parts.broker.pid as number);
  }

  /** Its store is thrown away with it, so it need not stop cleanly. */
  async stop(): Promise<void> {
    const children = [this.#parts.broker, ...this.#parts.helpers];
    await Promise.all(
      children.map((child) => {
        if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
        return new Promise<void>((resolve) => {
          child.once('exit', () => resolve());
          child.kill('SIGKILL');
        });
      }),
    );
  }
}
