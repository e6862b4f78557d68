/** Puts a name server's configuration together: defaults, namesrv.conf, command line. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { UserError } from '../lib/user-error.ts';
import { defaultConfig, formatConfig, updateConfig } from '../namesrv/config.ts';
import type { NameServerOptions } from '../namesrv/name-server.ts';
import { integer } from './key.ts';
import { readProperties } from './properties-file.ts';
import { keysOf } from './unsupported.ts';
import { unsupportedGroups } from './unsupported-keys.ts';

export interface NameServerFlags {
  config?: string;
  port?: string;
  host?: string;
}

export interface LoadedNameServer {
  options: NameServerOptions;
  /** As lines of namesrv.conf. */
  properties: string;
  warnings: string[];
}

const DEFAULT_PORT = '9876';
const SOCKETS = 'Sockets';

/** Throws a UserError for a value that is not possible. */
export function loadNameServer(flags: NameServerFlags): LoadedNameServer {
  const file = flags.config === undefined ? undefined : resolve(flags.config);
  const given = file === undefined ? new Map<string, string>() : readProperties(file);
  const config = defaultConfig();
  const warnings: string[] = [];
  for (const [name, value] of given) {
    if (['listenPort', 'bindAddress', 'kvConfigPath'].includes(name)) continue;
    if (!Object.hasOwn(config, name)) {
      warnings.push(...warningFor(name, value));
      continue;
    }
    const update = updateConfig(config, new Map([[name, value]]));
    if (update.outcome === 'refused') throw new UserError(`${file}: ${update.reason}.`);
  }
  const host = flags.host ?? given.get('bindAddress') ?? '127.0.0.1';
  const port = portOf(flags.port ?? given.get('listenPort') ?? DEFAULT_PORT);
  const kvConfigPath = given.get('kvConfigPath') ?? defaultKvConfigPath(port);
  const options: NameServerOptions = { host, port, config };
  if (kvConfigPath !== undefined) options.kvConfigPath = resolve(kvConfigPath);
  const own = `bindAddress=${host}\nlistenPort=${port}\nkvConfigPath=${options.kvConfigPath ?? ''}\n`;
  return { options, properties: own + formatConfig(config), warnings };
}

/** RocketMQ's place. A name server on any free port is a short-lived one and must not share a file with others. */
function defaultKvConfigPath(port: number): string | undefined {
  return port === 0 ? undefined : join(homedir(), 'namesrv', 'kvConfig.json');
}

function portOf(text: string): number {
  const port = integer(0, 65535).parse(text.trim());
  if (port === undefined) throw new UserError(`port ${text} is not possible: allowed is 0 to 65535.`);
  return port;
}

function warningFor(name: string, value: string): string[] {
  const sockets = unsupportedGroups.filter((group) => group.title === SOCKETS).flatMap(keysOf);
  const known = sockets.find((key) => key.name === name);
  if (known?.default === value.trim()) return [];
  return [`${name}=${value} has no effect: ${known?.why ?? "it is none of RingMQ's name server keys"}.`];
}
