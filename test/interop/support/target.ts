// INTEROP_TARGET chooses whom the same tests question: our broker (ringmq, the default) or the real one (rocketmq).

import { startRealBroker, startRealNameServer } from './real-rocketmq.ts';
import { startRingBroker, startRingNameServer, startRingStandalone } from './ringmq.ts';
import type { Broker, BrokerOptions, Conf, NameServer } from './servers.ts';

export const target = chosen();

/** What clients need of a cluster. */
export interface Reachable {
  readonly nameServer: { readonly address: string };
}

export interface Cluster {
  readonly nameServer: NameServer;
  readonly broker: Broker;
  stop(): Promise<void>;
}

export async function startCluster(options: BrokerOptions = {}): Promise<Cluster> {
  if (target === 'ringmq') {
    const { nameServer, broker } = await startRingStandalone(options);
    return { nameServer, broker, stop: () => broker.stop() };
  }
  const nameServer = await startRealNameServer(options.tls);
  const broker = await startRealBroker(nameServer.address, options);
  // It takes more than 10 s to stop cleanly, and this one is not under test.
  return { nameServer, broker, stop: () => broker.kill() };
}

/** The target's name server as a process of its own, for tests in which the broker comes and goes. */
export function startNameServer(tls?: Conf): Promise<NameServer> {
  return target === 'ringmq' ? startRingNameServer(tls) : startRealNameServer(tls);
}

export function startBroker(nameServer: NameServer, options: BrokerOptions = {}): Promise<Broker> {
  return target === 'ringmq'
    ? startRingBroker(nameServer.address, options)
    : startRealBroker(nameServer.address, options);
}

function chosen(): 'ringmq' | 'rocketmq' {
  const value = process.env['INTEROP_TARGET'] ?? 'ringmq';
  if (value !== 'ringmq' && value !== 'rocketmq')
    throw new Error(`INTEROP_TARGET is ${value}, not ringmq or rocketmq`);
  return value;
}
