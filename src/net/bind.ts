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

/** `host`: an IP address. Throws with a sentence for people when the port cannot be had. */
export async function bindPort(host: string, port: number): Promise<BoundPort> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(explained(error, host, port)));
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

function explained(error: NodeJS.ErrnoException, host: string, port: number): Error {
  if (error.code === 'EADDRINUSE') {
    return new Error(
      `The port ${host}:${port} is in use: stop what listens there, or choose another with --port.`,
      {
        cause: error,
      },
    );
  }
  if (error.code === 'EADDRNOTAVAIL') {
    return new Error(`${host} is no address of this machine: set bindAddress (--host) to one that is.`, {
      cause: error,
    });
  }
  if (error.code === 'EACCES') {
    return new Error(
      `The port ${host}:${port} may not be used by this user: choose one above 1023 with --port.`,
      {
        cause: error,
      },
    );
  }
  return new Error(`Cannot listen on ${host}:${port} (${error.message}): choose another --host or --port.`, {
    cause: error,
  });
}
