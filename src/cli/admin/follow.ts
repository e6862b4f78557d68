/** Reads queues one beside the other, as messages come. */
import {
  ALL,
  type Ends,
  type Expression,
  endsOf,
  type LocatedMessage,
  offsetAt,
  pull,
} from './queue-reads.ts';
import type { Queue } from './routes.ts';
import type { Servers } from './servers.ts';
import { requireTime } from './times.ts';

const AT_ONCE = 32;
const WAIT_MS = 10_000;

export interface FollowOptions {
  expression?: Expression;
  /** Ends when all that was there at the beginning is read. */
  untilEnd?: boolean;
  group?: string;
  /** Whether more of a queue is wanted; asked after each message. Default: as long as `take` says so. */
  takeOfQueue?: (queue: Queue) => boolean;
  /** Messages of one queue in order; the next are read when it resolves. False ends all reading. */
  take: (message: LocatedMessage, queue: Queue) => Promise<boolean>;
}

/** Where to begin: `earliest`, `latest` or a time. */
export async function beginnings(
  servers: Servers,
  queues: readonly Queue[],
  since: string,
): Promise<Map<Queue, { from: number; ends: Ends }>> {
  const time =
    since === 'earliest' || since === 'latest' ? undefined : requireTime(since, `--since ${since}`);
  const found = new Map<Queue, { from: number; ends: Ends }>();
  await Promise.all(
    queues.map(async (queue) => {
      const ends = await endsOf(servers, queue);
      const from =
        time === undefined
          ? since === 'earliest'
            ? ends.min
            : ends.max
          : await offsetAt(servers, queue, time, ends);
      found.set(queue, { from, ends });
    }),
  );
  return found;
}

/** Reads until `take` or `stopped` says that it is enough. Rejects when a queue cannot be read. */
export async function follow(
  servers: Servers,
  from: ReadonlyMap<Queue, { from: number; ends: Ends }>,
  stopped: AbortSignal,
  options: FollowOptions,
): Promise<void> {
  const enough = new AbortController();
  const stop = () => enough.abort();
  stopped.addEventListener('abort', stop);
  if (stopped.aborted) stop();
  try {
    const readers = [...from].map(([queue, { from: first, ends }]) =>
      read(servers, queue, first, options.untilEnd === true ? ends.max : undefined, enough, options),
    );
    await Promise.all(readers);
  } finally {
    stop();
    stopped.removeEventListener('abort', stop);
  }
}

async function read(
  servers: Servers,
  queue: Queue,
  first: number,
  end: number | undefined,
  enough: AbortController,
  { expression = ALL, group, take, takeOfQueue = () => true }: FollowOptions,
): Promise<void> {
  let offset = first;
  while (!enough.signal.aborted && (end === undefined || offset < end)) {
    const asked = pull(servers, queue, {
      offset,
      count: AT_ONCE,
      expression,
      waitMs: end === undefined ? WAIT_MS : 0,
      ...(group === undefined ? {} : { group }),
    });
    const pulled = await unlessStopped(asked, enough.signal);
    if (pulled === undefined) return;
    for (const message of pulled.messages) {
      if (enough.signal.aborted || (end !== undefined && message.queueOffset >= end)) return;
      if (!takeOfQueue(queue)) return;
      if (!(await take(message, queue))) enough.abort();
    }
    offset = pulled.next;
  }
}

/** What was asked for, or undefined when it is to stop before. */
export function unlessStopped<T>(asked: Promise<T>, stopped: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const stop = () => resolve(undefined);
    stopped.addEventListener('abort', stop);
    if (stopped.aborted) stop();
    asked.then(resolve, reject).finally(() => stopped.removeEventListener('abort', stop));
  });
}
