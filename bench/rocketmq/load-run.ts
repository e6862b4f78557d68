/**
 * One run of a load process against one broker, with readings of the broker for the measured phase alone. A load
 * process says over IPC when each phase begins, waits for the answer, and prints one line of JSON at the end: the load
 * generator, and the bare loops.
 */
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { LoadResult } from '../load/recorder.ts';
import type { RunFolder } from './cleanup.ts';
import type { Disturbance, DisturbanceWatch } from './disturbance.ts';
import { type GeneratorResult, generatorFigures } from './figures.ts';
import type { LedgerCount, Round } from './outcome.ts';
import type { Memory } from './proc.ts';
import type { Target } from './target.ts';

/** Options of a load process by name; true is an option without a value, false and undefined are left out. */
export type LoadSettings = Readonly<Record<string, string | number | boolean | undefined>>;

export interface RunHooks {
  onMeasuring?(): void;
  onDraining?(): void;
}

export interface Place {
  /** Undefined for a bare loop. */
  target: Target | undefined;
  others: readonly Target[];
}

export const GENERATOR = fileURLToPath(new URL('../load/main.js', import.meta.url));

export function toArguments(settings: LoadSettings): string[] {
  return Object.entries(settings).flatMap(([name, value]) => {
    if (value === undefined || value === false) return [];
    return value === true ? [`--${name}`] : [`--${name}`, String(value)];
  });
}

/** Only a pass over everything proves that nothing is lost: a result without one must not look clean. */
export function ledgerOf({ lost, duplicates, foreign }: Partial<LoadResult>): LedgerCount | undefined {
  if (duplicates === undefined || foreign === undefined) return undefined;
  if (lost === undefined) throw new Error('no pass came to its end: whether messages were lost is not known');
  return { lost, duplicates, foreign };
}

export interface Readings {
  brokerCpuSeconds: number;
  proxyCpuSeconds?: number;
  slave?: { cpuSeconds: number; memory: Memory };
  memory: Memory | undefined;
  idleShare: number;
}

/** What is read of brokers before and after the measured phase. */
export class BrokerReadings {
  readonly #place: Place;
  readonly #cpu: number;
  readonly #proxyCpu: number;
  readonly #slaveCpu: number;
  readonly #idleCpu: number;
  readonly #at = performance.now();

  constructor(place: Place) {
    this.#place = place;
    this.#cpu = place.target?.cpuSeconds ?? 0;
    this.#proxyCpu = place.target?.proxyCpuSeconds ?? 0;
    this.#slaveCpu = place.target?.slaveCpuSeconds ?? 0;
    this.#idleCpu = this.#idleNow();
  }

  #idleNow(): number {
    return this.#place.others.reduce((sum, other) => sum + other.cpuSeconds, 0);
  }

  /** CPU since the construction of the broker, its slave and its proxy, their memory, and what the others used. */
  take(): Readings {
    const { target } = this.#place;
    const idle = this.#idleNow() - this.#idleCpu;
    const all = (target?.cpuSeconds ?? 0) - this.#cpu;
    const hasProxy = target?.proxyCpuSeconds !== undefined;
    const proxy = (target?.proxyCpuSeconds ?? 0) - this.#proxyCpu;
    const slaveMemory = target?.slaveMemory;
    const slave = (target?.slaveCpuSeconds ?? 0) - this.#slaveCpu;
    return {
      brokerCpuSeconds: all - proxy - slave,
      ...(hasProxy ? { proxyCpuSeconds: proxy } : {}),
      ...(slaveMemory === undefined ? {} : { slave: { cpuSeconds: slave, memory: slaveMemory } }),
      memory: target?.memory,
      idleShare: idle / ((performance.now() - this.#at) / 1000),
    };
  }
}

/** What a round needs of a result line; clients other than the generator say no more. */
export type RunResult = Pick<LoadResult, 'messages' | 'errors'> & GeneratorResult & Partial<LoadResult>;

/** CPU a message and memory of the contestant's processes. */
function processFigures(
  { brokerCpuSeconds, proxyCpuSeconds, slave, memory }: Readings,
  messages: number,
): Record<string, number> {
  const figures: Record<string, number> = {};
  if (memory === undefined) return figures;
  const cpu = { cpu: brokerCpuSeconds, slaveCpu: slave?.cpuSeconds, proxyCpu: proxyCpuSeconds };
  for (const [key, seconds] of Object.entries(cpu))
    if (seconds !== undefined && messages > 0) figures[key] = (seconds * 1e6) / messages;
  const { anonymousBytes, sharedBytes } = memory;
  Object.assign(figures, { anonymous: anonymousBytes, shared: sharedBytes });
  figures['memory'] = anonymousBytes + sharedBytes;
  if (slave !== undefined) figures['slaveMemory'] = slave.memory.anonymousBytes + slave.memory.sharedBytes;
  return figures;
}

/** A round from a result line and the readings. */
export function makeRound(result: RunResult, readings: Readings, disturbance: Disturbance): Round {
  const figures = { ...generatorFigures(result), ...processFigures(readings, result.messages) };
  const { idleShare } = readings;
  const ledger = ledgerOf(result);
  const round: Round = { figures, errors: result.errors, idleShare, disturbance, raw: result };
  return ledger === undefined ? round : { ...round, ledger };
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

  /** A measured run. One without a measured phase (a warm-up) has `seconds: 0` and its round is not for use. */
  async run(place: Place, settings: LoadSettings, hooks: RunHooks = {}, script = GENERATOR): Promise<Round> {
    let before = new BrokerReadings(place);
    let readings = before.take();
    let disturbance: Disturbance | undefined;
    const result = await this.generate(place, settings, script, async (phase) => {
      if (phase === 'measuring') {
        await this.#watch.begin();
        before = new BrokerReadings(place);
        hooks.onMeasuring?.();
      } else if (phase === 'draining') {
        readings = before.take();
        disturbance = await this.#watch.end();
        hooks.onDraining?.();
      }
    });
    if (place.target?.death !== undefined) throw new Error(place.target.death);
    if (disturbance === undefined) throw new Error('the load generator skipped its measured phase');
    return makeRound(result, readings, disturbance);
  }

  /** Runs a load process to its end, without readings. */
  generate(
    place: Place,
    settings: LoadSettings,
    script = GENERATOR,
    onPhase: (phase: string) => Promise<void> = async () => {},
  ): Promise<LoadResult> {
    const all = script === GENERATOR ? { run: ++this.#runs, ...settings } : settings;
    const port = place.target?.port;
    const args = [script, ...toArguments({ port, ...all })];
    const child = this.#folder.start({ command: process.execPath, args, ipc: true });
    return resultOf(child, onPhase);
  }
}

function resultOf(child: ChildProcess, onPhase: (phase: string) => Promise<void>): Promise<LoadResult> {
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
