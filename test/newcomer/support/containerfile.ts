// Builds a Containerfile without a builder: each instruction is done in a root file system of its base image's system.

import { cpSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { repository } from '../../interop/support/paths.ts';
import { DebianRoot, type Outcome, type Surroundings } from './debian-root.ts';

/** Those that describe the image, and change no file of it. */
const TOLD = new Set(['EXPOSE', 'VOLUME', 'STOPSIGNAL']);

export class Image {
  readonly root: DebianRoot;
  readonly env: Record<string, string> = {};
  readonly told: string[] = [];
  /** Of HEALTHCHECK, ENTRYPOINT and CMD. */
  readonly commands = new Map<string, string[]>();
  readonly #arguments: Record<string, string>;
  #user = '0:0';
  #folder = '/';

  constructor(file: string, given: Readonly<Record<string, string>>) {
    this.#arguments = { ...given };
    const text = readFileSync(join(repository, file), 'utf8').replace(/^#.*\n/gm, '');
    const lines = text.split('\n').filter((line) => line.trim() !== '');
    const [, base] = /^FROM (\S+)$/.exec(lines[0] ?? '') ?? [];
    if (base !== 'debian:bookworm-slim') throw new Error(`the base image ${base} is not known here`);
    this.root = new DebianRoot([]);
    for (const line of lines.slice(1)) this.#do(line);
  }

  /** Runs the entry point with these arguments, or with those of CMD. */
  start(
    args: readonly string[] = this.#command('CMD'),
    env: Readonly<Record<string, string>> = {},
  ): string[] {
    const words = [...this.#command('ENTRYPOINT'), ...args];
    return this.root.command(`exec ${words.map(quoted).join(' ')}`, this.#surroundings(env));
  }

  health(): Outcome {
    const words = this.#command('HEALTHCHECK');
    return this.root.run(words.map(quoted).join(' '), this.#surroundings());
  }

  #surroundings(env: Readonly<Record<string, string>> = {}): Surroundings {
    return { user: this.#user, folder: this.#folder, env: { HOME: '/home/rocketmq', ...this.env, ...env } };
  }

  #command(name: string): readonly string[] {
    const command = this.commands.get(name);
    if (command === undefined) throw new Error(`the image has no ${name}`);
    return command;
  }

  #do(line: string): void {
    const [, instruction = '', rest = ''] = /^(\S+) (.*)$/.exec(line) ?? [];
    if (TOLD.has(instruction)) this.told.push(`${instruction} ${rest}`);
    else if (instruction === 'ARG') this.#argument(rest);
    else if (instruction === 'ENV')
      this.env[rest.slice(0, rest.indexOf('='))] = rest.slice(rest.indexOf('=') + 1);
    else if (instruction === 'RUN') this.#run(rest);
    else if (instruction === 'COPY') this.#copy(this.#expand(rest));
    else if (instruction === 'USER') this.#user = this.#idsOf(rest);
    else if (instruction === 'WORKDIR') this.#folder = this.#expand(rest);
    else if (/^(HEALTHCHECK|ENTRYPOINT|CMD)$/.test(instruction))
      this.commands.set(instruction, JSON.parse(rest.slice(rest.indexOf('['))) as string[]);
    else throw new Error(`the test's builder does not know ${instruction}`);
  }

  #argument(text: string): void {
    const [name = '', value] = text.split('=');
    if (this.#arguments[name] !== undefined) return;
    if (value === undefined) throw new Error(`the build argument ${name} is missing`);
    this.#arguments[name] = value;
  }

  #run(script: string): void {
    const { code, output } = this.root.run(script, { env: { ...this.#arguments, ...this.env } });
    if (code !== 0) throw new Error(`RUN ${script} ended with ${code}\n${output}`);
  }

  #copy(text: string): void {
    const [from = '', to = ''] = text.split(' ');
    const source = join(repository, from);
    const target = join(this.root.folder, to);
    mkdirSync(statSync(source).isDirectory() ? target : dirname(target), { recursive: true });
    cpSync(source, target, { recursive: true });
  }

  #expand(text: string): string {
    return text.replace(/\$\{(\w+)\}/g, (_, name: string) => this.env[name] ?? this.#arguments[name] ?? '');
  }

  #idsOf(user: string): string {
    return this.root.run(`echo "$(id -u ${user}):$(id -g ${user})"`).output.trim();
  }
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
