/** Starting a broker from its loaded configuration. */

import type { BrokerProperties } from '../broker/context.ts';
import type { ListenerOptions } from '../config/key.ts';
import { LiveProperties } from '../config/live-properties.ts';
import type { LoadedBroker } from '../config/load.ts';
import { metricsOptions } from '../config/metrics-keys.ts';
import { nameServerAddresses } from '../config/server-list.ts';
import { connectionLimit } from '../lib/descriptors.ts';
import type { ControlLog } from '../lib/log.ts';
import { isWildcard } from '../net/hosts.ts';
import { formatAddress } from '../remoting/address.ts';
import type { BrokerConfig, RunningBroker } from '../threads/config.ts';
import { type EngineThreads, spawnEngineThreads } from '../threads/engine-threads.ts';
import { brokerLines, logLines } from './listening.ts';
import type { ServerLog } from './logger.ts';
import { logPromises } from './promises.ts';

/** To be called first: threads come up while this one loads the broker's code. */
export function spawnThreads(loaded: LoadedBroker): EngineThreads {
  return spawnEngineThreads(loaded.values.listener);
}

export async function startLoadedBroker(
  loaded: LoadedBroker,
  threads: EngineThreads,
  log: ServerLog,
  nameServers: string[],
  descriptorShare = 1,
): Promise<RunningBroker> {
  const { startBroker } = await import('../threads/broker.ts');
  const config = brokerConfig(loaded, log, nameServers, descriptorShare);
  const { listener } = loaded.values;
  followLog(log, config.properties, listener);
  const broker = await startBroker(config, threads);
  logLines(log, brokerLines(broker, nameServers));
  logPromises(log, config);
  return broker;
}

/** Who has changed what the log tells is told as before the change, which holds from the next turn on. */
function followLog(log: ServerLog, { changed }: BrokerProperties, listener: ListenerOptions): void {
  let { logLevel, auditLog } = listener;
  if (logLevel !== '') log.setLevel(logLevel);
  if (!auditLog) log.setAudit(false);
  changed.add(() => {
    const before = { logLevel, auditLog };
    ({ logLevel, auditLog } = listener);
    // A name server in this process has settings of its own: the one that was changed last counts.
    setImmediate(() => {
      if (logLevel !== before.logLevel) log.setLevel(logLevel);
      if (auditLog !== before.auditLog) log.setAudit(auditLog);
    });
  });
}

/** `descriptorShare`: the broker's part of the descriptors for connections, when it has the process not for itself. */
export function brokerConfig(
  loaded: LoadedBroker,
  log: ControlLog,
  nameServers: string[],
  descriptorShare = 1,
): BrokerConfig {
  const { settings, store, listener, replication, tls } = loaded.values;
  const { bindAddress, networkThreads, engineLayout, busyPollMicros, drainTimeMillis, slowOperationMillis } =
    listener;
  return {
    settings,
    store,
    replication,
    takesSlaves: replication.brokerRole !== 'SLAVE',
    bindAddress,
    vipChannel: listener.vipChannel && settings.listenPort > 2,
    networkThreads,
    engineLayout,
    busyPollMicros,
    slowMillis: slowOperationMillis,
    drainTimeMillis,
    nameServers,
    serverChannelMaxIdleTimeSeconds: listener.serverChannelMaxIdleTimeSeconds,
    maxConnections: connectionLimit(descriptorShare),
    tls,
    metrics: metricsOptions(listener),
    properties: new LiveProperties(loaded.values, loaded.file),
    log,
  };
}

export function configuredNameServers(loaded: LoadedBroker): string[] {
  return nameServerAddresses(loaded.values.listener.namesrvAddr);
}

export function logWarnings(log: ServerLog, warnings: readonly string[]): void {
  for (const warning of warnings) log.warn({}, warning);
}

/** Where a person reaches what listens at `bind`; `advertised` stands for all addresses of the machine. */
export function reachableAt(bind: string, port: number, advertised: string): string {
  return formatAddress(isWildcard(bind) ? advertised : bind, port);
}
