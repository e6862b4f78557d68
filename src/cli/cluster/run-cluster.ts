/** `ringmq cluster start`: the servers of a layout on this machine, each a process, until somebody stops them. */
import { resolve } from 'node:path';
import { systemClock } from '../../lib/clock.ts';
import { VERSION } from '../../lib/version.ts';
import { Failure } from '../admin/failure.ts';
import { print } from '../admin/output.ts';
import { ExitCode } from '../exit-codes.ts';
import { endText, ServerProcess } from '../server-process.ts';
import { firstSignal } from '../stop-signals.ts';
import { textOf, writeFiles } from './files.ts';
import { basePortFrom, type ClusterPlan, clusterPlan, layoutNamed, type PlannedServer } from './layouts.ts';
import { checkPorts } from './ports.ts';

export interface ClusterFlags {
  layout?: string;
  dir?: string;
  basePort?: string;
  print?: boolean;
}

/** Slaves that have not said that they follow are not waited for longer. */
const FOLLOWS_MS = 10_000;
const FOLLOWS = 'this slave follows its master';
/** With these levels of the log a slave does not say it. */
const QUIET: ReadonlySet<string> = new Set(['warn', 'error', 'fatal', 'silent']);
const OWN = 'cluster';

export async function startCluster(flags: ClusterFlags): Promise<void> {
  const layout = layoutNamed(flags.layout);
  const directory = resolve(flags.dir ?? `ringmq-${layout}`);
  const plan = clusterPlan(layout, directory, basePortFrom(flags.basePort));
  if (flags.print === true) {
    writeFiles(plan);
    await print(plan.servers.map((server) => `# ${server.file}\n${textOf(plan, server)}`).join('\n'));
    return;
  }
  await checkPorts(plan);
  writeFiles(plan);
  await new Cluster(plan).run();
}

/** A server of the plan, and the process that it is. */
interface Member {
  readonly server: PlannedServer;
  readonly process: ServerProcess;
}

class Cluster {
  readonly #plan: ClusterPlan;
  readonly #env = environment();
  readonly #width: number;
  readonly #running: Member[] = [];
  #isStopping = false;
  /** Of what still ran when somebody asked for the end: to kill a server before that is what people try here. */
  #isClean = true;

  constructor(plan: ClusterPlan) {
    this.#plan = plan;
    this.#width = Math.max(OWN.length, ...plan.servers.map(({ name }) => name.length));
  }

  async run(): Promise<never> {
    // A cluster does not end with the reader of its output.
    for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
    const signalled = firstSignal(process, systemClock.monotonic, (signal) => {
      this.#say(
        OWN,
        `${signal} again: every server is ended at once, and checks its store at the next start`,
      );
      for (const one of this.#running) one.process.signal('SIGKILL');
      process.exit(ExitCode.FAILED);
    });
    const started = this.#start().catch(async (error: Error) => {
      await this.#stop();
      throw error;
    });
    const early = await Promise.race([signalled, started]);
    if (early === undefined)
      process.stdout.write(`RingMQ ready: ${readyText(this.#plan)}, version ${VERSION}\n`);
    const signal = await Promise.race([signalled, this.#allEnded()]);
    if (signal !== undefined)
      this.#say(OWN, `${signal}: stopping masters, slaves and the name server, in this order`);
    else this.#say(OWN, 'no server is left');
    await this.#stop();
    process.exit(signal !== undefined && this.#isClean ? ExitCode.DONE : ExitCode.FAILED);
  }

  /** The name server first, as brokers register with it; masters before the slaves that look for them there. */
  async #start(): Promise<undefined> {
    for (const kind of ['name server', 'master', 'slave'] as const) {
      const group = this.#launch(kind);
      const follow = group.map((one) => one.process.says(FOLLOWS));
      await Promise.all(group.map((one) => this.#ready(one)));
      if (kind === 'slave')
        await Promise.all(group.map((one, i) => this.#follows(one, follow[i] as Promise<void>)));
    }
    return undefined;
  }

  #launch(kind: PlannedServer['kind']): Member[] {
    if (this.#isStopping) return [];
    const planned = this.#plan.servers.filter((server) => server.kind === kind);
    return planned.map((server) => {
      const args = [server.kind === 'name server' ? 'namesrv' : 'broker', '-c', server.file];
      const one = {
        server,
        process: new ServerProcess(args, this.#env, (line) => this.#say(server.name, line)),
      };
      this.#running.push(one);
      const { pid, ended } = one.process;
      if (pid !== undefined) this.#say(OWN, `${server.name} is process ${pid}`);
      void ended.then(() => this.#ended(one));
      return one;
    });
  }

  async #ready(one: Member): Promise<void> {
    try {
      await one.process.ready;
    } catch (error) {
      throw new Failure(
        `${one.server.name} ${(error as Error).message} before it served; what it said stands above.`,
      );
    }
  }

  async #follows({ server, process: { ended } }: Member, follows: Promise<void>): Promise<void> {
    if (QUIET.has((this.#env['RINGMQ_LOG_LEVEL'] ?? '').toLowerCase())) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<string>((done) => {
      timer = setTimeout(() => done('late'), FOLLOWS_MS);
    });
    const first = await Promise.race([follows, ended.then(() => undefined), late]);
    clearTimeout(timer);
    if (first === 'late') this.#say(OWN, `${server.name} has not said yet that it follows its master`);
  }

  #ended({ server, process: { end, pid } }: Member): void {
    if (end === undefined) return;
    const asAsked = this.#isStopping && end.code === ExitCode.DONE;
    if (asAsked) return;
    if (this.#isStopping) this.#isClean = false;
    const others = this.#isStopping ? '' : '; the others go on';
    this.#say(OWN, `${server.name} (${server.kind}, process ${pid}) ${endText(end)}${others}`);
  }

  async #allEnded(): Promise<undefined> {
    // More are started meanwhile: those count that run when the start is over.
    for (let i = 0; i < this.#running.length; i++) await this.#running[i]?.process.ended;
    return undefined;
  }

  /** Masters first: they end when their slaves have everything. The name server hears the brokers' goodbye. */
  async #stop(): Promise<void> {
    this.#isStopping = true;
    for (const kind of ['master', 'slave', 'name server'] as const) {
      const group = this.#running.filter(({ server }) => server.kind === kind);
      await Promise.all(group.map((one) => one.process.stop()));
    }
  }

  #say(name: string, line: string): void {
    process.stderr.write(`${name.padEnd(this.#width)} | ${line}\n`);
  }
}

/** What servers get of the environment: they have no service manager, and no name server but that of the layout. */
function environment(): NodeJS.ProcessEnv {
  const {
    NOTIFY_SOCKET: _,
    WATCHDOG_USEC: __,
    NAMESRV_ADDR: ___,
    RINGMQ_LOG_FILE: ____,
    ...env
  } = process.env;
  const form = process.stderr.isTTY ? { RINGMQ_LOG_FORMAT: 'text' } : {};
  return { ...form, ...env };
}

function readyText({ layout, directory, servers }: ClusterPlan): string {
  const listed = servers.map(({ name, kind, address }) =>
    kind === 'name server' ? `name server ${address}` : `${name} ${address}`,
  );
  return `cluster ${layout}, ${listed.join(', ')}, files ${directory}`;
}
