/**
 * Small files of ours beside the store, `ringmq.*` in its root, which RocketMQ leaves alone: JSON, replaced as a whole
 * and durable when written.
 */
import type { Disk } from './disk/disk.ts';

/**
 * The file's content; undefined when there is none, or when it is no JSON object: these files are written whole, so
 * that means that somebody has damaged it, and `warn` says so.
 */
export function readState(
  disk: Disk,
  path: string,
  warn: (line: string) => void,
): Record<string, unknown> | undefined {
  const bytes = disk.readWhole(path);
  if (bytes === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return value as Record<string, unknown>;
    }
  } catch {
    // Told below, like any other content that is not ours.
  }
  warn(`${path} is damaged and is not used`);
  return undefined;
}

/** Throws when the disk refuses. */
export function writeState(disk: Disk, path: string, value: unknown): void {
  disk.writeWhole(path, Buffer.from(JSON.stringify(value)));
}

/** A position of the log, or -1 for anything else. */
export function positionOf(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : -1;
}
