/** Peer addresses as records and people need them. */
import type { HostAddress } from '../record/message-id.ts';

const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/** A dual-stack socket shows IPv4 peers as ::ffff:a.b.c.d; they are IPv4 peers to everybody else. */
export function plainAddress(address: string): string {
  return MAPPED.exec(address)?.[1] ?? address;
}

/** Raw bytes of an IPv4 or IPv6 address. Throws on anything else. */
export function addressBytes(address: string): Uint8Array {
  const plain = plainAddress(address);
  if (!plain.includes(':')) return ipv4Bytes(plain);
  const [head = '', tail] = (plain.split('%')[0] as string).split('::');
  const front = groups(head);
  const back = tail === undefined ? [] : groups(tail);
  const zeros = tail === undefined ? [] : new Array<number>(16 - front.length - back.length).fill(0);
  const bytes = [...front, ...zeros, ...back];
  if (bytes.length !== 16) throw new RangeError(`${address} is no IP address`);
  return Uint8Array.from(bytes);
}

function ipv4Bytes(address: string): Uint8Array {
  const parts = address.split('.').map(Number);
  if (parts.length !== 4 || parts.some((part) => !(part >= 0 && part <= 255))) {
    throw new RangeError(`${address} is no IP address`);
  }
  return Uint8Array.from(parts);
}

function groups(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return [...ipv4Bytes(group)];
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}

export function hostAddress(address: string, port: number): HostAddress {
  return { address: addressBytes(address), port };
}

/** `ip:port`, an IPv6 address in brackets. */
export function formatHost(address: string, port: number): string {
  const plain = plainAddress(address);
  return plain.includes(':') ? `[${plain}]:${port}` : `${plain}:${port}`;
}

/** A record's host as `ip:port` or `[ip]:port`. */
export function hostText({ address, port }: HostAddress): string {
  if (address.length === 4) return formatHost(address.join('.'), port);
  const groups = Buffer.from(address).toString('hex').match(/.{4}/g) ?? [];
  return formatHost(groups.map((group) => group.replace(/^0{1,3}/, '')).join(':'), port);
}

/** `ip:port` or `[ip]:port` as a record's host. */
export function peerHost(remoteAddress: string): HostAddress {
  const colon = remoteAddress.lastIndexOf(':');
  const ip = remoteAddress.slice(0, colon).replace(/^\[|\]$/g, '');
  return hostAddress(ip, Number(remoteAddress.slice(colon + 1)));
}
