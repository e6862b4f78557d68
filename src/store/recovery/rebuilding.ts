/**
 * Which queues are being built again (`ringmq.rebuilding`). Their new files have entries for records before the
 * checkpoint's position, and are not durable before the next checkpoint: a crash until then may leave any part of them,
 * which would be trusted. So the next start builds them once more.
 */
import type { Disk } from '../disk/disk.ts';
import type { StoreOptions } from '../options.ts';
import { storePaths } from '../paths.ts';
import { positionOf, readState, writeState } from '../small-state.ts';
import type { QueueName } from './queue-recovery.ts';

export function readRebuilding(disk: Disk, options: StoreOptions, warn: (line: string) => void): QueueName[] {
  const queues: QueueName[] = [];
  const state = readState(disk, storePaths.rebuilding(options.directory), warn) ?? {};
  for (const [topic, ids] of Object.entries(state)) {
    for (const queueId of Array.isArray(ids) ? ids.map(positionOf) : []) queues.push({ topic, queueId });
  }
  return queues;
}

/** Durable when it returns; throws when the disk refuses. */
export function writeRebuilding(disk: Disk, options: StoreOptions, queues: Iterable<QueueName>): void {
  const topics = new Map<string, number[]>();
  for (const { topic, queueId } of queues) {
    const ids = topics.get(topic);
    if (ids === undefined) topics.set(topic, [queueId]);
    else ids.push(queueId);
  }
  writeState(disk, storePaths.rebuilding(options.directory), Object.fromEntries(topics));
}
