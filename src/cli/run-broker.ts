/** `ringmq broker`: a broker that registers with name servers elsewhere. */

import { type BrokerFlags, loadBroker } from '../config/load.ts';
import { configuredNameServers, logWarnings, spawnThreads, startLoadedBroker } from './broker-start.ts';
import { createLogger } from './logger.ts';
import { printConfig } from './print-config.ts';
import { serve } from './serve.ts';

export async function runBroker(flags: BrokerFlags & { printConfig?: boolean }): Promise<void> {
  const loaded = loadBroker(flags);
  if (flags.printConfig === true) return printConfig(loaded);
  const log = createLogger();
  await serve(log, async () => {
    const threads = spawnThreads(loaded);
    logWarnings(log, loaded.warnings);
    const nameServers = configuredNameServers(loaded);
    if (nameServers.length === 0) {
      log.warn({}, 'no name server is configured (-n, namesrvAddr): clients will not find this broker');
    }
    const broker = await startLoadedBroker(loaded, threads, log, nameServers);
    return {
      ready: `broker ${broker.address}, store ${loaded.values.store.directory}`,
      died: broker.died,
      lateMs: () => broker.lateMs,
      drainMs: loaded.values.listener.drainTimeMillis,
      close: () => broker.close(),
    };
  });
}
