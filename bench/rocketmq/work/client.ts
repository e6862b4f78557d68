/**
 * Sending with a stock client, Java or Go: 64 threads or goroutines, each waiting for its answer. The client stays
 * alive from round to round, so that it is as warm as the broker.
 */
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { LatencySummary } from '../../load/recorder.ts';
import { clientProgram, type Language, requireTools } from '../clients/build.ts';
import { BrokerReadings, makeRound } from '../load-run.ts';
import type { Round } from '../outcome.ts';
import { cpuSeconds } from '../proc.ts';
import { bringUp, place, ROUND_OVERHEAD_SECONDS, startSeconds, TOPIC } from './broker.ts';
import type { Stage, Work, WorkPlan } from './work.ts';

interface ClientResult extends LatencySummary {
  messages: number;
  seconds: number;
  rate: number;
  errors: number;
  firstError: string;
}

/** A client process that takes a line for each run and answers in lines. */
class Client {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  #complaint = '';

  constructor(child: ChildProcess) {
    this.#child = child;
    if (child.stdout === null) throw new Error('no pipes');
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    child.stderr?.on('data', (text) => (this.#complaint = `${this.#complaint}${text}`.slice(-1500)));
    child.stdin?.on('error', () => {});
    child.once('error', (error) => (this.#complaint += error.message));
  }

  get cpuSeconds(): number {
    return cpuSeconds(this.#child.pid as number);
  }

  /** The next line that `wanted` accepts; clients print other things too. */
  async line(wanted: (line: string) => boolean): Promise<string> {
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done === true) throw new Error(`the client ended: ${this.#complaint.trim()}`);
      if (wanted(value)) return value;
    }
  }

  async run(runIn: number, measured: number, onMeasuring: () => Promise<void>): Promise<ClientResult> {
    this.#child.stdin?.write(`${runIn} ${measured}\n`);
    await this.line((line) => line === 'measuring');
    await onMeasuring();
    return JSON.parse(await this.line((line) => line.startsWith('{"'))) as ClientResult;
  }

  end(): void {
    this.#child.kill('SIGKILL');
  }
}

class ClientWork implements Work {
  readonly #stage: Stage;
  readonly #language: Language;
  readonly #lanes: number;
  #client: Client | undefined;

  constructor(stage: Stage, language: Language, lanes: number) {
    this.#stage = stage;
    this.#language = language;
    this.#lanes = lanes;
  }

  async prepare(): Promise<void> {
    const { bench, contestant, home } = this.#stage;
    const { command, args } = await clientProgram(this.#language, bench.folder, bench.cache);
    const target = await bringUp(this.#stage);
    const own = [`127.0.0.1:${target.nameServerPort}`, TOPIC, String(this.#lanes), '1024'];
    const env = { ...process.env, HOME: home, ROCKETMQ_GO_LOG_LEVEL: 'error' };
    const child = bench.folder.start({ command, args: [...args, ...own], env, stdin: true });
    this.#client = new Client(child);
    await this.#client.line((line) => line === 'ready');
    bench.say(`${contestant.title} and its client warm up`);
    await this.#client.run(bench.timing.warmupSeconds, 0.1, async () => {});
  }

  async round(): Promise<Round> {
    const { bench } = this.#stage;
    const client = this.#client;
    if (client === undefined) throw new Error('no client');
    const { runInSeconds, measuredSeconds } = bench.timing;
    let broker: BrokerReadings | undefined;
    let clientCpu = 0;
    const result = await client.run(runInSeconds, measuredSeconds, async () => {
      await bench.watch.begin();
      broker = new BrokerReadings(place(this.#stage));
      clientCpu = client.cpuSeconds;
    });
    if (broker === undefined) throw new Error('nothing was measured');
    const readings = broker.take();
    const cpuMicrosPerMessage = ((client.cpuSeconds - clientCpu) * 1e6) / Math.max(1, result.messages);
    if (result.errors > 0) bench.say(`the client's first error: ${result.firstError}`);
    return makeRound({ ...result, cpuMicrosPerMessage }, readings, await bench.watch.end());
  }

  async end(): Promise<void> {
    this.#client?.end();
  }
}

export function clientWork(language: Language, lanes: number): WorkPlan {
  return {
    require: () => requireTools(language),
    othersStayAwake: true,
    begin: (stage) => new ClientWork(stage, language, lanes),
    estimateSeconds: (contestant, timing) => ({
      prepare: startSeconds(contestant) + timing.warmupSeconds + 3,
      round: timing.runInSeconds + timing.measuredSeconds + ROUND_OVERHEAD_SECONDS,
    }),
  };
}
