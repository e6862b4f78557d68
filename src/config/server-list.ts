/** Lists of name servers, `host:port;host:port`, and what people write instead. */
import { isIP } from 'node:net';
import { parseAddress } from '../remoting/address.ts';

const DEFAULT_PORT = 9876;
const HOST_NAME = /^[\p{L}\p{N}_-][\p{L}\p{N}._-]*$/u;
const SCHEME = /^[a-z][\w+.-]*:\/\//i;

/** The `host:port` of a list. */
export function nameServerAddresses(list: string): string[] {
  return list
    .split(';')
    .map((address) => address.trim())
    .filter((address) => address !== '');
}

/** Whether every entry is an address that can be connected to. */
export function isServerList(list: string): boolean {
  return nameServerAddresses(list).every(isAddress);
}

/** The list as it was probably meant; undefined when nobody can tell. */
export function correctedList(list: string): string | undefined {
  const entries = list.split(/[;,\s]+/).filter((entry) => entry !== '');
  const corrected = entries.map(correctedAddress);
  if (corrected.length === 0 || corrected.includes(undefined)) return undefined;
  return corrected.join(';');
}

function correctedAddress(entry: string): string | undefined {
  const bare = entry.replace(SCHEME, '').replace(/\/.*$/, '').replace(/:$/, '');
  if (isAddress(bare)) return bare;
  const host = bare.replace(/^\[(.*)\]$/, '$1');
  const withPort = host.includes(':') ? `[${host}]:${DEFAULT_PORT}` : `${host}:${DEFAULT_PORT}`;
  return isAddress(withPort) ? withPort : undefined;
}

function isAddress(text: string): boolean {
  try {
    const { host, port } = parseAddress(text);
    return port > 0 && (isIP(host) !== 0 || HOST_NAME.test(host));
  } catch {
    return false;
  }
}
