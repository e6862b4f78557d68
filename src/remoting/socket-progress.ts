/** What has moved over a socket. Node counts what it was given to send; the kernel may have taken only part of that. */
import type { Socket } from 'node:net';

interface Handle {
  /** Bytes handed to libuv, and those of them that wait there. */
  bytesWritten: number;
  writeQueueSize: number;
}

/** Bytes that the kernel has taken from us; does not change any more once the socket is destroyed. */
export function bytesTaken(socket: Socket): number {
  const handle = (socket as Socket & { _handle?: Partial<Handle> | null })._handle;
  if (handle?.bytesWritten === undefined || handle.writeQueueSize === undefined) return 0;
  return handle.bytesWritten - handle.writeQueueSize;
}

/** Grows whenever a byte comes in or goes out. */
export function bytesMoved(socket: Socket): number {
  return socket.bytesRead + bytesTaken(socket);
}
