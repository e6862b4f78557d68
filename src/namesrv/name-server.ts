/** A name server: in a process of its own, or beside a broker. Stateless but for its key-value entries. */
import { type Clock, systemClock } from '../lib/clock.ts';
import { type ControlLog, noLog } from '../lib/log.ts';
import { AUDIT_LINES, LIFE_LINES, QuietLog } from '../lib/quiet-log.ts';
import { systemTimers } from '../lib/timers.ts';
import { formatHost } from '../net/addresses.ts';
import { resolveHost } from '../net/hosts.ts';
import { startCommandServer } from '../remoting/command-server.ts';
import type { Log } from '../remoting/connection.ts';
import { dispatchByCode } from '../remoting/dispatch.ts';
import { Certificates } from '../tls/certificates.ts';
import { DEFAULT_TLS_SETTINGS, type TlsSettings } from '../tls/settings.ts';
import { defaultConfig, type NameServerConfig } from './config.ts';
import { nameServerHandlers } from './handlers.ts';
import { KvConfig } from './kv-config.ts';
import { Liveness } from './liveness.ts';
import {
  NameServerMetrics,
  type NameServerMetricsOptions,
  type NameServerMetricsParts,
  RequestCounts,
} from './metrics.ts';
import { Routes } from './routes.ts';
import type { NameServerState } from './state.ts';

export interface NameServerOptions {
  /** Address, or name of one, to listen on. */
  host: string;
  /** 0 = any free port; RocketMQ's is 9876. */
  port: number;
  /** Where kvConfig.json is kept. Without it, key-value entries end with the process. */
  kvConfigPath?: string;
  /** Settings other than the default. */
  config?: Partial<NameServerConfig>;
  clock?: Clock;
  /** How often silent brokers are looked for. Default: 5 s, as in RocketMQ. */
  evictionIntervalMs?: number;
  /** Default: what the descriptors of the process allow. */
  maxConnections?: number;
  /** Default: RocketMQ's, a port that takes TLS with a self-signed certificate beside plain text. */
  tls?: TlsSettings;
  /** Where the page with the metrics is; default: nowhere. */
  metrics?: NameServerMetricsOptions;
  /** Default: none. */
  log?: ControlLog;
  /** Takes the setting `ringmq.logLevel`, at the start where there is one, and when it changes. */
  setLogLevel?: (level: NameServerConfig['ringmq.logLevel']) => void;
  /** The same of `ringmq.auditLog`. */
  setAudit?: (isOn: boolean) => void;
}

export interface NameServer {
  readonly host: string;
  readonly port: number;
  /** Drops all connections; brokers go on and register again with whoever listens there next. */
  close(): Promise<void>;
}

const DEFAULT_EVICTION_INTERVAL_MS = 5000;

/** Resolves when it listens. Rejects when the port is taken, or kvConfig.json or a certificate cannot be read. */
export async function startNameServer(options: NameServerOptions): Promise<NameServer> {
  const clock = options.clock ?? systemClock;
  const quiet = new QuietLog(options.log ?? noLog, systemTimers, LIFE_LINES);
  const audit = new QuietLog(options.log?.audit ?? options.log ?? noLog, systemTimers, AUDIT_LINES);
  const state: NameServerState = {
    routes: new Routes(quiet),
    kvConfig: new KvConfig(options.kvConfigPath, (message) => quiet.warn({}, message)),
    config: { ...defaultConfig(), ...options.config },
    clock,
    startedAt: clock.monotonic(),
    log: quiet,
    configured: () => follow(),
  };
  const follow = followLog(options, state.config);
  const requests = new RequestCounts();
  const liveness = new Liveness(state.routes, clock);
  const certificates = new Certificates(options.tls ?? DEFAULT_TLS_SETTINGS);
  const server = await startCommandServer({
    host: await resolveHost('bindAddress', options.host, (line) => quiet.warn({}, line)),
    port: options.port,
    handler: requests.counting(dispatchByCode(nameServerHandlers(state, audit))),
    onConnectionClosed: (connection) => liveness.connectionClosed(connection),
    tls: certificates.server(),
    ...(options.maxConnections === undefined ? {} : { maxConnections: options.maxConnections }),
    log: linesOf(quiet),
  });
  const metrics = await openMetrics(options, {
    state,
    requests,
    connections: () => server.connectionCount,
  }).catch(async (error) => {
    await server.close();
    throw error;
  });
  certificates.watch(quiet, systemTimers, (tls) => server.useTls(tls));
  const eviction = setInterval(
    () => liveness.evictExpired(),
    options.evictionIntervalMs ?? DEFAULT_EVICTION_INTERVAL_MS,
  );
  return {
    host: server.host,
    port: server.port,
    close: () => {
      clearInterval(eviction);
      metrics?.close();
      certificates.close();
      quiet.flush();
      audit.flush();
      return server.close();
    },
  };
}

/** What the log is told of the settings; the result is to be called when they may have changed. */
function followLog({ setLogLevel, setAudit }: NameServerOptions, config: NameServerConfig): () => void {
  let [level, audits] = [config['ringmq.logLevel'], config['ringmq.auditLog']];
  if (level !== '') setLogLevel?.(level);
  if (!audits) setAudit?.(false);
  return () => {
    const [levelWas, auditWas] = [level, audits];
    level = config['ringmq.logLevel'];
    audits = config['ringmq.auditLog'];
    // Who has changed it is told as before the change.
    setImmediate(() => {
      if (level !== levelWas) setLogLevel?.(level);
      if (audits !== auditWas) setAudit?.(audits);
    });
  };
}

async function openMetrics(
  { metrics: where }: NameServerOptions,
  parts: Omit<NameServerMetricsParts, 'host' | 'port'>,
): Promise<NameServerMetrics | undefined> {
  if (where === undefined) return undefined;
  const metrics = new NameServerMetrics({ ...where, ...parts });
  const url = `http://${formatHost(where.host, await metrics.listen())}/metrics`;
  parts.state.log.info({ url }, `metrics are at ${url}; /health and /ready beside them`);
  return metrics;
}

function linesOf(log: QuietLog): Log {
  return (message, kind, fault) => {
    if (fault === undefined) log.info({}, message, kind);
    else log.error({ err: fault }, message, kind);
  };
}
