/** What a process says at its start about where it can be reached, by whom, and what clients are told. */
import type { ControlLog } from '../lib/log.ts';
import { isLoopback, isWildcard } from '../net/hosts.ts';
import { parseAddress } from '../remoting/address.ts';
import type { RunningBroker } from '../threads/config.ts';

export interface ListeningLine {
  level: 'info' | 'warn';
  fields: object;
  message: string;
}

const EVERYBODY = 'there is no access control: whoever reaches the port may do everything';

/** `addresses`: `ip:port` of each port, the main one first; a second one is that of old clients. */
export function listeningLine(who: string, addresses: readonly string[]): ListeningLine {
  const [main = '', vip] = addresses;
  const ip = hostOf(main);
  const all = isWildcard(ip);
  const also = vip === undefined ? '' : `, and on ${vip} for old clients (ringmq.vipChannel)`;
  const where = `${who} listens on ${main}${also}`;
  const reach = isLoopback(ip)
    ? 'only programs of this machine reach it'
    : all
      ? `that is all interfaces, and ${EVERYBODY}`
      : EVERYBODY;
  return { level: all ? 'warn' : 'info', fields: { listening: addresses }, message: `${where}: ${reach}` };
}

/**
 * The lines about a broker: where it listens, and a warning when other machines are led to themselves instead.
 * `nameServers`: `host:port` of those that clients may ask.
 */
export function brokerLines(
  broker: Pick<RunningBroker, 'address' | 'ip' | 'listening'>,
  nameServers: readonly string[],
): ListeningLine[] {
  const lines = [listeningLine('the broker', broker.listening)];
  const [main = ''] = broker.listening;
  const elsewhere = nameServers.find((address) => !isLoopback(hostOf(address)));
  if (isWildcard(hostOf(main)) && isLoopback(broker.ip) && elsewhere !== undefined) {
    const host = hostOf(broker.address);
    lines.push({
      level: 'warn',
      fields: { told: broker.address, nameServer: elsewhere },
      message:
        `clients are told ${broker.address}, which is ${host === broker.ip ? 'their own machine' : `${broker.ip} here`}: ` +
        `those that ask ${elsewhere} from other machines will not reach this broker. Set brokerIP1 to its address`,
    });
  }
  return lines;
}

export function logLines(log: ControlLog, lines: readonly ListeningLine[]): void {
  for (const { level, fields, message } of lines) log[level](fields, message);
}

function hostOf(address: string): string {
  return parseAddress(address).host;
}
