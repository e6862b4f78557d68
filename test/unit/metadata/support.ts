/** A clock with timers that tests move, connections that remember, and a directory that is thrown away. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../../src/lib/clock.ts';
import type { ControlLog } from '../../../src/lib/log.ts';
import type { Timers } from '../../../src/lib/timers.ts';
import { type BrokerSettings, defaultBrokerSettings } from '../../../src/metadata/settings.ts';
import type { RemotingCommand } from '../../../src/protocol/command.ts';
import type { ClientConnection } from '../../../src/remoting/connection.ts';

export class FakeTime implements Clock, Timers {
  #now = 1_700_000_000_000;
  #monotonic = 1_000;
  #timers: { at: number; task: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#monotonic;
  }

  after(delayMs: number, task: () => void): () => void {
    const timer = { at: this.#monotonic + delayMs, task };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Sets the wall clock without time passing. */
  jump(ms: number): void {
    this.#now += ms;
  }

  /** Lets time pass and runs what is due, in order; promises get their turn after each timer. */
  async advance(ms: number): Promise<void> {
    const end = this.#monotonic + ms;
    await settle();
    for (;;) {
      const due = this.#timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== due);
      this.#moveTo(Math.max(this.#monotonic, due.at));
      due.task();
      await settle();
    }
    this.#moveTo(end);
    await settle();
  }

  get waiting(): number {
    return this.#timers.length;
  }

  #moveTo(monotonic: number): void {
    this.#now += monotonic - this.#monotonic;
    this.#monotonic = monotonic;
  }
}

/** Lets all promises that are ready run. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}

export class FakeConnection implements ClientConnection {
  readonly id: string;
  readonly remoteAddress: string;
  readonly sent: RemotingCommand[] = [];
  readonly asked: RemotingCommand[] = [];
  isClosed = false;
  /** What the client answers; it is silent by default. */
  answer: (command: RemotingCommand) => Promise<RemotingCommand> = () => new Promise(() => {});

  constructor(id: string) {
    this.id = id;
    this.remoteAddress = `10.0.0.1:${id.length}000`;
  }

  send(command: RemotingCommand): void {
    this.sent.push(command);
  }

  request(command: RemotingCommand): Promise<RemotingCommand> {
    this.asked.push(command);
    return this.answer(command);
  }

  close(): void {
    this.isClosed = true;
  }
}

export const silentLog: ControlLog = { info() {}, warn() {}, error() {} };

const directories: string[] = [];
process.once('exit', () => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});

/** A fresh directory that goes with the process. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'ringmq-control-'));
  directories.push(directory);
  return directory;
}

export function testSettings(changes: Partial<BrokerSettings> = {}): BrokerSettings {
  return {
    ...defaultBrokerSettings({
      brokerName: 'broker-a',
      brokerClusterName: 'cluster-a',
      brokerIP1: '10.1.1.1',
      listenPort: 10911,
    }),
    ...changes,
  };
}
