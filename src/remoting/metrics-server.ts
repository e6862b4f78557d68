/**
 * The page with the metrics, by HTTP: `GET /metrics`, and for those who watch over processes `/health` (it runs) and
 * `/ready` (it takes messages; 503 with the reason where it does not).
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { MAX_METRICS_CONNECTIONS } from '../lib/limits.ts';
import { UserError } from '../lib/user-error.ts';
import { CONTENT_TYPE } from './exposition.ts';

/** For a request to be there, and for a connection without one, ms. */
const REQUEST_MS = 5_000;
const IDLE_MS = 65_000;

export interface MetricsServerParts {
  readonly host: string;
  readonly port: number;
  readonly scrape: () => Promise<Uint8Array>;
  /** Why no messages are taken; undefined while they are. */
  readonly refusal: () => string | undefined;
  /** For a request to be there, ms; default: 5 s. */
  readonly requestMs?: number;
}

export class MetricsServer {
  readonly #server: Server;
  readonly #parts: MetricsServerParts;

  constructor(parts: MetricsServerParts) {
    this.#parts = parts;
    const { requestMs = REQUEST_MS } = parts;
    // Looked for as often: a few that never end would be all connections that there may be.
    const limits = {
      requestTimeout: requestMs,
      headersTimeout: requestMs,
      connectionsCheckingInterval: requestMs,
    };
    this.#server = createServer(
      { ...limits, keepAliveTimeout: IDLE_MS },
      (request, response) => void this.#answer(request, response),
    );
    this.#server.maxConnections = MAX_METRICS_CONNECTIONS;
  }

  /** Resolves with the port. Throws a UserError when it is not to be had. */
  async listen(): Promise<number> {
    const { host, port } = this.#parts;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error) => reject(portTrouble(error, host, port)));
      this.#server.listen({ host, port }, resolve);
    });
    // What goes wrong with one connection is that connection's end.
    this.#server.on('error', () => {});
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : port;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A body is nothing that anybody here reads.
    request.resume();
    try {
      const [path] = (request.url ?? '').split('?');
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        response.setHeader('allow', 'GET, HEAD');
        say(response, 405, 'GET is what is answered here');
      } else if (path === '/metrics') {
        say(response, 200, await this.#parts.scrape(), CONTENT_TYPE);
      } else if (path === '/health') {
        say(response, 200, 'ok\n');
      } else if (path === '/ready') {
        const refusal = this.#parts.refusal();
        say(response, refusal === undefined ? 200 : 503, refusal ?? 'ok\n');
      } else {
        say(response, 404, 'There are /metrics, /health and /ready\n');
      }
    } catch (error) {
      if (!response.headersSent) say(response, 500, `${(error as Error).message}\n`);
      response.destroy();
    }
  }
}

function say(
  response: ServerResponse,
  status: number,
  content: string | Uint8Array,
  type = 'text/plain; charset=utf-8',
): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(content) });
  response.end(content);
}

function portTrouble(error: NodeJS.ErrnoException, host: string, port: number): Error {
  const place = `metricsPromExporterPort=${port} of ${host}`;
  if (error.code === 'EADDRINUSE')
    return new UserError(
      `${place} is in use by another program. Set another port, or metricsExporterType=DISABLE.`,
    );
  return new UserError(
    `${place} cannot be listened on: ${error.message}. Set another, or metricsExporterType=DISABLE.`,
  );
}
