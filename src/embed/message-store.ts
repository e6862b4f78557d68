/** The store as a library for programs: messages go in and come out as objects, in this thread, without network. */
import { unreachable } from '../lib/assert.ts';
import { systemClock } from '../lib/clock.ts';
import { decodeRecord, messageIdOf, type StoredMessage } from '../record/decode.ts';
import type { RecordHead } from '../record/encode.ts';
import { MAX_PROPERTIES } from '../record/layout.ts';
import { encodeProperties } from '../record/properties.ts';
import type { Appended } from '../store/appended.ts';
import { openStore as openEngine, type Store, type StoreSetup } from '../store/store.ts';
import { checkStore, checkStoreOption } from './broker-options.ts';
import { checkMessage, checkPosition, checkQueue, checkTopicName } from './check-message.ts';
import { badOption, type Check, checked, isDirectory } from './check-options.ts';
import { RingMQError } from './error.ts';
import { errorOf } from './error-report.ts';
import { startReport } from './explain.ts';
import { ASYNC_DISPOSE, hostProcess } from './host-process.ts';
import type { EmbeddedStoreOptions } from './options.ts';

const CALL = 'openStore';
const LOOPBACK = { address: Uint8Array.of(127, 0, 0, 1), port: 0 };
const READ_AHEAD = 256;

export interface MessageStoreOptions {
  /** Root directory of the store, a broker's own or a new one; made when missing. */
  directory: string;
  /** Default: those of a broker. A store keeps the sizes of files that it was made with. */
  options?: EmbeddedStoreOptions;
  /** Called with a line about what was found damaged at the opening, and what was done. Default: stderr. */
  warn?: (line: string) => void;
}

/** A message to append. */
export interface MessageToStore {
  topic: string;
  /** Default 0. */
  queueId?: number;
  body: Uint8Array | string;
  /**
   * RocketMQ's own are among them: `TAGS`, `KEYS` (separated by blanks), `UNIQ_KEY`. No \x00, \x01 or \x02 may stand in
   * them.
   */
  properties?: Readonly<Record<string, string>>;
  /** Ms since 1970. Default: now. */
  bornTimestamp?: number;
  /** The application's own 32 bits. Default 0. */
  flag?: number;
}

/** A message as it is stored. */
export interface ReadMessage extends StoredMessage {
  /** Offset message id: store host and position in the log, in hex. */
  messageId: string;
}

export interface StoredQueue {
  topic: string;
  queueId: number;
  /** Offset of the first message that is still there. */
  minOffset: number;
  /** One more than the offset of the last message. */
  maxOffset: number;
}

/**
 * A store that this program alone has open: a broker's directory may be opened when the broker is stopped. `append`
 * writes, `flush` makes durable, `dispatch` enters into queues and index; a crash before `flush` may cost what a broker
 * would not have acknowledged yet.
 */
export interface MessageStore {
  readonly directory: string;
  /**
   * Appends one message; it is neither durable nor visible yet. Throws `RINGMQ_BAD_OPTION` for what cannot be a
   * message, and when the log does not take it.
   */
  append(message: MessageToStore): Appended;
  /** Makes everything appended durable. */
  flush(): void;
  /** Makes visible what was appended: for the log (`messages`), queues and index. */
  dispatch(): void;
  /**
   * All messages in the order in which they were stored, from a position of the log on: 0, or the `physicalOffset` of a
   * message. Ends where the log ends when it gets there. Throws where the log is damaged or cannot be read, and
   * `RINGMQ_CLOSED` when the store was closed meanwhile.
   */
  messages(from?: number): IterableIterator<ReadMessage>;
  /** The messages of one queue, from a queue offset on; a queue that does not exist has none. */
  queueMessages(topic: string, queueId: number, fromOffset?: number): IterableIterator<ReadMessage>;
  queues(): StoredQueue[];
  /** Deletes the queues of a topic; a message to it makes the topic anew, counting from 0. */
  deleteTopic(topic: string): void;
  /** Flushes, dispatches and closes. Resolves whether the store was left clean: else the next opening recovers. */
  close(): Promise<boolean>;
  /** `await using store = openStore({ directory })` closes it at the end of the block. */
  [Symbol.asyncDispose](): Promise<void>;
}

const isFunction: Check = (value) => (typeof value === 'function' ? undefined : 'a function');

const OPTION_CHECKS: ReadonlyMap<string, Check> = new Map([
  ['directory', isDirectory],
  ['options', checkStoreOption],
  ['warn', isFunction],
]);

/**
 * Opens a store, after recovering it when its last user has not closed it. Throws a `RingMQError`: `RINGMQ_BAD_OPTION`,
 * `RINGMQ_STORE_IN_USE` or `RINGMQ_START_FAILED`.
 */
export function openStore(setup: MessageStoreOptions): MessageStore {
  const { directory, options, warn } = checked<MessageStoreOptions>(CALL, '', setup, OPTION_CHECKS);
  if (directory === undefined) throw badOption(CALL, 'the option directory is missing.');
  checkStore(CALL, options);
  const store = opened({ directory, options: options ?? {}, warn: warn ?? toStderr });
  let closing: Promise<boolean> | undefined;
  const close = () => {
    closing ??= store.close();
    return closing;
  };
  const open = () => {
    if (closing !== undefined) throw new RingMQError('RINGMQ_CLOSED', `the store ${directory} is closed.`);
    return store;
  };
  return {
    directory,
    append: (message) => append(open(), checkMessage(message)),
    flush: () => open().flush(),
    dispatch: () => open().dispatch(),
    messages: (from) => decoded(open().records(checkPosition('messages', 'from', from)), open),
    queueMessages: (topic, queueId, fromOffset) => {
      checkQueue(topic, queueId);
      const from = checkPosition('queueMessages', 'fromOffset', fromOffset);
      return decoded(queueRecords(open(), topic, queueId, from), open);
    },
    queues: () => queuesOf(open()),
    deleteTopic: (topic) => open().deleteTopic(checkTopicName('deleteTopic', topic)),
    close,
    [ASYNC_DISPOSE]: async () => void (await close()),
  };
}

function toStderr(line: string): void {
  hostProcess.stderr.write(`ringmq: ${line}\n`);
}

function opened(setup: StoreSetup): Store {
  try {
    return openEngine(setup);
  } catch (error) {
    throw errorOf(startReport(CALL, error));
  }
}

function append(store: Store, message: MessageToStore): Appended {
  const { topic, queueId = 0, body, properties = {}, bornTimestamp = systemClock.now(), flag = 0 } = message;
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  const text = encodeProperties(Object.entries(properties));
  const problem = sizeProblem(store, bytes, text);
  if (problem !== undefined) throw badOption('append', problem);
  const head: RecordHead = {
    queueId,
    flag,
    sysFlag: 0,
    bornTimestamp,
    bornHost: LOOPBACK,
    storeHost: LOOPBACK,
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
  };
  return store.append(topic, head, bytes, text);
}

function sizeProblem(store: Store, body: Uint8Array, properties: string): string | undefined {
  const { maxMessageSize } = store.options;
  if (body.length > maxMessageSize) {
    return `a body of ${body.length} bytes is longer than maxMessageSize, ${maxMessageSize}.`;
  }
  const length = Buffer.byteLength(properties);
  return length > MAX_PROPERTIES
    ? `the properties take ${length} bytes, and at most ${MAX_PROPERTIES} fit.`
    : undefined;
}

function queuesOf(store: Store): StoredQueue[] {
  return [...store.queues()].map(({ topic, queueId, id }) => ({
    topic,
    queueId,
    minOffset: store.directory.minimum(id),
    maxOffset: store.directory.maximum(id),
  }));
}

function* queueRecords(store: Store, topic: string, queueId: number, from = 0): Generator<Uint8Array> {
  const queue = store.queue(topic, queueId);
  if (queue === undefined) return;
  let at = Math.max(from, store.directory.minimum(queue.id));
  while (at < store.directory.maximum(queue.id)) {
    const entries = store.reader.readQueue(queue, at, READ_AHEAD);
    if (entries.length === 0) return;
    for (const { physicalOffset, queueOffset } of entries) {
      const record = store.reader.recordAt(physicalOffset);
      if (record === undefined) {
        throw new Error(
          `The log has no record at ${physicalOffset}, where ${topic}/${queueId} has ${queueOffset}.`,
        );
      }
      yield record;
    }
    at = (entries.at(-1) as { queueOffset: number }).queueOffset + 1;
  }
}

/** `checkOpen` throws when the store was closed since the last step: its files are not there any more. */
function* decoded(records: Iterable<Uint8Array>, checkOpen: () => unknown): Generator<ReadMessage> {
  checkOpen();
  for (const record of records) {
    const message = decodeRecord(record) ?? unreachable('a record that the reader has found sound');
    yield { ...message, messageId: messageIdOf(message) };
    checkOpen();
  }
}
