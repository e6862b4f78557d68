/** The ports of a broker, bound before its threads are there: who connects meanwhile waits in the backlog. */
import { formatHost } from '../net/addresses.ts';
import { type BoundPort, bindPort } from '../net/bind.ts';
import type { BrokerConfig } from './config.ts';

export interface BoundPorts {
  port: number;
  /** `ip:port` of each descriptor. */
  addresses: string[];
  descriptors: number[];
  /** For slaves; undefined = none are let in. */
  slaves: BoundPort | undefined;
  /** Others have them, and close them. */
  areTaken: boolean;
}

/** The main port, and the one of old clients. Throws a UserError when one is not to be had. */
export async function bindPorts(config: BrokerConfig, ip: string): Promise<BoundPorts> {
  const { settings, vipChannel, takesSlaves, replication } = config;
  const main = await bindPort(ip, settings.listenPort);
  const bound = [main];
  if (vipChannel) bound.push(await bindPort(ip, main.port - 2));
  const addresses = bound.map(({ port }) => formatHost(ip, port));
  const slaves = takesSlaves ? await bindPort(ip, replication.haListenPort) : undefined;
  return {
    port: main.port,
    addresses,
    descriptors: bound.map(({ descriptor }) => descriptor),
    slaves,
    areTaken: false,
  };
}

/** All listening descriptors that nobody has taken over. */
export function openPorts(ports: BoundPorts | undefined): number[] {
  if (ports === undefined || ports.areTaken) return [];
  return ports.slaves === undefined ? ports.descriptors : [...ports.descriptors, ports.slaves.descriptor];
}
