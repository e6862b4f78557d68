/** The broker and the name server under attack: the bundles that users run, each in a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../../bundle/main.cjs', import.meta.url));
const READY_MS = 30_000;
const STOP_MS = 30_000;
/** Of stderr, what is kept for messages about failures. */
const LOG_TAIL = 20_000;

export class ServerProcess {
  readonly name: string;
  readonly child: ChildProcess;
  readonly ended: Promise<number | string>;
  /** Exit code or signal, once it has ended. */
  end: number | string | undefined;
  address = '';
  /** Bytes of stderr so far. */
  logBytes = 0;
  /** Lines of the log by which the operator would have something to do: no client may cause one. */
  readonly errors: string[] = [];
  #log = '';
  #line = '';

  private constructor(name: string, args: readonly string[]) {
    this.name = name;
    this.child = spawn(process.execPath, [MAIN, name, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.child.stderr?.on('data', (chunk: Buffer) => {
      this.logBytes += chunk.length;
      this.#log = (this.#log + chunk.toString()).slice(-LOG_TAIL);
      this.#noteErrors(chunk.toString());
    });
    this.ended = new Promise((resolve) => {
      this.child.once('exit', (code, signal) => {
        this.end = code ?? signal ?? 'unknown';
        resolve(this.end);
      });
    });
  }

  /** Resolves when it says that it is ready; rejects when it ends before. */
  static async start(name: 'broker' | 'namesrv', args: readonly string[]): Promise<ServerProcess> {
    const server = new ServerProcess(name, args);
    let output = '';
    server.address = await new Promise<string>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${name} is not ready:\n${server.log}`)), READY_MS);
      server.child.stdout?.on('data', (chunk: Buffer) => {
        output += chunk.toString();
        const match = /RingMQ ready: (?:name server|broker) ([^\s,]+)/.exec(output);
        if (match === null) return;
        clearTimeout(timer);
        resolve(match[1] as string);
      });
      void server.ended.then((code) => {
        clearTimeout(timer);
        reject(new Error(`${name} ended with ${code} before it was ready:\n${server.log}`));
      });
    });
    return server;
  }

  get log(): string {
    return this.#log;
  }

  #noteErrors(text: string): void {
    const lines = (this.#line + text).split('\n');
    this.#line = lines.pop() ?? '';
    this.errors.push(...lines.filter((line) => line.startsWith('{"level":"error"')));
  }

  /** Throws when the process has ended. */
  check(): void {
    if (this.end !== undefined) throw new Error(`${this.name} ended with ${this.end}:\n${this.#log}`);
  }

  /** Bytes of memory that belong to the process alone, not to files. */
  anonymousBytes(): number {
    this.check();
    const status = readFileSync(`/proc/${this.child.pid}/status`, 'utf8');
    return Number(/^RssAnon:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
  }

  /** Open descriptors, without those of the CommitLog: it grows with what is stored, whoever sends it. */
  descriptors(): number {
    this.check();
    const folder = `/proc/${this.child.pid}/fd`;
    return readdirSync(folder).filter((name) => !targetOf(join(folder, name)).includes('/commitlog/')).length;
  }

  /** Ends it as an operator does; resolves with the exit code. Killed when it takes too long. */
  async stop(): Promise<number | string> {
    const timer = setTimeout(() => this.child.kill('SIGKILL'), STOP_MS);
    this.child.kill('SIGTERM');
    const end = await this.ended;
    clearTimeout(timer);
    return end;
  }
}

/** What a descriptor is of; empty when it has been closed since it was listed. */
function targetOf(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return '';
  }
}
