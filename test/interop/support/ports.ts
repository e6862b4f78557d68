// Free loopback ports. A broker on a fixed port also opens port - 2 (fast requests) and port + 1 (replication).

import { createServer } from 'node:net';

const ATTEMPTS = 50;
const LOWEST = 20_000;
const PORTS = 12_000;

export async function freePort(): Promise<number> {
  const server = createServer();
  const port = await new Promise<number>((resolve, reject) => {
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      if (address !== null && typeof address === 'object') resolve(address.port);
      else reject(new Error('no port'));
    });
  });
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

export async function freeBrokerPort(): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    // Below the ports that the system gives out by itself: a name server on any free port must not get this one.
    const port = LOWEST + Math.floor(Math.random() * PORTS);
    if ((await isFree(port)) && (await isFree(port - 2)) && (await isFree(port + 1))) return port;
  }
  throw new Error(`no three free ports in ${ATTEMPTS} attempts`);
}

/** Base of free ports for `ringmq cluster start` with any layout. */
export async function freeClusterPort(): Promise<number> {
  const offsets = [0, ...[10, 20, 30, 40].flatMap((offset) => [offset - 2, offset, offset + 1])];
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = LOWEST + Math.floor(Math.random() * PORTS);
    const free = await Promise.all(offsets.map((offset) => isFree(port + offset)));
    if (free.every((one) => one)) return port;
  }
  throw new Error(`no ports for a cluster in ${ATTEMPTS} attempts`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
