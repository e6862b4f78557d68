/** `ringmq trace`: options, which broker or store, and where the report goes. */
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { groupNameProblem, topicNameProblem } from '../../lib/names.ts';
import { UserError } from '../../lib/user-error.ts';
import { Failure } from '../admin/failure.ts';
import { choiceOf, numberOf } from '../admin/online.ts';
import { note, print, printJson } from '../admin/output.ts';
import { type Queue, requireRoute, writableQueues } from '../admin/routes.ts';
import { Servers } from '../admin/servers.ts';
import { requireSpan, spanText } from '../admin/times.ts';
import { existingReport } from './existing.ts';
import { htmlOfReport } from './html.ts';
import { jsonOfReport } from './json.ts';
import { type FlushMode, startOwnBroker } from './own-broker.ts';
import type { Report } from './report.ts';
import { Requests } from './requests.ts';
import { reportOf } from './run-report.ts';
import { type Plan, run, type Target } from './scenario.ts';
import { StoreView } from './store-view.ts';
import { textOfReport } from './text.ts';

export interface TraceFlags {
  namesrv?: string;
  tls?: boolean;
  broker?: string;
  config?: string;
  store?: string;
  commitlog?: string;
  flush?: string;
  topic?: string;
  queue?: string;
  group?: string;
  message?: string;
  key?: string;
  tag?: string;
  header?: string;
  batch?: string;
  delayLevel?: string;
  delay?: string;
  retry?: boolean;
  warm?: string;
  messageId?: string;
  uniqueKey?: string;
  html?: string;
  json?: boolean;
  brief?: boolean;
}

const TOPIC = 'TraceTopic';
const OWN_GROUP = 'trace-consumer';
/** A group that each broker has from its first start on: reading under its name makes none. */
const READER_GROUP = 'TOOLS_CONSUMER';
const TEXT = 'Follow me.';
const KEY = 'traced';
const TAG = 'tour';
const WARM = '100';
const MOST_WARM = 10_000;
const MOST_BATCH = 32;
const LONGEST_TEXT = 4096;
const LONGEST_DELAY_MS = 600_000;
/** What takes longer is announced. */
const LONG_MS = 2000;

export async function runTrace(flags: TraceFlags): Promise<void> {
  const report = await reportFor(flags);
  if (flags.html !== undefined) {
    writeFileSync(resolve(flags.html), htmlOfReport(report));
    note(`The page is in ${resolve(flags.html)}.`);
  }
  if (flags.json === true) await printJson(jsonOfReport(report));
  else await print(textOfReport(report, flags.brief !== true));
}

async function reportFor(flags: TraceFlags): Promise<Report> {
  const { messageId, uniqueKey } = flags;
  if (messageId !== undefined && uniqueKey !== undefined)
    throw new UserError('--message-id and --unique-key name one message each: give one of them.');
  const id = messageId ?? uniqueKey;
  if (id !== undefined) return existing(flags, id, uniqueKey !== undefined);
  const plan = planOf(flags);
  return flags.namesrv === undefined ? ownReport(flags, plan) : attachedReport(flags, plan);
}

async function existing(flags: TraceFlags, id: string, isUniqueKey: boolean): Promise<Report> {
  const { store, topic, namesrv } = flags;
  if (store === undefined && namesrv === undefined)
    throw new UserError('Say where the message is: --store with a directory, or -n with a name server.');
  const view = store === undefined ? undefined : new StoreView(resolve(store), flags.commitlog);
  const servers = namesrv === undefined ? undefined : new Servers(flags);
  try {
    return await existingReport({ id, isUniqueKey, topic }, view, servers);
  } finally {
    servers?.close();
  }
}

async function ownReport(flags: TraceFlags, plan: Plan): Promise<Report> {
  const { store, config } = flags;
  const flush =
    flags.flush === undefined ? undefined : choiceOf<FlushMode>('--flush', flags.flush, ['async', 'sync']);
  const own = await startOwnBroker({ store, config, flush });
  try {
    const topic = topicOf(flags);
    const place = { address: own.address, broker: own.name, topic, queueId: 0 };
    const view = new StoreView(own.store, own.commitLog, own.indexSlots);
    const target: Target = { place, tls: false, requests: requestsOf(flags), own, store: view };
    announce(plan);
    return reportOf(await run(target, plan));
  } finally {
    await own.close();
  }
}

async function attachedReport(flags: TraceFlags, plan: Plan): Promise<Report> {
  if (flags.config !== undefined || flags.flush !== undefined)
    throw new UserError(
      '--config and --flush are for the broker that trace starts itself: leave them out beside -n.',
    );
  if (plan.retry && flags.group === undefined)
    throw new UserError(
      '--retry makes a group and its retry topic at that broker: say which group, --group NAME.',
    );
  const servers = new Servers(flags);
  try {
    const topic = topicOf(flags);
    const place = await queueOf(servers, topic, flags);
    const view = flags.store === undefined ? undefined : new StoreView(resolve(flags.store), flags.commitlog);
    const requests = requestsOf(flags);
    const target: Target = { place, tls: flags.tls === true, requests, own: undefined, store: view };
    announce(plan);
    return reportOf(await run(target, { ...plan, warm: 0 }));
  } finally {
    servers.close();
  }
}

async function queueOf(servers: Servers, topic: string, flags: TraceFlags): Promise<Queue> {
  const queues = writableQueues(topic, await requireRoute(servers, topic)).filter(
    ({ broker }) => flags.broker === undefined || broker === flags.broker,
  );
  const wanted = flags.queue === undefined ? undefined : numberOf('queue', flags.queue, 0, 1e9);
  const queue = queues.find(({ queueId }) => wanted === undefined || queueId === wanted);
  if (queue !== undefined) return queue;
  const at = flags.broker === undefined ? '' : ` at broker ${flags.broker}`;
  throw new Failure(
    `${topic} has no queue${wanted === undefined ? '' : ` ${wanted}`}${at} to send to: "ringmq topic show ${topic}" shows what it has.`,
  );
}

function requestsOf({ header }: TraceFlags): Requests {
  return new Requests(
    header === undefined ? 'json' : choiceOf('--header', header, ['json', 'rocketmq'] as const),
  );
}

function topicOf({ topic = TOPIC }: TraceFlags): string {
  const problem = topicNameProblem(topic);
  if (problem !== undefined) throw new UserError(`--topic ${topic} is not possible: ${problem}`);
  return topic;
}

function planOf(flags: TraceFlags): Plan {
  const { message = TEXT, key = KEY, tag = TAG, group, retry = false } = flags;
  const kinds = [flags.batch, flags.delayLevel, flags.delay, retry || undefined];
  if (kinds.filter((kind) => kind !== undefined).length > 1)
    throw new UserError(
      '--batch, --delay-level, --delay and --retry are kinds of their own: give one of them.',
    );
  if (message === '' || Buffer.byteLength(message) > LONGEST_TEXT)
    throw new UserError(`--message is not possible: give a text of 1 to ${LONGEST_TEXT} bytes.`);
  const problem = group === undefined ? undefined : groupNameProblem(group);
  if (problem !== undefined) throw new UserError(`--group ${group} is not possible: ${problem}`);
  const isOwn = flags.namesrv === undefined;
  return {
    ...{ text: message, key, tag, retry },
    count: flags.batch === undefined ? 1 : numberOf('batch', flags.batch, 2, MOST_BATCH),
    delayLevel: flags.delayLevel === undefined ? undefined : numberOf('delay-level', flags.delayLevel, 1, 18),
    delayMs: flags.delay === undefined ? undefined : delayOf(flags.delay),
    group: group ?? (isOwn ? OWN_GROUP : READER_GROUP),
    warm: numberOf('warm', flags.warm ?? WARM, 0, MOST_WARM),
  };
}

function delayOf(text: string): number {
  const span = requireSpan(text, `--delay ${text}`);
  if (span > 0 && span <= LONGEST_DELAY_MS) return span;
  throw new UserError(`--delay ${text} is not possible: give a span of up to ${spanText(LONGEST_DELAY_MS)}.`);
}

function announce({ delayMs = 0, delayLevel }: Plan): void {
  if (delayMs > LONG_MS) note(`The message comes in ${spanText(delayMs)} …`);
  if (delayLevel !== undefined) note(`The message comes when its delay level is over …`);
}
