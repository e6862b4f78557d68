// A Prometheus of Debian, unpacked beside the other things that tests fetch.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { unpacked } from './debian-packages.ts';
import { repository, temporaryFolder } from './paths.ts';
import { freePort } from './ports.ts';
import { Program } from './program.ts';

export const monitoring = join(repository, 'packaging/monitoring');
const START_MS = 60_000;

/** A sample of an answer. */
export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [time: number, value: string];
}

/** A program of Debian's package, `prometheus` or `promtool`. */
export function prometheusProgram(name: string): string {
  return join(unpacked('prometheus', ['prometheus']), 'usr/bin', name);
}

export class Prometheus {
  readonly #program: Program;
  readonly #port: number;

  private constructor(program: Program, port: number) {
    this.#program = program;
    this.#port = port;
  }

  /** Scrapes every second what is at `port`, under the job name of the rules. */
  static async start(target: number): Promise<Prometheus> {
    const folder = temporaryFolder('prometheus');
    const port = await freePort();
    const config = join(folder, 'prometheus.yml');
    writeFileSync(
      config,
      `global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: ['${join(monitoring, 'alerts.yml')}']
scrape_configs:
  - job_name: ringmq
    static_configs: [{ targets: ['127.0.0.1:${target}'] }]
`,
    );
    const program = new Program('prometheus', prometheusProgram('prometheus'), [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ]);
    const isReady = () => program.text.find((line) => line.includes('ready to receive web requests'));
    await program.waitFor('a Prometheus that is ready', isReady, START_MS);
    return new Prometheus(program, port);
  }

  async query(expression: string): Promise<readonly Sample[]> {
    const { data } = await this.#get(`query?query=${encodeURIComponent(expression)}`);
    return (data as { result: Sample[] }).result;
  }

  /** Of each rule its name and its health: `ok` when it could be evaluated. */
  async rules(): Promise<readonly { name: string; health: string; state: string }[]> {
    const { data } = await this.#get('rules');
    const { groups } = data as { groups: { rules: { name: string; health: string; state: string }[] }[] };
    return groups.flatMap(({ rules }) => rules);
  }

  async #get(path: string): Promise<{ data: unknown }> {
    const answer = await fetch(`http://127.0.0.1:${this.#port}/api/v1/${path}`);
    const body = (await answer.json()) as { status: string; error?: string; data: unknown };
    if (body.status !== 'success') throw new Error(`${path}: ${body.error}`);
    return body;
  }

  async stop(): Promise<void> {
    await this.#program.terminate();
  }
}
