/** Which ports of a layout are taken already: told before anything is started. */
import { createServer } from 'node:net';
import { Failure } from '../admin/failure.ts';
import type { ClusterPlan } from './layouts.ts';

const HOST = '127.0.0.1';

/** Throws a Failure that names all of them and whose they would be. */
export async function checkPorts({ servers }: ClusterPlan): Promise<void> {
  const taken: string[] = [];
  for (const { name, ports } of servers) {
    for (const port of ports) {
      const why = await whyTaken(port);
      if (why !== undefined) taken.push(`${port} (${name}) ${why}`);
    }
  }
  if (taken.length === 0) return;
  throw new Failure(
    `Ports of ${HOST} cannot be had: ${taken.join(', ')}. Stop what listens there, which may be a cluster that was ` +
      'started before, or give --base-port another number.',
  );
}

function whyTaken(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on('error', ({ code, message }: NodeJS.ErrnoException) => {
      if (code === 'EADDRINUSE') resolve('is in use');
      else resolve(code === 'EACCES' ? 'may not be used by this user' : `fails: ${message}`);
    });
    server.listen(port, HOST, () => server.close(() => resolve(undefined)));
  });
}
