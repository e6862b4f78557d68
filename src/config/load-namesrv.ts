/** Puts a name server's configuration together: defaults, namesrv.conf, command line. */
import { join, resolve } from 'node:path';
import { homeFolder } from '../lib/home-folder.ts';
import { formatJavaProperties } from '../lib/java-properties.ts';
import { UserError } from '../lib/user-error.ts';
import { defaultConfig, formatConfig, type NameServerConfig, updateConfig } from '../namesrv/config.ts';
import type { NameServerOptions } from '../namesrv/name-server.ts';
import { brokerKeys } from './broker-keys.ts';
import { host as hostDomain, path as pathDomain } from './domains.ts';
import { type Domain, integer, type Value } from './key.ts';
import { exporterType, PAGE_PORT, pageHost, pagePort } from './metrics-keys.ts';
import { ALLOW_MISSING, allowedLacks, missingNames } from './missing.ts';
import { nameServerKeys } from './namesrv-keys.ts';
import { readProperties } from './properties-file.ts';
import { completeTls, tlsKeyList, tlsSettingsOf } from './tls-keys.ts';
import { judge, lackOfLine } from './unsupported.ts';
import { nameServerVocabulary } from './vocabularies.ts';

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

const DEFAULT_PORT = 9876;
const portDomain = integer(0, 65535);

/** Throws a UserError for a value that is not possible. */
export function loadNameServer(flags: NameServerFlags): LoadedNameServer {
  const file = flags.config === undefined ? undefined : resolve(flags.config);
  const given = file === undefined ? new Map<string, string>() : readProperties(file);
  const origin = `${file}: `;
  const take = <V extends Value>(name: string, domain: Domain<V>) =>
    parsed(`${name}=`, given.get(name), domain, origin);
  const config = takeSettings(given, origin);
  const host = parsed('--host ', flags.host, hostDomain) ?? take('bindAddress', hostDomain) ?? '127.0.0.1';
  const port = parsed('--port ', flags.port, portDomain) ?? take('listenPort', portDomain) ?? DEFAULT_PORT;
  const kvConfigPath = take('kvConfigPath', pathDomain) ?? defaultKvConfigPath(port);
  const tls = tlsSettingsOf(given, origin);
  const tlsWarnings = completeTls(tls, new Set(given.keys()));
  const options: NameServerOptions = { host, port, config, tls };
  if (kvConfigPath !== undefined) options.kvConfigPath = resolve(kvConfigPath);
  const page = {
    type: take('metricsExporterType', exporterType) ?? 'DISABLE',
    port: take('metricsPromExporterPort', pagePort) ?? PAGE_PORT,
    host: take('metricsPromExporterHost', pageHost) ?? '',
  };
  if (page.type === 'PROM') options.metrics = { host: page.host || host, port: page.port };
  const shown = tlsKeyList.filter(({ secret }) => secret !== true);
  const own: [string, string][] = [
    ['bindAddress', host],
    ['listenPort', String(port)],
    ['kvConfigPath', options.kvConfigPath ?? ''],
    ['metricsExporterType', page.type],
    ['metricsPromExporterPort', String(page.port)],
    ['metricsPromExporterHost', page.host],
    ...shown.map(({ name, field }): [string, string] => [name, String(tls[field])]),
  ];
  const held = new Map([
    ...own,
    ...Object.entries(config).map(([key, value]) => [key, String(value)] as const),
  ]);
  const warnings = warningsOf(given, take(ALLOW_MISSING, missingNames) ?? '', held, origin);
  warnings.push(...tlsWarnings);
  return { options, properties: formatJavaProperties(own) + formatConfig(config), warnings };
}

function takeSettings(given: ReadonlyMap<string, string>, origin: string): NameServerConfig {
  const config = defaultConfig();
  for (const [name, value] of given) {
    if (!Object.hasOwn(config, name)) continue;
    const update = updateConfig(config, new Map([[name, value]]));
    if (update.outcome === 'refused') throw new UserError(`${origin}${update.reason}.`);
  }
  return config;
}

function warningsOf(
  given: ReadonlyMap<string, string>,
  allowMissing: string,
  held: ReadonlyMap<string, string>,
  origin: string,
): string[] {
  const vocabulary = nameServerVocabulary(held);
  const asked = [...given].flatMap(([name, value]) => {
    const lacks = brokerKeys.has(name) ? undefined : lackOfLine(name, value, vocabulary);
    return lacks === undefined ? [] : [{ name, value, lacks }];
  });
  const warnings = allowedLacks(asked, allowMissing, origin);
  const known = new Set<string>([...nameServerKeys, ...held.keys(), ...asked.map(({ name }) => name)]);
  for (const [name, value] of given) {
    if (!known.has(name)) warnings.push(...judge(name, value, vocabulary, origin));
  }
  return warnings;
}

/** RocketMQ's place. A name server on any free port is a short-lived one and must not share a file with others. */
function defaultKvConfigPath(port: number): string | undefined {
  return port === 0 ? undefined : join(homeFolder(), 'namesrv', 'kvConfig.json');
}

function parsed<V extends Value>(
  label: string,
  text: string | undefined,
  domain: Domain<V>,
  origin = '',
): V | undefined {
  if (text === undefined) return undefined;
  const value = domain.parse(text.trim());
  if (value !== undefined) return value;
  const why =
    domain.explain?.(text.trim(), (corrected) => label + corrected) ?? `allowed is ${domain.allowed}`;
  throw new UserError(`${origin}${label}${text} is not possible: ${why}.`);
}
