/** mmap-io, where it is built: an optional peer, and so loaded at run time. It works in the main thread only. */
import type { Buffer } from 'node:buffer';
import { closeSync, openSync } from 'node:fs';
import { createRequire } from 'node:module';

export interface MmapIo {
  readonly PROT_READ: number;
  readonly PROT_WRITE: number;
  readonly MAP_SHARED: number;
  readonly MADV_RANDOM: number;
  map(size: number, protection: number, flags: number, descriptor: number, offset?: number): Buffer;
  sync(buffer: Buffer, offset: number, length: number, blocking: boolean, invalidate: boolean): void;
  /** Pages that are not in memory, and pages that are. */
  incore(buffer: Buffer): [number, number];
}

/** Or why it cannot be loaded. */
export function loadMmapIo(): MmapIo | string {
  try {
    return createRequire(import.meta.url)('mmap-io') as MmapIo;
  } catch (error) {
    return `mmap-io cannot be loaded: ${(error as Error).message.split('\n')[0] ?? ''}`;
  }
}

/** Maps a file of `bytes` bytes for reading and writing, shared. */
export function mapWhole(mmapIo: MmapIo, path: string, bytes: number): Buffer {
  const descriptor = openSync(path, 'r+');
  try {
    return mmapIo.map(bytes, mmapIo.PROT_READ | mmapIo.PROT_WRITE, mmapIo.MAP_SHARED, descriptor);
  } finally {
    closeSync(descriptor);
  }
}
