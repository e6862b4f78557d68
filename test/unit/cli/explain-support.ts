/** A store with every file that RingMQ writes into one, made by the code that writes them. */
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DumpOptions, dumpStore } from '../../../src/cli/log/dump.ts';
import { keepActed } from '../../../src/delivery/acting/acted-timers.ts';
import { OrderInfo } from '../../../src/delivery/pop/order-info.ts';
import { TimerClock } from '../../../src/delivery/timer/timer-clock.ts';
import { TimerClockFile } from '../../../src/delivery/timer/timer-clock-file.ts';
import { ConsumerFilters } from '../../../src/metadata/consumer-filters.ts';
import { DelayOffsets } from '../../../src/metadata/delay-offsets.ts';
import { DelayTimes } from '../../../src/metadata/delay-times.ts';
import { newGroupConfig } from '../../../src/metadata/group-config.ts';
import { GroupTable } from '../../../src/metadata/groups.ts';
import { OffsetTable } from '../../../src/metadata/offsets.ts';
import { OrderInfos } from '../../../src/metadata/order-infos.ts';
import { RequestModes } from '../../../src/metadata/request-modes.ts';
import { RetryPolicy } from '../../../src/metadata/retry-policy.ts';
import { newTopicConfig } from '../../../src/metadata/topic-config.ts';
import { TopicTable } from '../../../src/metadata/topics.ts';
import type { RocketJson } from '../../../src/protocol/rocketmq-json.ts';
import type { Disk } from '../../../src/store/disk/disk.ts';
import { nativeDisk } from '../../../src/store/disk/native-disk.ts';
import type { StoreOptions } from '../../../src/store/options.ts';
import { cutDirectory, storePaths } from '../../../src/store/paths.ts';
import { noteBeginning } from '../../../src/store/recovery/beginning.ts';
import { noteDiverged } from '../../../src/store/recovery/diverged.ts';
import { markFailedSync } from '../../../src/store/recovery/failed-sync.ts';
import { writeRebuilding } from '../../../src/store/recovery/rebuilding.ts';
import { TopicStarts } from '../../../src/store/topic-starts.ts';
import { FakeTime, silentLog, testSettings } from '../metadata/support.ts';
import { makeStore, type TestStore } from './store-support.ts';

export async function makeFullStore(): Promise<TestStore> {
  const store = await makeStore();
  await writeConfig(store.root);
  writeOwn(store.root);
  const { root } = store;
  writeFileSync(storePaths.abort(root), String(process.pid));
  const cut = cutDirectory(join(root, 'commitlog'));
  mkdirSync(cut);
  cpSync(join(root, 'commitlog', '0'.repeat(20)), join(cut, `${'0'.repeat(20)}.cut`));
  const deleted = join(root, 'consumequeue', '.deleted', 'queues-0');
  cpSync(join(root, 'consumequeue', 'Events'), deleted, { recursive: true });
  return store;
}

async function writeConfig(root: string): Promise<void> {
  const directory = storePaths.config(root);
  const time = new FakeTime();
  const settings = testSettings();
  const topics = new TopicTable(directory, settings, time);
  topics.load();
  topics.update({ ...newTopicConfig('Orders', 2), attributes: new Map([['+message.type', 'NORMAL']]) });
  topics.mappings.set({ topic: 'fixed', totalQueues: 2, epoch: 1, scope: '__global__', queues: [0, 1] });
  const groups = new GroupTable(directory, settings, time);
  groups.load();
  const policy = {
    type: 'EXPONENTIAL',
    exponentialRetryPolicy: { initial: 5000, max: 60_000, multiplier: 2 },
  };
  const subscriptionDataSet = [{ topic: 'Orders', expression: '*', expressionType: 'TAG', version: 1 }];
  groups.update({
    ...newGroupConfig('buyers'),
    groupRetryPolicy: RetryPolicy.fromJson(policy),
    subscriptionDataSet: subscriptionDataSet as RocketJson,
    attributes: new Map([['+priority.factor', '10']]),
  });
  groups.setMayRead('buyers', 'Events', false);
  const offsets = new OffsetTable(directory, settings, time);
  offsets.load();
  offsets.commit('buyers', 'Orders', 0, 12);
  offsets.commit('buyers', '%LMQ%$Orders$lite', 0, 3);
  offsets.persist();
  const delays = new DelayOffsets(directory, settings, time);
  delays.set(3, 7);
  delays.persist();
  const modes = new RequestModes(directory);
  modes.set({ consumerGroup: 'buyers', mode: 'POP', popShareQueueNum: 1, topic: 'Orders' }, () => true);
  const filters = new ConsumerFilters(directory, time);
  filters.note('buyers', [{ topic: 'Orders', subString: 'a > 1', expressionType: 'SQL92', subVersion: 1n }]);
  filters.persist();
  const orders = new OrderInfos(directory);
  const order = new OrderInfo(time.now(), 30_000, 'attempt', [5, 6]);
  order.visible.set(5, time.now());
  order.counts.set(5, 1);
  orders.set('Orders', 'buyers', 0, order.toJson() as RocketJson);
  orders.persist();
  const times = new DelayTimes(directory, 'boot', silentLog);
  times.set(3, { skew: 1, stepped: false, spans: [{ end: 1, since: 2, seen: 3, skew: 4, stepped: false }] });
  times.persist();
  const files = [topics, topics.mappings, groups, offsets, delays, modes, filters, orders, times];
  await Promise.all(files.map((file) => file.saved()));
}

function writeOwn(root: string): void {
  const options = { directory: root, mappedFileSizeCommitLog: 1 } as StoreOptions;
  const starts = TopicStarts.load(nativeDisk, options, () => {});
  starts.ended('Gone', 100, 0);
  starts.ended('Both', 100, 0);
  starts.purged('Both', 200, 0);
  writeRebuilding(nativeDisk, options, [{ topic: 'Events', queueId: 1 }]);
  markFailedSync(nativeDisk, options, 300);
  noteBeginning(nativeDisk, options, 0);
  noteDiverged(nativeDisk, options, 400);
  const acting = storePaths.actingTimers(root);
  for (const place of [root, acting]) {
    nativeDisk.makeDirectory(place);
    keepActed(nativeDisk, place, [[100, 0xffffffff]], new FakeTime());
  }
  const clock = new TimerClockFile(nativeDisk, root, () => {});
  clock.keep(new TimerClock(new FakeTime(), 1000, 5));
  clock.keepTimes(5, {
    skew: 1,
    stepped: true,
    spans: [{ end: 1, since: 2, seen: 3, skew: 4, stepped: false }],
  });
}

export interface Explained {
  text: string;
  damages: number;
}

export function explained(root: string, options: DumpOptions = {}, disk: Disk = nativeDisk): Explained {
  let text = '';
  const damages = dumpStore(disk, root, { explain: true, ...options }, (part) => {
    text += part;
  });
  return { text, damages };
}

export type Line = Record<string, unknown> & { damage?: { at: number; text: string }[] };

/** JSON lines. */
export function explainedLines(root: string, options: DumpOptions = {}, disk: Disk = nativeDisk): Line[] {
  const { text } = explained(root, { ...options, json: true }, disk);
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
}
