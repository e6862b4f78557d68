/**
 * Binding ports for network threads. Control binds, so that the port is known before anything else starts; the
 * listening descriptor then goes to the first network thread. Connections that come meanwhile wait in the kernel.
 */
import { createServer } from 'node:net';
import { addon } from '../native/addon.ts';

const BACKLOG = 1024;

export interface BoundPort {
  port: number;
  /** Listening descriptor; whoever takes it over closes it. */
  descriptor: number;
}

/**
 * `host`: an IP address. Throws the system's error when the port cannot be had: who was told the port knows how to say
 * it.
 */
export async function bindPort(host: string, port: number): Promise<BoundPort> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, backlog: BACKLOG, exclusive: true }, resolve);
  });
  const address = server.address();
  const handle = (server as unknown as { _handle: { fd: number } })._handle;
  const descriptor = addon.duplicateDescriptor(handle.fd);
  server.close();
  if (descriptor < 0 || typeof address !== 'object' || address === null) {
    throw new Error(`cannot hand the port ${host}:${port} to a network thread (errno ${-descriptor})`);
  }
  return { port: address.port, descriptor };
}
