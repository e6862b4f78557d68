/** A broker of the command's own, in this process, whose threads note what they do. */
import { resolve } from 'node:path';
import { type LoadedBroker, loadBroker } from '../../config/load.ts';
import { TEMPORARY_STORE_OPTIONS } from '../../embed/broker-options.ts';
import { makeTemporaryStore, type TemporaryStore } from '../../embed/temporary-store.ts';
import type { ControlLog } from '../../lib/log.ts';
import { UserError } from '../../lib/user-error.ts';
import { createTrace, type Note, TraceReader } from '../../ring/trace-notes.ts';
import { nativeDisk } from '../../store/disk/native-disk.ts';
import { awaitsFlush } from '../../store/options.ts';
import { participantsOf } from '../../threads/participants.ts';
import { note } from '../admin/output.ts';
import { brokerConfig } from '../broker-start.ts';

const BROKER_NAME = 'ringmq-trace';
/** One network thread: the way of a message is the same with several. */
const NETWORK_THREADS = 1;
const ENGINE = ['writer', 'flusher', 'dispatcher', 'delivery'];

export type FlushMode = 'async' | 'sync';

export interface OwnBrokerOptions {
  /** Where the store stays; undefined: a temporary one that goes with the broker. */
  store: string | undefined;
  config: string | undefined;
  flush: FlushMode | undefined;
}

export interface OwnBroker {
  address: string;
  name: string;
  store: string;
  commitLog: string;
  indexSlots: number;
  /** The position that has to be past a message before it is acknowledged. */
  confirmed: 'APPENDED' | 'FLUSHED';
  /** What a reader of the trace wants to know of it. */
  facts: [string, string][];
  /** Names of the participants by their number. */
  participants: string[];
  /** Notes since the last call. */
  notes(): Note[];
  /** Stops the broker and removes a temporary store. */
  close(): Promise<void>;
}

export async function startOwnBroker(options: OwnBrokerOptions): Promise<OwnBroker> {
  const temporary = options.store === undefined ? makeTemporaryStore() : undefined;
  try {
    return await start(options, temporary);
  } catch (error) {
    temporary?.remove();
    throw error;
  }
}

async function start(options: OwnBrokerOptions, temporary: TemporaryStore | undefined): Promise<OwnBroker> {
  const directory = temporary?.directory ?? newDirectory(resolve(options.store ?? ''));
  const loaded = load(options, directory);
  const { values } = loaded;
  const network = Array.from({ length: NETWORK_THREADS }, (_, i) => `network-${i}`);
  const trace = createTrace([...network, ...ENGINE]);
  const reader = new TraceReader(trace);
  const { startBroker } = await import('../../threads/broker.ts');
  const broker = await startBroker({ ...brokerConfig(loaded, quietLog, []), trace });
  return {
    address: broker.address,
    name: values.settings.brokerName,
    store: values.store.directory,
    commitLog: values.store.commitLogDirectory,
    indexSlots: values.store.maxHashSlotNum,
    confirmed: awaitsFlush(values.store) ? 'FLUSHED' : 'APPENDED',
    facts: factsOf(loaded, broker.address, temporary !== undefined),
    participants: participantsOf(NETWORK_THREADS, false).map(({ name }) => name),
    notes: () => reader.take(),
    close: async () => {
      await broker.close();
      temporary?.remove();
    },
  };
}

function load({ config, flush }: OwnBrokerOptions, store: string): LoadedBroker {
  const flags = { store, port: '0', host: '127.0.0.1', networkThreads: String(NETWORK_THREADS) };
  const loaded = loadBroker({ ...flags, ...(config === undefined ? {} : { config }) });
  const { settings, store: options, replication } = loaded.values;
  if (replication.brokerRole === 'SLAVE')
    throw new UserError('A slave takes no message to be followed: give a configuration of a master.');
  if (config === undefined) Object.assign(options, TEMPORARY_STORE_OPTIONS);
  if (flush !== undefined) options.flushDiskType = flush === 'sync' ? 'SYNC_FLUSH' : 'ASYNC_FLUSH';
  if (config === undefined) settings.brokerName = BROKER_NAME;
  return loaded;
}

/** A store that is in use, or has the messages of others, is not for trying things out. */
function newDirectory(directory: string): string {
  if (nativeDisk.list(directory).length === 0) return directory;
  throw new UserError(
    `${directory} is not empty: give --store a new directory for the broker of this trace, say which broker to ` +
      'follow a message in (-n host:port), or which message of this store to explain (--message-id, --unique-key).',
  );
}

function factsOf({ values }: LoadedBroker, address: string, isTemporary: boolean): [string, string][] {
  const { store, listener } = values;
  const pause = `every ${store.flushIntervalCommitLog} ms`;
  return [
    [
      'broker',
      `started for this trace at ${address}, threads placed as in ringmq.engineLayout=${listener.engineLayout}`,
    ],
    ['store', isTemporary ? 'temporary, removed at the end (--store DIR keeps it)' : store.directory],
    [
      'flush',
      store.flushDiskType === 'SYNC_FLUSH'
        ? 'SYNC_FLUSH: acknowledged when it is on the device'
        : `ASYNC_FLUSH: acknowledged when it is in the page cache; a sync comes ${pause}`,
    ],
  ];
}

const quietLog: ControlLog = {
  info: () => {},
  warn: (_, message) => note(`broker: ${message}`),
  error: (_, message) => note(`broker: ${message}`),
};
