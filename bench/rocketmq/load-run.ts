/** One run of the load generator against one broker, with readings of the broker for the measured phase alone. */
import { fileURLToPath } from 'node:url';
import type { LoadResult } from '../load/recorder.ts';
import type { RunFolder } from './cleanup.ts';
import type { Disturbance, DisturbanceWatch } from './disturbance.ts';
import type { Memory } from './proc.ts';
import type { Scenario } from './scenarios.ts';
import type { Target } from './target.ts';

export const TOPIC = 'ringmq_bench';
export const QUEUES = 4;

export interface LoadTimes {
  warmupSeconds: number;
  warmupMessages: number;
  seconds: number;
}

export interface Round {
  result: LoadResult;
  /** CPU time of the broker process in the measured phase, per message. */
  brokerCpuMicrosPerMessage: number;
  /** At the end of the measured phase. */
  memory: Memory;
  /** CPU that the other, idle broker used meanwhile, as a share of one processor. */
  idleShare: number;
  disturbance: Disturbance;
}

function generatorArguments(target: Target, scenario: Scenario, run: number, times: LoadTimes): string[] {
  const script = fileURLToPath(new URL('../load/main.js', import.meta.url));
  const values: Record<string, string | number> = {
    port: target.port,
    connections: scenario.connections,
    'in-flight': scenario.inFlight,
    body: scenario.bodyBytes,
    rate: scenario.rate,
    topic: TOPIC,
    topics: scenario.topics,
    queues: QUEUES,
    run,
    warmup: times.warmupSeconds,
    'warmup-messages': times.warmupMessages,
    seconds: times.seconds,
  };
  return [script, ...Object.entries(values).flatMap(([name, value]) => [`--${name}`, String(value)])];
}

interface Readings {
  targetCpu: number;
  idleCpu: number;
  at: number;
}

export class LoadRun {
  readonly #folder: RunFolder;
  readonly #watch: DisturbanceWatch;
  /** Every run has its own number in the unique keys. */
  #runs = 0;

  constructor(folder: RunFolder, watch: DisturbanceWatch) {
    this.#folder = folder;
    this.#watch = watch;
  }

  async run(target: Target, idle: Target | undefined, scenario: Scenario, times: LoadTimes): Promise<Round> {
    const read = (): Readings => ({
      targetCpu: target.cpuSeconds,
      idleCpu: idle?.cpuSeconds ?? 0,
      at: performance.now(),
    });
    let from = read();
    let to = from;
    let memory = target.memory;
    let disturbance: Disturbance | undefined;
    const result = await this.#generate(
      generatorArguments(target, scenario, ++this.#runs, times),
      async (phase) => {
        if (phase === 'measuring') {
          await this.#watch.begin();
          from = read();
        } else if (phase === 'draining') {
          to = read();
          memory = target.memory;
          disturbance = await this.#watch.end();
        }
      },
    );
    if (target.death !== undefined) throw new Error(target.death);
    if (disturbance === undefined) throw new Error('the load generator skipped its measured phase');
    const brokerMicros = (to.targetCpu - from.targetCpu) * 1e6;
    return {
      result,
      brokerCpuMicrosPerMessage: result.messages > 0 ? brokerMicros / result.messages : 0,
      memory,
      idleShare: (to.idleCpu - from.idleCpu) / ((to.at - from.at) / 1000),
      disturbance,
    };
  }

  #generate(args: string[], onPhase: (phase: string) => Promise<void>): Promise<LoadResult> {
    const child = this.#folder.start({ command: process.execPath, args, ipc: true });
    let output = '';
    let complaint = '';
    child.stdout?.on('data', (text) => (output += text));
    child.stderr?.on('data', (text) => (complaint += text));
    return new Promise((resolve, reject) => {
      child.on('message', (message) => {
        onPhase((message as { phase: string }).phase).then(
          () => child.connected && child.send('go'),
          (error) => {
            child.kill('SIGKILL');
            reject(error);
          },
        );
      });
      child.once('error', reject);
      child.once('close', (code) => {
        if (code === 0) resolve(JSON.parse(output) as LoadResult);
        else reject(new Error(complaint.trim() || `the load generator ended with code ${code}`));
      });
    });
  }
}
