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

/**
 * A port that is free now together with its neighbours at the given distances: a broker on port P also serves P - 2
 * (VIP) and P + 1 (replication).
 */
export async function freePort(distances: readonly number[] = []): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const first = (await listen(0)) as net.Server;
    const { port } = first.address() as net.AddressInfo;
    const others = await Promise.all(distances.map((distance) => listen(port + distance)));
    const open = others.filter((server) => server !== undefined);
    await Promise.all([first, ...open].map(close));
    if (open.length === distances.length) return port;
  }
  throw new Error('no free ports on 127.0.0.1');
}

export const BROKER_PORT_NEIGHBOURS = [-2, 1] as const;
