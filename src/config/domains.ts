/** What the texts of a configuration may be, beyond numbers and switches. */
import { isIP } from 'node:net';
import { parseDelayLevels } from '../store/dispatch/schedule-time.ts';
import { type Domain, type Explain, text } from './key.ts';
import { expandPath, pathProblem } from './path-text.ts';
import { correctedList, isServerList } from './server-list.ts';

const HOST_NAME = /^[\p{L}\p{N}_-][\p{L}\p{N}._-]*$/u;
/** `127.1` and `010.0.0.1` are addresses to some resolvers, and not to all the same one. */
const NUMBERS = /^[\d.]+$/;

export const name = text('a name', (given) => given !== '' && !/[\s#]/.test(given));

/** An address without port or a name; an IPv6 address may have its brackets. */
export const host: Domain<string> = {
  allowed: 'an IP address or a host name, without port',
  parse: (given) => {
    const bare = given.replace(/^\[(.*)\]$/, '$1');
    return isIP(bare) !== 0 || (bare === given && HOST_NAME.test(bare) && !NUMBERS.test(bare))
      ? bare
      : undefined;
  },
  explain: (given, write) => {
    const bare = given.replace(/^[a-z]+:\/\//i, '').replace(/\/.*$/, '');
    const corrected = /^\[(.*)\](?::\d+)?$/.exec(bare)?.[1] ?? bare.replace(/:\d*$/, '');
    if (NUMBERS.test(corrected) && isIP(corrected) === 0) {
      return 'an IPv4 address has four numbers from 0 to 255 without leading zeros, such as 192.0.2.1';
    }
    if (host.parse(corrected) === undefined) return undefined;
    return `it takes ${host.allowed} (the port is that of listenPort). Write ${write(corrected)}`;
  },
};

/** An address that is told to others: the zone of a link-local one means nothing to them. */
export const advertisedHost: Domain<string> = {
  ...host,
  parse: (given) => (given.includes('%') ? undefined : host.parse(given)),
  explain: (given, write) =>
    given.includes('%')
      ? 'the part behind % names an interface of this machine only: give an address that other machines can use'
      : host.explain?.(given, write),
};

export const path: Domain<string> = {
  allowed: 'one directory',
  parse: expandPath,
  explain: pathProblem,
};

/** May be left empty: none. */
export const file: Domain<string> = {
  allowed: 'one file',
  parse: (given) => (given === '' ? '' : expandPath(given)),
  explain: (given) =>
    pathProblem(given) === undefined
      ? undefined
      : 'it has to be a file of this machine, such as /etc/rocketmq/server.pem; at its beginning ~ and $HOME are ' +
        'replaced, and no other variable is',
};

const explainServers: Explain = (given, write) => {
  const corrected = correctedList(given);
  if (corrected === undefined) return undefined;
  return `it takes host:port, several separated by ;, without http://. Write ${write(corrected)}`;
};

export const addresses = text('host:port, several separated by ;', isServerList, explainServers);

export const hours = text('hours from 00 to 23, separated by ;', (given) =>
  given.split(';').every((hour) => /^([01]?\d|2[0-3])$/.test(hour.trim())),
);

export const delays = text('numbers followed by s, m, h or d, separated by blanks', (given) => {
  parseDelayLevels(given);
  return true;
});
