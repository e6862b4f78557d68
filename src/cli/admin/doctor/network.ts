/** Ports of this machine, and whether the addresses that brokers have registered lead anywhere from here. */
import { createServer, isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { RequestCode, ResponseCode } from '../../../protocol/codes.ts';
import { requestCommand } from '../../../protocol/command.ts';
import { parseAddress } from '../../../remoting/address.ts';
import { figuresIn } from '../cluster.ts';
import { isUnreachable, reasonOf } from '../failure.ts';
import { counted } from '../output.ts';
import type { BrokerAt, Servers } from '../servers.ts';
import { now } from '../times.ts';
import { bad, type Finding, fine, poor, unknown } from './finding.ts';

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
  for (const broker of brokers) found.push(...(await brokerFindings(servers, broker)));
  return found;
}

async function brokerFindings(servers: Servers, broker: BrokerAt): Promise<Finding[]> {
  const what = `broker ${broker.name}`;
  const nameServerHosts = servers.nameServers.map((address) => parseAddress(address).host);
  const { host } = parseAddress(broker.address);
  const client = servers.newClient(broker.address);
  const asked = { from: now(), to: 0 };
  let body: Uint8Array | undefined;
  try {
    const request = requestCommand(RequestCode.GET_BROKER_RUNTIME_INFO);
    ({ body } = await client.request(request, PROBE_TIMEOUT_MS));
    asked.to = now();
  } catch (error) {
    const where = `registered as ${broker.address}, where nothing answers from here (${reasonOf(error)})`;
    return [bad(what, where, addressRemedy(host, isUnreachable(error)))];
  } finally {
    client.close();
  }
  return [addressFinding(what, broker, nameServerHosts), clockFinding(broker.name, told(body), asked)];
}

/** Empty for an answer that is no table of figures. */
function told(body: Uint8Array | undefined): ReadonlyMap<string, string> {
  try {
    return figuresIn(body);
  } catch {
    return new Map();
  }
}

function addressFinding(what: string, broker: BrokerAt, nameServerHosts: readonly string[]): Finding {
  const { host } = parseAddress(broker.address);
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

const SPAN = /(\d+) days, (\d+) hours, (\d+) minutes, (\d+) seconds/;
const SECOND = 1000;
/** Clocks that are kept differ by less. */
const CLOCKS_AGREE_MS = 2 * SECOND;

/**
 * The broker's clock beside this one's, by what it tells: when it started, and for how many whole seconds it runs.
 * `asked`: this clock before the question and after the answer.
 */
export function clockFinding(
  name: string,
  figures: ReadonlyMap<string, string>,
  asked: { from: number; to: number },
): Finding {
  const what = `clock of ${name}`;
  const started = Number(figures.get('bootTimestamp'));
  const [, days, hours, minutes, seconds] = SPAN.exec(figures.get('runtime') ?? '') ?? [];
  if (days === undefined || !(started > 0)) return unknown(what, 'the broker does not tell it');
  const up = ((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds);
  const earliest = started + up * SECOND;
  // What the answer leaves open: the rest of its second, and when between the two moments it was given.
  const behind = asked.from - (earliest + SECOND);
  const ahead = earliest - asked.to;
  const off = Math.max(behind, ahead);
  if (off < CLOCKS_AGREE_MS) return fine(what, "agrees with this machine's to two seconds or so");
  const side = behind > ahead ? 'behind' : 'ahead of';
  return poor(
    what,
    `${(off / SECOND).toFixed(1)} s ${side} this machine's`,
    'Timed messages, resets by time and lag in time are off by as much: have both clocks kept (chrony, systemd-timesyncd).',
  );
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
