// Our command line against whichever servers are under test.

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import { Terminal } from '../../support/pseudo-terminal.ts';
import { repository } from './paths.ts';
import { Program } from './program.ts';
import type { Cluster } from './target.ts';

const MAIN = join(repository, 'dist', 'src', 'cli', 'main.js');
const TRIES = 200;

export interface Said {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export class CommandLine {
  readonly #nameServer: string;

  constructor(cluster: Pick<Cluster, 'nameServer'>) {
    this.#nameServer = cluster.nameServer.address;
  }

  /** `input`: what it reads from stdin, which is no terminal. */
  run(args: readonly string[], input = ''): Promise<Said> {
    const env = { ...process.env, NAMESRV_ADDR: this.#nameServer, TZ: 'UTC' };
    const child = spawn(process.execPath, ['--enable-source-maps', MAIN, ...args], { env });
    let [out, err] = ['', ''];
    child.stdout.on('data', (data) => {
      out += data;
    });
    child.stderr.on('data', (data) => {
      err += data;
    });
    child.stdin.on('error', () => undefined); // it need not read
    child.stdin.end(input);
    return new Promise((resolve) => child.on('close', (code) => resolve({ code, out, err })));
  }

  /** It has to succeed; returns what it has printed. */
  async does(args: readonly string[], input?: string): Promise<string> {
    const { code, out, err } = await this.run(args, input);
    assert.is(code, 0, `${args.join(' ')}: ${out}${err}`);
    return out;
  }

  // biome-ignore lint/suspicious/noExplicitAny: tests look at what they expect there
  async json(args: readonly string[], input?: string): Promise<any> {
    return JSON.parse(await this.does([...args, '--json'], input));
  }

  /** One JSON value a line. */
  // biome-ignore lint/suspicious/noExplicitAny: as above
  async lines(args: readonly string[], input?: string): Promise<any[]> {
    const out = await this.does([...args, '--json'], input);
    return out.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
  }

  /** It has to end with this code, and one sentence that fits. */
  async fails(args: readonly string[], code: number, sentence: RegExp): Promise<void> {
    const said = await this.run(args);
    assert.is(said.code, code, `${args.join(' ')}: ${said.out}${said.err}`);
    assert.match(said.err, sentence);
    assert.not.match(said.err, /\n\s+at /, 'no stack');
  }

  /** Asked again until it is so: brokers tell name servers of changes, and write queues and indexes, a moment later. */
  // biome-ignore lint/suspicious/noExplicitAny: as above
  async until(args: readonly string[], isSo: (value: any) => boolean): Promise<any> {
    let last = '';
    for (let i = 0; i < TRIES; i++) {
      const { code, out, err } = await this.run([...args, '--json']);
      last = out + err;
      if (code === 0 && isSo(JSON.parse(out))) return JSON.parse(out);
      await sleep(100);
    }
    throw new Error(`${args.join(' ')} still says: ${last}`);
  }

  async lineCount(args: readonly string[], count: number): Promise<void> {
    let last = '';
    for (let i = 0; i < TRIES; i++) {
      last = (await this.run(args)).out;
      if (last.trim().split('\n').length === count) return;
      await sleep(100);
    }
    throw new Error(`${args.join(' ')} still prints: ${last}`);
  }

  /** A topic that the name servers know. */
  async topic(name: string, ...options: readonly string[]): Promise<string> {
    await this.does(['topic', 'create', name, ...options]);
    await this.until(['topic', 'show', name], () => true);
    return name;
  }

  /** As a person has it. */
  terminal(line: string): Terminal {
    const env = { ...process.env, NAMESRV_ADDR: this.#nameServer };
    return new Terminal(`${process.execPath} ${MAIN} ${line}`, { env });
  }

  /** One that goes on until it is stopped. */
  start(args: readonly string[]): Program {
    const env = { NAMESRV_ADDR: this.#nameServer };
    return new Program(`ringmq ${args[0]}`, process.execPath, [MAIN, ...args], { env });
  }
}

/** What it has printed, without the note of its end. */
export function linesOf({ text }: Program): string[] {
  return text.filter((line) => !line.startsWith('ended by '));
}
