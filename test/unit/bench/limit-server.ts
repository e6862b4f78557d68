/** The limit as a process, with small files, for tests that look at what it answers and what it stores. */
import type { ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { runLoad } from '../../../bench/load/load.ts';
import { parseLoadOptions } from '../../../bench/load/options.ts';
import type { LoadResult } from '../../../bench/load/recorder.ts';
import { waitFor } from '../../../bench/rocketmq/broker-process.ts';
import { RunFolder } from '../../../bench/rocketmq/cleanup.ts';
import { LIMIT_READY, limitProgram } from '../../../bench/rocketmq/limit-program.ts';
import { CACHE } from '../../../bench/rocketmq/program.ts';
import type { RemotingCommand } from '../../../src/protocol/command.ts';
import { decodeCommand, encodeCommand } from '../../../src/protocol/command-codec.ts';
import { cutFrames, FrameCutter } from '../../../src/protocol/frame-cutter.ts';

export type LimitMode = 'async' | 'sync';

export const LOG_FILE_BYTES = 512 << 10;

const cache = fs.mkdtempSync(path.join(os.tmpdir(), 'limit-'));
export const runFolder = new RunFolder(cache);

let starts = 0;

/** Undefined on a machine without a compiler, and then it has said so. */
export async function builtLimit(): Promise<string | undefined> {
  try {
    return await limitProgram(runFolder, CACHE);
  } catch (error) {
    const { message } = error as Error;
    if (!message.startsWith('g++ is missing')) throw error;
    process.stdout.write(`the limit is not tested: ${message}\n`);
    return undefined;
  }
}

export function removeLimitFolder(): void {
  fs.rmSync(cache, { recursive: true, force: true });
}

export class LimitServer {
  readonly store: string;
  readonly port: number;
  readonly ledger: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;

  private constructor(child: ChildProcess, store: string, port: number) {
    this.#child = child;
    this.store = store;
    this.port = port;
    this.ledger = `${store}-ledger.json`;
    this.#ended = new Promise((resolve) => child.once('exit', (code) => resolve(code)));
  }

  /** Keeps so many files of its log when that is said. */
  static async start(program: string, mode: LimitMode, files?: number): Promise<LimitServer> {
    const store = path.join(runFolder.path, `store-${++starts}`);
    const log = `${store}.out`;
    fs.writeFileSync(log, '');
    const args = ['0', store, mode, String(LOG_FILE_BYTES), ...(files === undefined ? [] : [String(files)])];
    const child = runFolder.start({ command: program, args, log });
    await waitFor(LIMIT_READY, { child, log });
    const port = Number(/127\.0\.0\.1:(\d+)/.exec(fs.readFileSync(log, 'utf8'))?.[1]);
    return new LimitServer(child, store, port);
  }

  /** The generator against it, in this process. */
  load(...args: string[]): Promise<LoadResult> {
    return runLoad(parseLoadOptions(['--port', String(this.port), ...args]), async () => {});
  }

  /** Exit code after SIGTERM. */
  stop(): Promise<number | null> {
    this.#child.kill('SIGTERM');
    return this.#ended;
  }
}

/** A connection that writes what it is told to and hands over the answers as they come. */
export class RawClient {
  readonly #socket: net.Socket;
  readonly #answers: RemotingCommand[] = [];
  #onChange = (): void => {};
  closed = false;

  constructor(port: number) {
    const cutter = new FrameCutter();
    this.#socket = net.connect({ host: '127.0.0.1', port });
    this.#socket.on('data', (chunk) => {
      cutFrames(cutter, chunk, (frame) => this.#answers.push(decodeCommand(Uint8Array.from(frame))));
      this.#onChange();
    });
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => {
      this.closed = true;
      this.#onChange();
    });
  }

  write(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  send(command: RemotingCommand): void {
    this.write(encodeCommand(command));
  }

  /** The next answer; undefined = the connection was closed instead. */
  async answer(): Promise<RemotingCommand | undefined> {
    while (this.#answers.length === 0 && !this.closed)
      await new Promise<void>((resolve) => (this.#onChange = resolve));
    return this.#answers.shift();
  }

  call(command: RemotingCommand): Promise<RemotingCommand | undefined> {
    this.send(command);
    return this.answer();
  }

  end(): void {
    this.#socket.destroy();
  }
}
