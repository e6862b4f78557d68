/** How the metrics of a broker are put together. */
import type { LinkServer } from '../../broker/link/link-server.ts';
import type { MetricsParts, RingFill } from '../../broker/metrics/context.ts';
import { Metrics } from '../../broker/metrics/scrape.ts';
import type { Announcer } from '../../broker/view/announcer.ts';
import { systemClock } from '../../lib/clock.ts';
import { formatHost } from '../../net/addresses.ts';
import { CALL_ROWS } from '../../protocol/call-kinds.ts';
import { MetricsServer } from '../../remoting/metrics-server.ts';
import { CallSums } from '../../ring/call-table.ts';
import type { RingShape } from '../../ring/layout.ts';
import { usedOf } from '../../ring/spsc-ring.ts';
import type { Retention } from '../../store/retention/retention.ts';
import type { ResolvedConfig } from '../config.ts';
import type { Topology } from '../topology.ts';

/** What a ring holds is looked at here, by a thread that is neither of its ends. */
function fillOf(ring: RingShape): () => number {
  const words = new Int32Array(ring.control);
  return () => usedOf(words) / ring.capacity;
}

function ringsOf({ broker, networks }: Topology): RingFill[] {
  const fills: RingFill[] = [];
  for (const { name, send, replies, arrivals } of broker.participants) {
    fills.push({ ring: 'send', thread: name, fill: fillOf(send.ring) });
    fills.push({ ring: 'replies', thread: name, fill: fillOf(replies) });
    fills.push({ ring: 'arrivals', thread: name, fill: fillOf(arrivals) });
  }
  for (const { index, linkUp, linkDown, questions } of networks) {
    const thread = `network-${index}`;
    fills.push({ ring: 'link-up', thread, fill: fillOf(linkUp.ring) });
    fills.push({ ring: 'link-down', thread, fill: fillOf(linkDown.ring) });
    fills.push({ ring: 'questions', thread, fill: fillOf(questions.up.ring) });
    fills.push({ ring: 'answers', thread, fill: fillOf(questions.down.ring) });
  }
  return fills;
}

export interface MetricsSources
  extends Pick<MetricsParts, 'tables' | 'stats' | 'reads' | 'counters' | 'calls' | 'figures'> {
  readonly retention: Retention;
  readonly link: LinkServer;
  readonly announcer: Announcer;
}

/** The page with the metrics, where the configuration asks for one. */
export class MetricsPage {
  readonly #config: ResolvedConfig;
  readonly #topology: Topology;
  readonly #sources: MetricsSources;
  readonly #startedAt = systemClock.monotonic();
  #server: MetricsServer | undefined;
  /** Why clients are not let in, or are to go. */
  #notServing: string | undefined = 'the broker is starting';

  constructor(config: ResolvedConfig, topology: Topology, sources: MetricsSources) {
    this.#config = config;
    this.#topology = topology;
    this.#sources = sources;
  }

  /** Throws a UserError when its port is not to be had. */
  async open(replication: MetricsParts['replication'], behind: MetricsParts['behind']): Promise<void> {
    const { metrics: options, log } = this.#config;
    const { port, host } = options;
    if (port === undefined) return;
    const { retention, link, announcer, ...sources } = this.#sources;
    const metrics = new Metrics(
      {
        ...{ ...sources, options, rings: ringsOf(this.#topology), replication, behind },
        callSums: new CallSums(this.#topology.broker.calls, CALL_ROWS),
        uptime: () => systemClock.monotonic() - this.#startedAt,
        diskRatio: () => retention.diskRatio(),
        connected: () => link.connected,
        networkThreads: this.#topology.networks.length,
      },
      systemClock,
    );
    const refusal = () => this.#notServing ?? announcer.refusal;
    this.#server = new MetricsServer({ host, port, refusal, scrape: () => metrics.scrape() });
    const bound = await this.#server.listen();
    const url = `http://${formatHost(host, bound)}/metrics`;
    log.info({ url }, `metrics are at ${url}; /health and /ready beside them`);
  }

  /** Clients are let in. */
  letIn(): void {
    this.#notServing = undefined;
  }

  /** Clients are to go elsewhere. */
  leave(): void {
    this.#notServing = 'the broker is stopping';
  }

  close(): void {
    this.#server?.close();
  }
}
