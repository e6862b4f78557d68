/** A live name server, a live broker that is registered with it, and a good client that uses both. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GoodClient } from './good-client.ts';
import { ServerProcess } from './processes.ts';
import { Talk } from './talk.ts';

const REGISTERED_MS = 20_000;

export class Arena {
  readonly broker: ServerProcess;
  readonly nameServer: ServerProcess;
  readonly goodClient: GoodClient;
  readonly #directory: string;

  private constructor(directory: string, nameServer: ServerProcess, broker: ServerProcess) {
    this.#directory = directory;
    this.nameServer = nameServer;
    this.broker = broker;
    const pids = [broker.child.pid, nameServer.child.pid, process.pid].filter((pid) => pid !== undefined);
    this.goodClient = new GoodClient({ broker: broker.address, nameServer: nameServer.address, pids });
  }

  /** Everything on free ports and in a temporary folder. */
  static async start(): Promise<Arena> {
    const directory = mkdtempSync(join(tmpdir(), 'ringmq-hostile-'));
    const kvConfig = join(directory, 'kvConfig.json');
    writeFileSync(join(directory, 'namesrv.conf'), `kvConfigPath=${kvConfig}\n`);
    const settings = [
      'brokerName=arena',
      'mappedFileSizeCommitLog=67108864',
      'maxHashSlotNum=50000',
      'maxIndexNum=200000',
    ];
    writeFileSync(join(directory, 'broker.conf'), settings.join('\n'));
    const namesrv = ['--port', '0', '-c', join(directory, 'namesrv.conf')];
    const nameServer = await ServerProcess.start('namesrv', namesrv);
    const store = join(directory, 'store');
    const args = [
      '--port',
      '0',
      '-n',
      nameServer.address,
      '-c',
      join(directory, 'broker.conf'),
      '--store',
      store,
    ];
    const broker = await ServerProcess.start('broker', args);
    await registered(nameServer.address);
    return new Arena(directory, nameServer, broker);
  }

  /** Throws when one of the two has ended. */
  check(): void {
    this.broker.check();
    this.nameServer.check();
  }

  /** The exit codes of broker and name server, both of which end as an operator would have it. */
  async stop(): Promise<(number | string)[]> {
    await this.goodClient.stop();
    const ends = [await this.broker.stop(), await this.nameServer.stop()];
    rmSync(this.#directory, { recursive: true, force: true });
    return ends;
  }
}

async function registered(nameServer: string): Promise<void> {
  const talk = await Talk.open(nameServer);
  const end = performance.now() + REGISTERED_MS;
  for (;;) {
    const answer = await talk.ask({ code: 106 }, REGISTERED_MS);
    if (answer?.body.includes('arena')) break;
    if (performance.now() > end) throw new Error('the broker does not register');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  talk.destroy();
}
