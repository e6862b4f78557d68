/** Free ports for brokers and name servers. */
import net from 'node:net';

function listen(port: number): Promise<net.Server | undefined> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

function close(server: net.Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

/** Below the range that Linux gives to outgoing connections: between the look and the bind nobody gets one of these. */
const FIRST_PORT = 12_000;
const LAST_PORT = 32_000;

/**
 * A port that is free now together with its neighbours at the given distances: a broker on port P also serves P - 2
 * (VIP) and P + 1 (replication).
 */
export async function freePort(distances: readonly number[] = []): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT));
    const servers = await Promise.all([0, ...distances].map((distance) => listen(port + distance)));
    const open = servers.filter((server) => server !== undefined);
    await Promise.all(open.map(close));
    if (open.length === servers.length) return port;
  }
  throw new Error('no free ports on 127.0.0.1');
}

export const BROKER_PORT_NEIGHBOURS = [-2, 1] as const;
