/** A TCP server for commands at leisure: the name server, and whatever else has no place on the data path. */
import { createServer, type Server } from 'node:net';
import { connectionLimit } from '../lib/descriptors.ts';
import { limitRemark } from '../lib/limits.ts';
import type { ServerTls } from '../tls/settings.ts';
import { TlsGate } from '../tls/tls-gate.ts';
import { CommandConnection } from './command-connection.ts';
import type { ClientConnection, ControlHandler, Log } from './connection.ts';
import { ConnectionCare, type ConnectionLimits } from './connection-care.ts';

export interface CommandServerOptions {
  host: string;
  /** 0 = any free port. */
  port: number;
  handler: ControlHandler;
  /** Called once for each connection when it is gone. */
  onConnectionClosed?: (connection: ClientConnection) => void;
  /** Default: 120 s. */
  idleTimeoutMs?: number;
  /** Default: what the descriptors of the process allow. */
  maxConnections?: number;
  /** Limits other than those of limits.ts. */
  limits?: Partial<ConnectionLimits>;
  /** Default: the port takes plain text only. */
  tls?: ServerTls;
  log?: Log;
}

export interface CommandServer {
  readonly host: string;
  /** The port that it listens on, also when 0 was asked for. */
  readonly port: number;
  readonly connectionCount: number;
  /** For connections to come: certificates were replaced. */
  useTls(tls: ServerTls): void;
  /** Stops listening and destroys all connections. */
  close(): Promise<void>;
}

const PLAIN_ONLY: ServerTls = {
  mode: 'disabled',
  terms: {},
  clientAuth: 'none',
  verifyClients: false,
  pem: undefined,
};

/** Resolves when it listens; rejects when it cannot, with the error of the operating system. */
export async function startCommandServer(options: CommandServerOptions): Promise<CommandServer> {
  const log = options.log ?? (() => {});
  const connections = new Set<CommandConnection>();
  const { idleTimeoutMs, limits } = options;
  const care = new ConnectionCare({
    ...(idleTimeoutMs === undefined ? {} : { idleTimeoutMs }),
    ...(limits === undefined ? {} : { limits }),
    ticked: (now) => gate.closeStalled(now),
  });
  const gate = new TlsGate({
    tls: options.tls ?? PLAIN_ONLY,
    now: () => care.clock.monotonic(),
    stallMs: care.limits.handshakeMs,
    closedFor: (reason, detail) => log(`connections closed: ${reason} (${detail})`, reason),
  });
  const maxConnections = options.maxConnections ?? connectionLimit(1);
  const server = createServer((socket) => {
    if (connections.size >= maxConnections) {
      // Taken and closed, not left waiting: the port's backlog would fill up, and nobody could connect.
      socket.destroy();
      log(limitRemark('connections', maxConnections, 'MAX_CONNECTIONS'), 'too many connections');
      return;
    }
    const connection = new CommandConnection(socket, {
      handler: options.handler,
      care,
      gate,
      log,
      onClose: () => {
        connections.delete(connection);
        options.onConnectionClosed?.(connection);
      },
    });
    connections.add(connection);
  });
  const port = await listen(server, options.host, options.port);
  server.on('error', (error) => log(`server on port ${port}: ${error.message}`));
  return {
    host: options.host,
    port,
    get connectionCount() {
      return connections.size;
    },
    useTls: (tls) => gate.use(tls),
    close: () => {
      gate.close();
      return closeAll(server, connections);
    },
  };
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

function closeAll(server: Server, connections: Set<CommandConnection>): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    for (const connection of connections) connection.close();
  });
}
