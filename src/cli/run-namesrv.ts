/** `ringmq namesrv`: a name server alone. */

import { loadNameServer, type NameServerFlags } from '../config/load-namesrv.ts';
import { formatAddress } from '../remoting/address.ts';
import { logWarnings } from './broker-start.ts';
import { listeningLine, logLines } from './listening.ts';
import { createLogger } from './logger.ts';
import { serve } from './serve.ts';

export async function runNameServer(flags: NameServerFlags & { printConfig?: boolean }): Promise<void> {
  const { options, properties, warnings } = loadNameServer(flags);
  if (flags.printConfig === true) {
    for (const warning of warnings) process.stderr.write(`${warning}\n`);
    process.stdout.write(properties);
    return;
  }
  const log = createLogger();
  await serve(log, async () => {
    logWarnings(log, warnings);
    const { startNameServer } = await import('../namesrv/name-server.ts');
    const nameServer = await startNameServer({
      ...options,
      log,
      setLogLevel: (level) => log.setLevel(level),
      setAudit: (isOn) => log.setAudit(isOn),
    });
    const listening = formatAddress(nameServer.host, nameServer.port);
    logLines(log, [listeningLine('the name server', [listening])]);
    return {
      ready: `name server ${listening}`,
      close: async () => {
        await nameServer.close();
        return true;
      },
    };
  });
}
