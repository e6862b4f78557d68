/** `ringmq standalone`: name server and broker in one process. */
import { join } from 'node:path';
import { integer } from '../config/key.ts';
import { type BrokerFlags, isSameServer, type LoadedBroker, loadBroker } from '../config/load.ts';
import { BROKER_SHARE, connectionLimit, NAME_SERVER_SHARE } from '../lib/descriptors.ts';
import { UserError } from '../lib/user-error.ts';
import type { NameServer } from '../namesrv/name-server.ts';
import { isWildcard } from '../net/hosts.ts';
import { formatAddress } from '../remoting/address.ts';
import { storePaths } from '../store/paths.ts';
import type { EngineThreads } from '../threads/engine-threads.ts';
import {
  configuredNameServers,
  logWarnings,
  reachableAt,
  spawnThreads,
  startLoadedBroker,
} from './broker-start.ts';
import { listeningLine, logLines } from './listening.ts';
import { createLogger, type ServerLog } from './logger.ts';
import { printConfig } from './print-config.ts';
import { type Serving, serve } from './serve.ts';

const NAME_SERVER_PORT = '9876';

export interface StandaloneFlags extends BrokerFlags {
  namesrvPort?: string;
  printConfig?: boolean;
}

/** `watch` is given the broker's threads. */
export async function runStandalone(
  flags: StandaloneFlags,
  watch: (threads: EngineThreads) => void = () => {},
): Promise<void> {
  const port = integer(0, 65535).parse(flags.namesrvPort ?? NAME_SERVER_PORT);
  if (port === undefined) {
    throw new UserError(`--namesrv-port ${flags.namesrvPort} is not possible: allowed is 0 to 65535.`);
  }
  // NAMESRV_ADDR is for clients and lone brokers: this broker must not turn up at a name server that nobody named here.
  delete process.env['NAMESRV_ADDR'];
  const loaded = loadBroker(flags);
  if (flags.printConfig === true) return printConfig(loaded);
  const log = createLogger();
  await serve(log, () => {
    const threads = spawnThreads(loaded);
    watch(threads);
    return start(loaded, threads, port, log);
  });
}

async function start(
  loaded: LoadedBroker,
  threads: EngineThreads,
  port: number,
  log: ServerLog,
): Promise<Serving> {
  logWarnings(log, loaded.warnings);
  const { settings, store, listener, tls } = loaded.values;
  const { startNameServer } = await import('../namesrv/name-server.ts');
  const nameServer = await startNameServer({
    host: listener.bindAddress,
    port,
    kvConfigPath: join(storePaths.config(store.directory), 'kvConfig.json'),
    maxConnections: connectionLimit(NAME_SERVER_SHARE),
    tls,
    log,
    setLogLevel: (level) => log.setLevel(level),
    setAudit: (isOn) => log.setAudit(isOn),
  });
  try {
    const listening = formatAddress(nameServer.host, nameServer.port);
    logLines(log, [listeningLine('the name server', [listening])]);
    const own = reachableAt(loopbackOf(nameServer.host), nameServer.port, settings.brokerIP1);
    // The address, where a name was given: the Go client takes no names of name servers.
    const shown = reachableAt(nameServer.host, nameServer.port, settings.brokerIP1);
    const others = configuredNameServers(loaded).filter(
      (address) => !isSameServer(address, own) && !isSameServer(address, shown),
    );
    const broker = await startLoadedBroker(loaded, threads, log, [own, ...others], BROKER_SHARE);
    return {
      ready: `name server ${shown}, broker ${broker.address}, store ${store.directory}`,
      died: broker.died,
      lateMs: () => broker.lateMs,
      drainMs: listener.drainTimeMillis,
      close: () => closeBoth(broker.close(), nameServer),
    };
  } catch (error) {
    await nameServer.close();
    throw error;
  }
}

/** The broker's goodbye still reaches the name server. */
async function closeBoth(broker: Promise<boolean>, nameServer: NameServer): Promise<boolean> {
  try {
    return await broker;
  } finally {
    await nameServer.close();
  }
}

/** Where this process itself reaches a server of its own. */
function loopbackOf(bind: string): string {
  if (!isWildcard(bind)) return bind;
  return bind === '::' ? '::1' : '127.0.0.1';
}
