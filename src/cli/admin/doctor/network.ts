/** Ports of this machine, and whether the addresses that brokers have registered lead anywhere from here. */
import { createServer, isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { RequestCode, ResponseCode } from '../../../protocol/codes.ts';
import { requestCommand } from '../../../protocol/command.ts';
import { parseAddress } from '../../../remoting/address.ts';
import { isUnreachable, reasonOf } from '../failure.ts';
import { counted } from '../output.ts';
import type { BrokerAt, Servers } from '../servers.ts';
import { bad, type Finding, fine, poor } from './finding.ts';

const PROBE_TIMEOUT_MS = 3000;

/** Free, or taken by a server that speaks the protocol. */
export async function portFinding(servers: Servers, what: string, port: number): Promise<Finding> {
  const taken = await whyTaken(port);
  if (taken === undefined) return fine(what, `port ${port} is free`);
  if (taken === 'EACCES')
    return bad(
      what,
      `port ${port} may not be used by this user`,
      'Choose a port above 1023 (--port, --namesrv-port).',
    );
  if (await speaks(servers, `127.0.0.1:${port}`))
    return fine(what, `port ${port} is served by a RocketMQ-compatible server`);
  return bad(
    what,
    `port ${port} is in use by another program`,
    `Stop that program (ss -ltnp 'sport = :${port}' names it), or choose another port (--port, --namesrv-port).`,
  );
}

function whyTaken(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'unknown'));
    server.listen(port, '0.0.0.0', () => server.close(() => resolve(undefined)));
  });
}

async function speaks(servers: Servers, address: string): Promise<boolean> {
  try {
    await servers.ask(address, {
      code: RequestCode.GET_BROKER_RUNTIME_INFO,
      to: 'say that it serves',
      accept: [ResponseCode.REQUEST_CODE_NOT_SUPPORTED],
      timeoutMs: PROBE_TIMEOUT_MS,
    });
    return true;
  } catch {
    return false;
  }
}

/** Name servers first: without them nothing is known of brokers. */
export async function clusterFindings(servers: Servers): Promise<Finding[]> {
  let brokers: BrokerAt[];
  try {
    brokers = await servers.brokers();
  } catch (error) {
    return [
      poor(
        'name server',
        error instanceof Error ? error.message : String(error),
        'As long as none answers, clients that ask it find no broker.',
      ),
    ];
  }
  const found = [
    fine(
      'name server',
      `${servers.nameServers.join(', ')} answers, with ${counted(brokers.length, 'broker')}`,
    ),
  ];
  for (const broker of brokers) found.push(await brokerFinding(servers, broker));
  return found;
}

async function brokerFinding(servers: Servers, broker: BrokerAt): Promise<Finding> {
  const what = `broker ${broker.name}`;
  const nameServerHosts = servers.nameServers.map((address) => parseAddress(address).host);
  const { host } = parseAddress(broker.address);
  const client = servers.newClient(broker.address);
  try {
    await client.request(requestCommand(RequestCode.GET_BROKER_RUNTIME_INFO), PROBE_TIMEOUT_MS);
  } catch (error) {
    return bad(
      what,
      `registered as ${broker.address}, where nothing answers from here (${reasonOf(error)})`,
      addressRemedy(host, isUnreachable(error)),
    );
  } finally {
    client.close();
  }
  if (isLoopback(host) && !nameServerHosts.every(isLoopback))
    return poor(
      what,
      `registered as ${broker.address}, which is this machine for every client`,
      'Clients on other machines dial themselves: set brokerIP1 to an address of the broker that they reach.',
    );
  if (isLoopback(host))
    return fine(
      what,
      `${broker.address} answers; only clients on this machine reach it (brokerIP1, bindAddress)`,
    );
  return fine(what, `${broker.address} answers`);
}

/** Why clients cannot get there. */
export function addressRemedy(host: string, noConnection: boolean, own = ownAddresses()): string {
  if (own.includes(host) || isLoopback(host))
    return 'It is an address of this machine, so the broker has ended or hangs: look at its log.';
  if (isContainerAddress(host))
    return `${host} looks like the address of a container, which nothing outside its host's network reaches: set brokerIP1 to the address of the host, and publish the port under the same number.`;
  if (!noConnection)
    return 'Something is there and does not answer: look at its log, and whether it wants TLS (--tls).';
  return 'Clients are told this address: set brokerIP1 to one that they reach, and open its port in firewalls.';
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host);
}

/** Ranges that Docker, Podman and Kubernetes networks take by default. */
export function isContainerAddress(host: string): boolean {
  if (isIP(host) !== 4) return false;
  const [a = 0, b = 0] = host.split('.').map(Number);
  return (a === 172 && b >= 17 && b <= 31) || (a === 10 && (b === 88 || b === 244 || b === 42));
}

function ownAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address));
}
