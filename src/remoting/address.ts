/** Addresses as RocketMQ writes them: `10.0.0.1:10911`, `[2001:db8::1]:10911`, `broker.example:10911`. */

export interface HostPort {
  host: string;
  port: number;
}

const mappedIPv4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/** `ip:port`. On dual-stack sockets IPv4 peers appear as `::ffff:a.b.c.d`; they are shortened to IPv4. */
export function formatAddress(ip: string, port: number): string {
  const host = mappedIPv4.exec(ip)?.[1] ?? ip;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether one can try to connect to it. */
export function isAddress(text: string): boolean {
  try {
    return parseAddress(text).port > 0;
  } catch {
    return false;
  }
}

/** Throws a RangeError for text that is not `host:port`. The last colon counts, so IPv6 may lack its brackets. */
export function parseAddress(address: string): HostPort {
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
  const portText = address.slice(colon + 1);
  const port = Number(portText);
  if (colon < 1 || host === '' || !/^\d+$/.test(portText) || port > 65535) {
    throw new RangeError(`not an address of the form host:port: ${address}`);
  }
  return { host, port };
}
