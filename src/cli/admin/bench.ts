/** `ringmq bench`: how many messages a running broker takes and gives, as seen by this one client process. */
import { randomBytes } from 'node:crypto';
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { UserError } from '../../lib/user-error.ts';
import { Failure } from './failure.ts';
import { beginnings, follow } from './follow.ts';
import { examples, numberOf, type OnlineFlags, online } from './online.ts';
import { counted, note, print, printJson, table } from './output.ts';
import { Progress } from './progress.ts';
import { type Queue, READABLE, readableQueues, requireRoute, WRITABLE, writableQueues } from './routes.ts';
import { send } from './send.ts';
import { Servers } from './servers.ts';
import { pause, untilStopped } from './stopping.ts';
import { writeTopicConfig } from './topic-configs.ts';
import { deleteTopic } from './topic-delete.ts';

const STAMP_BYTES = 8;
const MAX_BODY_BYTES = 4 * 1024 * 1024;
const QUEUES = 8;
/** How long messages that are still on their way are waited for at the end. */
const DRAIN_MS = 5_000;
const ROUTE_TRIES = 100;

interface BenchFlags {
  topic?: string;
  size?: string;
  seconds?: string;
  connections?: string;
  inFlight?: string;
  rate?: string;
  send?: boolean;
}

interface Shape {
  size: number;
  seconds: number;
  connections: number;
  inFlight: number;
  rate: number | undefined;
}

export function benchCommand(command: Command): void {
  command
    .option('--topic <name>', 'into this topic (default: one of its own, which is deleted afterwards)')
    .option('--size <bytes>', 'bytes of each body (default: 1024)')
    .option('--seconds <number>', 'for so long (default: 10)')
    .option('--connections <number>', 'connections that send (default: 4)')
    .option('--in-flight <number>', 'sends without an answer, on each connection (default: 32)')
    .option('--rate <number>', 'messages a second at most, over all connections')
    .option('--no-receive', 'only send');
  online<BenchFlags & { receive: boolean }>(command, async (servers, _args, flags) => {
    const shape = shapeOf(flags);
    const topic = flags.topic ?? `ringmq-bench-${randomBytes(4).toString('hex')}`;
    if (flags.topic === undefined) await makeTopic(servers, topic);
    try {
      await run(servers, topic, shape, flags);
    } finally {
      if (flags.topic === undefined) await deleteTopic(servers, topic, await requireRoute(servers, topic));
    }
  });
  examples(command, 'bench', 'bench --size 100 --seconds 30 --connections 8', 'bench --rate 1000 --json');
  command.addHelpText(
    'after',
    '\nThe client is one process that shares the machine with all else on it: where it is busy\nitself, the broker could do more.',
  );
}

function shapeOf({
  size = '1024',
  seconds = '10',
  connections = '4',
  inFlight = '32',
  rate,
}: BenchFlags): Shape {
  return {
    size: numberOf('size', size, STAMP_BYTES, MAX_BODY_BYTES),
    seconds: numberOf('seconds', seconds, 1, 86_400),
    connections: numberOf('connections', connections, 1, 1_000),
    inFlight: numberOf('in-flight', inFlight, 1, 10_000),
    rate: rate === undefined ? undefined : numberOf('rate', rate, 1, 1e9),
  };
}

async function makeTopic(servers: Servers, name: string): Promise<void> {
  for (const { address } of await servers.masters())
    await writeTopicConfig(
      servers,
      address,
      {
        name,
        readQueues: QUEUES,
        writeQueues: QUEUES,
        perm: READABLE | WRITABLE,
        order: false,
        type: 'NORMAL',
        attributes: {},
        sysFlag: 0,
      },
      '',
    );
}

/** A broker tells name servers of a new topic a moment later. */
async function queuesOf(servers: Servers, topic: string): Promise<{ write: Queue[]; read: Queue[] }> {
  for (let tries = 0; ; tries++) {
    try {
      const parts = await requireRoute(servers, topic);
      return { write: writableQueues(topic, parts), read: readableQueues(topic, parts) };
    } catch (error) {
      if (tries === ROUTE_TRIES) throw error;
      await sleep(50);
    }
  }
}

interface Figures {
  sent: number;
  failed: number;
  received: number;
  sendMs: number;
  receiveMs: number;
  /** Of microseconds. */
  sends: RecordableHistogram;
  deliveries: RecordableHistogram;
  firstFailure: unknown;
}

async function run(
  servers: Servers,
  topic: string,
  shape: Shape,
  flags: BenchFlags & OnlineFlags & { receive: boolean },
): Promise<void> {
  const { write, read } = await queuesOf(servers, topic);
  if (write.length === 0) throw new UserError(`--topic ${topic} is not possible: nobody may send to it.`);
  const stopped = untilStopped();
  const figures: Figures = {
    sent: 0,
    failed: 0,
    received: 0,
    sendMs: 0,
    receiveMs: 0,
    sends: createHistogram(),
    deliveries: createHistogram(),
    firstFailure: undefined,
  };
  const ended = new AbortController();
  const from = flags.receive ? await beginnings(servers, read, 'latest') : undefined;
  const receiving = from === undefined ? Promise.resolve() : receive(flags, from, figures, ended.signal);
  receiving.catch(() => ended.abort());
  const progress = showProgress(figures, shape);
  await sendAll(flags, write, shape, figures, AbortSignal.any([stopped, ended.signal]));
  const deadline = performance.now() + DRAIN_MS;
  while (
    flags.receive &&
    figures.received < figures.sent &&
    performance.now() < deadline &&
    !ended.signal.aborted
  )
    await pause(20, stopped);
  ended.abort();
  progress();
  await receiving;
  if (figures.sent === 0) throw figures.firstFailure ?? new Failure('Nothing was sent.');
  await tell(figures, shape, flags);
}

function showProgress(figures: Figures, { seconds }: Shape): () => void {
  const progress = new Progress();
  const begun = performance.now();
  let [before, at] = [0, begun];
  const timer = setInterval(() => {
    const now = performance.now();
    const rate = Math.round(((figures.sent - before) * 1000) / (now - at));
    [before, at] = [figures.sent, now];
    progress.tell(
      () =>
        `${Math.round((now - begun) / 1000)} of ${seconds} s: ${rate} sent a second, ${figures.sent} sent, ${figures.received} received`,
    );
  }, 500);
  return () => {
    clearInterval(timer);
    progress.end();
  };
}

/** Each connection keeps its sends in flight until the time is over. */
async function sendAll(
  flags: BenchFlags & OnlineFlags,
  queues: readonly Queue[],
  shape: Shape,
  figures: Figures,
  stopped: AbortSignal,
): Promise<void> {
  const begun = performance.now();
  const end = begun + shape.seconds * 1000;
  let asked = 0;
  const lane = async (servers: Servers, first: number) => {
    for (let turn = first; performance.now() < end && !stopped.aborted; turn++) {
      const due = shape.rate === undefined ? 0 : begun + (asked++ * 1000) / shape.rate;
      if (due >= end) return;
      if (due > performance.now()) await pause(due - performance.now(), stopped);
      if (stopped.aborted) return;
      const queue = queues[turn % queues.length] as Queue;
      const from = performance.now();
      try {
        await send(servers, queue, { body: bodyOf(shape.size, from), properties: new Map() });
        figures.sent++;
        figures.sends.record(Math.max(1, Math.round((performance.now() - from) * 1000)));
      } catch (error) {
        figures.failed++;
        figures.firstFailure ??= error;
        if (figures.sent === 0) return;
        await pause(100, stopped);
      }
    }
  };
  const clients = Array.from({ length: shape.connections }, () => new Servers(flags));
  const lanes = clients.flatMap((servers, i) =>
    Array.from({ length: shape.inFlight }, (_, j) => lane(servers, i + j)),
  );
  await Promise.all(lanes);
  figures.sendMs = performance.now() - begun;
  for (const servers of clients) servers.close();
}

/** Begins with the moment of its sending, by the clock of this process. */
function bodyOf(size: number, sentAt: number): Uint8Array {
  const body = Buffer.alloc(size, 'x');
  body.writeDoubleBE(sentAt, 0);
  return body;
}

async function receive(
  flags: OnlineFlags,
  from: Awaited<ReturnType<typeof beginnings>>,
  figures: Figures,
  ended: AbortSignal,
): Promise<void> {
  const servers = new Servers(flags);
  const begun = performance.now();
  try {
    await follow(servers, from, ended, {
      take: async ({ body }) => {
        const now = performance.now();
        const sentAt = Buffer.from(body.buffer, body.byteOffset, body.length).readDoubleBE(0);
        figures.received++;
        figures.receiveMs = now - begun;
        figures.deliveries.record(Math.max(1, Math.round((now - sentAt) * 1000)));
        return true;
      },
    });
  } finally {
    servers.close();
  }
}

const PERCENTILES = [50, 90, 99, 99.9] as const;

function summaryOf(count: number, ms: number, size: number, times: RecordableHistogram) {
  const perSecond = ms === 0 ? 0 : (count * 1000) / ms;
  const percentiles = Object.fromEntries(
    PERCENTILES.map((p) => [`p${p}`, count === 0 ? null : times.percentile(p) / 1000]),
  );
  return {
    messages: count,
    perSecond: Math.round(perSecond),
    megabytesPerSecond: Number(((perSecond * size) / 1e6).toFixed(2)),
    ms: { ...percentiles, max: count === 0 ? null : times.max / 1000 },
  };
}

async function tell(
  figures: Figures,
  shape: Shape,
  { json = false, receive: receives }: OnlineFlags & { receive: boolean },
): Promise<void> {
  const sent = summaryOf(figures.sent, figures.sendMs, shape.size, figures.sends);
  const received = receives
    ? summaryOf(figures.received, figures.receiveMs, shape.size, figures.deliveries)
    : undefined;
  if (json) await printJson({ ...shape, sent, failed: figures.failed, received });
  else {
    const row = (name: string, summary: typeof sent) => [
      name,
      summary.messages,
      summary.perSecond,
      summary.megabytesPerSecond.toFixed(1),
      ...Object.values(summary.ms).map((ms) => (ms === null ? '-' : ms.toFixed(ms < 10 ? 2 : 1))),
    ];
    const rows = [row('sent', sent), ...(received === undefined ? [] : [row('received', received)])];
    await print(
      table(['', '#messages', '#a second', '#mb/s', ...PERCENTILES.map((p) => `#p${p} ms`), '#max ms'], rows),
    );
    await print(
      `\n${counted(shape.connections, 'connection')} with ${counted(shape.inFlight, 'send')} in flight each, bodies of ${shape.size} bytes; received: from the send to its arrival here.`,
    );
  }
  if (figures.failed > 0)
    throw new Failure(
      `${counted(figures.failed, 'send')} failed, the first as: ${figures.firstFailure instanceof Error ? figures.firstFailure.message : figures.firstFailure}`,
    );
  if (receives && figures.received < figures.sent)
    note(
      `${figures.sent - figures.received} messages had not come back ${DRAIN_MS / 1000} s after the last send.`,
    );
}
