/** The page with a name server's metrics: who is registered, what it is asked for, how late its event loop is. */
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { requestName } from '../protocol/codes.ts';
import type { ControlHandler } from '../remoting/connection.ts';
import { Exposition } from '../remoting/exposition.ts';
import { MetricsServer } from '../remoting/metrics-server.ts';
import { nameServerCodes } from './handlers.ts';
import { isReady, type NameServerState } from './state.ts';

export interface NameServerMetricsOptions {
  host: string;
  /** 0 = any free port. */
  port: number;
}

/** Of the delays since the page was made last. */
const QUANTILES = [0.5, 0.99, 1];
const NANOS = 1e9;
const TICK_MS = 20;
const SERVED = new Set(nameServerCodes);

/** Requests by name; all codes that are not served are one. */
export class RequestCounts {
  readonly #counts = new Map<string, number>();

  counting(handler: ControlHandler): ControlHandler {
    return (request, connection) => {
      const name = SERVED.has(request.code) ? requestName(request.code).toLowerCase() : 'other';
      this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
      return handler(request, connection);
    };
  }

  get all(): Iterable<[name: string, count: number]> {
    return this.#counts;
  }
}

/** Node tells how long it was from one tick to the next, ns: seconds by which that was too long. */
export function latenessOf(nanos: number): number {
  return Math.max(0, nanos / NANOS - TICK_MS / 1_000);
}

export interface NameServerMetricsParts extends NameServerMetricsOptions {
  state: NameServerState;
  requests: RequestCounts;
  connections: () => number;
}

export class NameServerMetrics {
  readonly #parts: NameServerMetricsParts;
  readonly #delays: IntervalHistogram = monitorEventLoopDelay({ resolution: TICK_MS });
  readonly #server: MetricsServer;

  constructor(parts: NameServerMetricsParts) {
    this.#parts = parts;
    const { host, port, state } = parts;
    this.#server = new MetricsServer({
      ...{ host, port },
      scrape: async () => this.#page(),
      refusal: () => (isReady(state) ? undefined : 'the name server waits for brokers to register'),
    });
  }

  /** Resolves with the port. Throws a UserError when it is not to be had. */
  async listen(): Promise<number> {
    const port = await this.#server.listen();
    this.#delays.enable();
    return port;
  }

  close(): void {
    this.#delays.disable();
    this.#server.close();
  }

  #page(): Uint8Array {
    const { state, requests, connections } = this.#parts;
    const { routes, clock, startedAt } = state;
    const out = new Exposition({ node_type: 'nameserver' });
    const gauge = (name: string, help: string, value: number) => out.gauge(name, help).add(value);
    gauge('ringmq_uptime_seconds', 'Since the start', (clock.monotonic() - startedAt) / 1_000);
    gauge('ringmq_namesrv_brokers', 'Brokers that are registered', routes.live.size);
    gauge('ringmq_namesrv_topics', 'Topics that they serve', [...routes.topics.topics()].length);
    gauge('ringmq_connections', 'Connections of clients and brokers', connections());
    const asked = out.counter('ringmq_namesrv_requests_total', 'Requests, by code');
    for (const [request_code, count] of requests.all) asked.add(count, { request_code });
    const delay = out.gauge('ringmq_event_loop_delay_seconds', 'How late timers were since the last page');
    for (const quantile of QUANTILES)
      delay.add(latenessOf(this.#delays.percentile(quantile * 100)), { quantile });
    this.#delays.reset();
    return out.bytes();
  }
}
