/** Looking at the broker and its store: the page of metrics and requests for what it knows, the disk for its files. */
import { get } from 'node:http';
import { join } from 'node:path';
import { RequestCode } from '../../protocol/codes.ts';
import { asObject, textOr } from '../../protocol/json-fields.ts';
import { readOnlyDisk } from '../../store/disk/read-only-disk.ts';
import { INDEX_COUNT, INDEX_HEADER_BYTES } from '../../store/index/index-layout.ts';
import { listIndexFiles } from '../../store/index/key-index.ts';
import { readCheckpoint } from '../../store/log/checkpoint.ts';
import { cutDirectory, storePaths } from '../../store/paths.ts';
import { listQueues } from '../../store/recovery/queue-recovery.ts';
import { committedOffset } from '../admin/lag.ts';
import { counted } from '../admin/output.ts';
import { endsOf } from '../admin/queue-reads.ts';
import { objectOf } from '../admin/servers.ts';
import { queueFiles } from '../log/store-files.ts';
import { readLog } from './log-files.ts';
import { type Sample, samplesOf } from './metrics-text.ts';
import { MORTAL_THREADS } from './play-broker.ts';
import { INDEX, PLAY_BROKER, PLAY_GROUP } from './play-store.ts';
import type { DiskState, IndexState, LiveState, QueueState, RingState, ThreadState } from './state.ts';
import type { Broker } from './traffic.ts';

const PAGE_MS = 2000;
/** Queues that are looked at: those of play, and of delays. */
const MAX_QUEUES = 16;

export interface Page {
  readonly families: ReadonlyMap<string, readonly Sample[]>;
  /** Monotonic ms. */
  readonly at: number;
}

export async function pageOf(url: string): Promise<Page> {
  const text = await new Promise<string>((resolve, reject) => {
    const request = get(url, { timeout: PAGE_MS }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve(Buffer.concat(chunks).toString()));
      response.on('error', reject);
    });
    request.on('timeout', () => request.destroy(new Error('the page of metrics does not come')));
    request.on('error', reject);
  });
  return { families: samplesOf(text), at: performance.now() };
}

/** `before`: the page of the last look, by which rates are known. */
export async function lookAtBroker(broker: Broker, url: string, before: Page | undefined) {
  const [page, start] = await Promise.all([pageOf(url), logStartOf(broker)]);
  return { page, live: liveState(page, before, start) };
}

async function logStartOf({ servers, address }: Broker): Promise<number> {
  const { body } = await servers.ask(address, {
    code: RequestCode.GET_BROKER_RUNTIME_INFO,
    to: 'tell of its state',
  });
  return Number(textOr(asObject(objectOf(body)['table']) ?? {}, 'commitLogMinOffset', '0'));
}

/** Exported for its test. */
export function liveState(page: Page, before: Page | undefined, start: number): LiveState {
  const appended = start + figureOf(page, 'rocketmq_storage_size_bytes');
  return {
    rings: ringsOf(page),
    threads: threadsOf(page, before),
    positions: {
      start,
      appended,
      flushed: appended - figureOf(page, 'rocketmq_storage_flush_behind_bytes'),
      dispatched: appended - figureOf(page, 'rocketmq_storage_dispatch_behind_bytes'),
    },
  };
}

/** Of rings that were fuller before, `Sandbox` knows. */
function ringsOf({ families }: Page): RingState[] {
  return (families.get('ringmq_ring_fill_ratio') ?? []).map(({ labels, value }) => {
    return { ring: labels['ring'] ?? '', thread: labels['thread'] ?? '', fill: value, peak: value };
  });
}

function threadsOf(page: Page, before: Page | undefined): ThreadState[] {
  const busyName = 'ringmq_thread_busy_seconds_total';
  const seconds = before === undefined ? 0 : (page.at - before.at) / 1000;
  const since = (name: string, labels: Sample['labels']) =>
    before === undefined ? 0 : Math.max(0, figureOf(page, name, labels) - figureOf(before, name, labels));
  const named = (page.families.get(busyName) ?? []).map(({ labels }) => labels['thread'] ?? '');
  // Who has not counted yet is there all the same.
  return [...new Set([...MORTAL_THREADS, 'control', ...named])].map((name) => {
    const labels = { thread: name };
    const wakeUps = since('ringmq_thread_wakeups_total', labels);
    return {
      name,
      busy: seconds === 0 ? 0 : Math.min(1, since(busyName, labels) / seconds),
      wakeUpsPerSecond: seconds === 0 ? 0 : wakeUps / seconds,
      counters: countersOf(name, page),
    };
  });
}

function countersOf(thread: string, page: Page): string {
  const value = (name: string) => figureOf(page, name).toLocaleString('en-US');
  if (thread.startsWith('network')) return `${value('ringmq_sends_total')} acks`;
  if (thread === 'writer') return `${value('ringmq_append_bytes_total')} B`;
  if (thread === 'dispatcher') return `${value('ringmq_dispatch_bytes_total')} B`;
  if (thread === 'flusher') return counted(figureOf(page, 'ringmq_sync_seconds_count'), 'sync');
  if (thread === 'control') return `${value('ringmq_requests_forwarded_total')} req.`;
  return '';
}

/** Of the first sample that has these labels; 0 where there is none. */
function figureOf({ families }: Page, name: string, labels: Sample['labels'] = {}): number {
  const found = families
    .get(name)
    ?.find((sample) => Object.entries(labels).every(([key, value]) => sample.labels[key] === value));
  return found?.value ?? 0;
}

export function lookAtDisk(store: string): DiskState {
  const directory = join(store, 'commitlog');
  const queues = listQueues(readOnlyDisk, storePaths.consumeQueue(store));
  return {
    segments: readLog(directory),
    queueFiles: queues.reduce((sum, queue) => sum + queueFiles(readOnlyDisk, store, queue).length, 0),
    index: indexState(storePaths.index(store)),
    checkpoint: readCheckpoint(readOnlyDisk, storePaths.checkpoint(store)).queuePhysicalOffset,
    abort: readOnlyDisk.size(storePaths.abort(store)) >= 0,
    setAside: readOnlyDisk.list(cutDirectory(directory)).length,
  };
}

function indexState(directory: string): IndexState {
  const names = listIndexFiles(readOnlyDisk, directory);
  const newest = names.at(-1);
  const bytes = newest === undefined ? undefined : readOnlyDisk.readWhole(join(directory, newest));
  const counted =
    bytes === undefined || bytes.length < INDEX_HEADER_BYTES
      ? 1
      : new DataView(bytes.buffer, bytes.byteOffset).getInt32(INDEX_COUNT);
  // The first entry is never used.
  return { files: names.length, entries: Math.max(0, counted - 1), capacity: INDEX.entries - 1 };
}

export async function lookAtQueues({ servers, address }: Broker, store: string): Promise<QueueState[]> {
  const queues = listQueues(readOnlyDisk, storePaths.consumeQueue(store))
    .sort((a, b) => (a.topic === b.topic ? a.queueId - b.queueId : a.topic < b.topic ? -1 : 1))
    .slice(0, MAX_QUEUES);
  return Promise.all(
    queues.map(async (name) => {
      const queue = { ...name, broker: PLAY_BROKER, address };
      const [ends, consumed] = await Promise.all([
        endsOf(servers, queue),
        committedOffset(servers, address, PLAY_GROUP, queue),
      ]);
      return { ...name, ...ends, consumed, files: queueFiles(readOnlyDisk, store, name).length };
    }),
  );
}
