/** Which machine an address or a name stands for, and the address behind a name. */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { UserError } from '../lib/user-error.ts';
import { addressBytes, plainAddress } from './addresses.ts';

/** Of a resolver that cannot tell yet, as that of a container that has just begun. */
const ATTEMPTS = 5;
const PAUSE_MS = 1000;

/** Whether it stands for all addresses of the machine: something to listen on, and nothing to connect to. */
export function isWildcard(host: string): boolean {
  return isIP(host) !== 0 && addressBytes(host).every((byte) => byte === 0);
}

/** Whether it leads to the machine on which it is used. */
export function isLoopback(host: string): boolean {
  if (isIP(host) === 0) return host.toLowerCase() === 'localhost';
  const bytes = addressBytes(host);
  if (bytes.length === 4) return bytes[0] === 127;
  return bytes.every((byte, i) => byte === (i === 15 ? 1 : 0));
}

/** An address under which other machines may reach this one: IPv4 before IPv6, as RocketMQ chooses. */
export function machineAddress(): string {
  const found = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, address }) => !internal && !/^fe80:/i.test(address));
  const best = found.find(({ family }) => family === 'IPv4') ?? found[0];
  return best?.address ?? '127.0.0.1';
}

/** A name that leads to no address. */
export class UnknownHost extends UserError {
  override name = 'UnknownHost';
}

export interface Resolver {
  lookup: (name: string) => Promise<readonly { address: string; family: number }[]>;
  pause: (ms: number) => Promise<unknown>;
}

const systemResolver: Resolver = { lookup: (name) => lookup(name, { all: true }), pause };

/**
 * The IP address of `host`, which may be a name: IPv4 before IPv6, as Java resolves it. Throws a UserError that names
 * the key for a name that nobody knows; a resolver that cannot tell at the moment is asked again a few times.
 */
export async function resolveHost(
  key: string,
  host: string,
  log: (line: string) => void,
  resolver: Resolver = systemResolver,
): Promise<string> {
  if (isIP(host) !== 0) return plainAddress(host);
  for (let attempt = 1; ; attempt++) {
    try {
      const found = await resolver.lookup(host);
      const best = found.find(({ family }) => family === 4) ?? found[0];
      if (best !== undefined) return best.address;
      throw Object.assign(new Error('no address'), { code: 'ENOTFOUND' });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'EAI_AGAIN' || attempt === ATTEMPTS) {
        throw new UnknownHost(
          `${key}=${host}: no address is known here for that name (${code}). ` +
            `Set ${key} to an IP address, or to a name that this machine can resolve.`,
        );
      }
      if (attempt === 1) log(`${key}=${host} cannot be resolved yet: trying for some seconds`);
      await resolver.pause(PAUSE_MS);
    }
  }
}
