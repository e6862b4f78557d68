/** A TCP server for commands at leisure: the name server, and whatever else has no place on the data path. */
import { createServer, type Server } from 'node:net';
import { CommandConnection } from './command-connection.ts';
import type { ClientConnection, ControlHandler, Log } from './connection.ts';

/** RocketMQ's own limit on both sides. */
export const DEFAULT_IDLE_TIMEOUT_MS = 120_000;

export interface CommandServerOptions {
  host: string;
  /** 0 = any free port. */
  port: number;
  handler: ControlHandler;
  /** Called once for each connection when it is gone. */
  onConnectionClosed?: (connection: ClientConnection) => void;
  /** Default: 120 s. */
  idleTimeoutMs?: number;
  log?: Log;
}

export interface CommandServer {
  readonly host: string;
  /** The port that it listens on, also when 0 was asked for. */
  readonly port: number;
  readonly connectionCount: number;
  /** Stops listening and destroys all connections. */
  close(): Promise<void>;
}

/** Resolves when it listens; rejects when it cannot, with the error of the operating system. */
export async function startCommandServer(options: CommandServerOptions): Promise<CommandServer> {
  const log = options.log ?? (() => {});
  const connections = new Set<CommandConnection>();
  const server = createServer((socket) => {
    const connection = new CommandConnection(socket, {
      handler: options.handler,
      idleTimeoutMs: options.idleTimeoutMs ?? DEFAULT_IDLE_TIMEOUT_MS,
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
    close: () => closeAll(server, connections),
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
