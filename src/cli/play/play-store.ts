/** The store that `ringmq play` plays with: its tiny files, its configuration, and the directory that it is in. */
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { makeTemporaryStore, sweepTemporaryStores } from '../../embed/temporary-store.ts';
import { makeUsableDirectory } from '../../lib/files.ts';
import { UserError } from '../../lib/user-error.ts';
import { BLANK_BYTES } from '../../record/layout.ts';
import { RECORD_OVERHEAD, type StoreOptions } from '../../store/options.ts';
import { ENTRY_BYTES } from '../../store/queue/consume-queue.ts';

/** Topic and group that play makes for itself. */
export const PLAY_TOPIC = 'play';
export const PLAY_GROUP = 'players';
export const PLAY_QUEUES = 2;
export const PLAY_BROKER = 'play-broker';

/** The smallest whole pages that hold the largest record: 64 KiB of properties and topic, a body, a BLANK. */
export const SEGMENT_BYTES = 17 * 4096;
const LARGEST_BODY = SEGMENT_BYTES - RECORD_OVERHEAD - BLANK_BYTES;
export const ENTRIES_PER_QUEUE_FILE = 100;
export const INDEX = { slots: 100, entries: 400 };
/** Long enough that a person sees FLUSHED lag behind APPENDED. */
export const FLUSH_MS = 3000;

export type FlushType = StoreOptions['flushDiskType'];

export interface PlayStore {
  readonly directory: string;
  readonly configFile: string;
  readonly isTemporary: boolean;
  readonly flushType: FlushType;
  /** Removes what is temporary. */
  end(): void;
}

/** Its presence says that a store was made by play, and may be torn. */
const CONFIG_NAME = 'play.conf';

/** Makes it in a temporary directory, or in the one that is named, which is empty or was made by play before. */
export async function openPlayStore(given: string | undefined, flushType: FlushType): Promise<PlayStore> {
  if (given === undefined) {
    await sweepTemporaryStores();
    const { directory, remove } = makeTemporaryStore();
    return playStore(directory, flushType, true, remove);
  }
  const directory = resolve(given);
  makeUsableDirectory(directory);
  if (readdirSync(directory).length > 0 && !existsSync(join(directory, CONFIG_NAME))) {
    throw new UserError(
      `${directory} holds files that "ringmq play" has not made, and it damages files: ` +
        'give --store an empty directory, a new one, or one of an earlier play.',
    );
  }
  return playStore(directory, flushType, false, () => {});
}

function playStore(
  directory: string,
  flushType: FlushType,
  isTemporary: boolean,
  remove: () => void,
): PlayStore {
  const configFile = join(directory, CONFIG_NAME);
  writeFileSync(configFile, configText(flushType));
  return { directory, configFile, isTemporary, flushType, end: remove };
}

function configText(flushType: FlushType): string {
  const keys: readonly (readonly [string, string | number])[] = [
    ['brokerClusterName', 'play-cluster'],
    ['brokerName', PLAY_BROKER],
    ['mappedFileSizeCommitLog', SEGMENT_BYTES],
    ['maxMessageSize', LARGEST_BODY],
    ['ringmq.preallocateBytes', 4096],
    ['mappedFileSizeConsumeQueue', ENTRIES_PER_QUEUE_FILE * ENTRY_BYTES],
    ['maxHashSlotNum', INDEX.slots],
    ['maxIndexNum', INDEX.entries],
    ['flushDiskType', flushType],
    ['flushIntervalCommitLog', FLUSH_MS],
    ['metricsExporterType', 'PROM'],
    ['metricsPromExporterPort', 0],
    // Each agent of the engine in a thread of its own: more to look at, and to kill.
    ['ringmq.engineLayout', 'dedicated'],
    ['ringmq.networkThreads', 1],
    ['ringmq.vipChannel', 'false'],
    ['haListenPort', 0],
    // A disk of this machine that is nearly full is no reason to delete the files that somebody looks at.
    ['cleanFileForciblyEnable', 'false'],
  ];
  const lines = keys.map(([key, value]) => `${key}=${value}\n`);
  return `# The broker of "ringmq play", written anew at each of its starts.\n${lines.join('')}`;
}
