/** The ports of a broker, bound before its threads are there: who connects meanwhile waits in the backlog. */
import { formatHost } from '../net/addresses.ts';
import { bindPort } from '../net/bind.ts';
import type { BrokerConfig } from './config.ts';

export interface BoundPorts {
  port: number;
  /** `ip:port` of each descriptor. */
  addresses: string[];
  descriptors: number[];
}

/** The main port, and the one of old clients. Throws a UserError when one is not to be had. */
export async function bindPorts({ settings, vipChannel }: BrokerConfig, ip: string): Promise<BoundPorts> {
  const main = await bindPort(ip, settings.listenPort);
  const bound = [main];
  if (vipChannel) bound.push(await bindPort(ip, main.port - 2));
  const addresses = bound.map(({ port }) => formatHost(ip, port));
  return { port: main.port, addresses, descriptors: bound.map(({ descriptor }) => descriptor) };
}
