import { parseArgs } from 'node:util';
import { DELAY_LEVELS, type DuePlan } from './due.ts';
import type { HeaderFormat } from './send-template.ts';

export const MODES = ['send', 'pull', 'pop', 'end-to-end', 'collect', 'request'] as const;
export type LoadMode = (typeof MODES)[number];

export interface LoadOptions {
  mode: LoadMode;
  host: string;
  port: number;
  /** Where the gRPC proxy in front of the broker is, on the same host; 0 = go to the broker itself. */
  proxyPort: number;
  /** Encrypt, whatever certificate is shown. */
  tls: boolean;
  connections: number;
  /** Requests in flight per connection; in the open loop the most that may wait. */
  inFlight: number;
  /** Messages a second over all connections; 0 = closed loop. */
  rate: number;
  header: HeaderFormat;
  bodyBytes: number;
  /** Messages in a send request; more than one makes it a batch. */
  batch: number;
  topic: string;
  topics: number;
  queues: number;
  tag: string;
  keys: boolean;
  /** When messages are to come: sends ask for it, collecting compares with it. */
  due: DuePlan;
  /** Half messages, each committed when it was answered; a message counts when its commit is answered. */
  transaction: boolean;
  /** Send: messages in all, sent at once and measured as a whole; 0 = by time. */
  messages: number;
  /** Look for replies, and in the open loop at the clock, all the time instead of sleeping in between. */
  poll: boolean;
  /** Number of this run: part of every unique key, so that no two runs share one. */
  run: number;
  warmupSeconds: number;
  /** The warm-up also ends after so many messages; 0 = by time only. */
  warmupMessages: number;
  seconds: number;
  /** File with the keys that were sent: sends add to it, pulls are checked against it; '' = none. */
  ledger: string;
  /** Pull: keys that must be there, besides those of the ledger. */
  expect: ExpectedKeys[];
  group: string;
  /** The consumers' SQL92 filter; '' = all messages. Those that it leaves out count as gaps. */
  sql: string;
  /** Messages that one pull or pop may bring. */
  pullBatch: number;
  /** Pop: the broker's, which acknowledgements name. */
  brokerName: string;
  /** Pull and pop: one pass from start to end, without warm-up and however long it takes. */
  once: boolean;
  /** Pull: where a pass begins, as a fraction of each queue. */
  fromFraction: number;
  /** Request: the topic that replies are sent to. */
  replyTopic: string;
  /** End-to-end, request and collect: connections that pull; the queues are dealt out to them. */
  consumers: number;
  /** After the measured phase (collect: after the last message is due): how long to go on for the ledger's sake. */
  drainSeconds: number;
}

/** Keys 0 … count - 1 of each of the connections 0 … connections - 1 of a run, all acknowledged. */
export interface ExpectedKeys {
  run: number;
  connections: number;
  count: number;
}

export const LOAD_USAGE = `usage: node dist/bench/load/main.js --port PORT [--mode send|pull|pop|end-to-end|request|collect] [--host 127.0.0.1]
  send, pop:  [--proxy-port PORT]
  all modes:  [--tls] [--connections 8] [--header json|binary] [--topic NAME] [--topics 1] [--queues 4] [--run N]
              [--warmup SECONDS] [--warmup-messages N] [--seconds SECONDS] [--ledger FILE]
  sending:    [--in-flight 32] [--rate MESSAGES_PER_SECOND] [--body BYTES] [--batch 1] [--tag TagA] [--keys]
              [--poll] [--transaction] [--messages N]
              [--delay-level 1..18 | --timer-delay MILLIS | --deliver-at MILLIS_SINCE_1970 [--spread MILLIS]]
  pulling:    [--pull-batch 32] [--group NAME] [--sql EXPRESSION] [--drain SECONDS]
  pop:        [--broker-name NAME] [--once] [--expect ...]
  pull:       [--once] [--from-fraction 0..1] [--expect RUN:CONNECTIONS:COUNT_PER_CONNECTION,...]
  end-to-end: [--consumers 4]
  request:    [--consumers 4] [--reply-topic NAME]
  collect:    --ledger FILE [--consumers 4], and when the messages are due, as they were sent`;

const LARGEST_BODY = 4 << 20;
const MAX_RUN = 0x7fffffff;
const MAX_CONNECTIONS = 4096;
/** Times of 13 digits, which frames have room for. */
const EARLIEST_MILLIS = 1_000_000_000_000;
const LATEST_MILLIS = 9_999_999_999_999;

function integer(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (text === '' || !Number.isInteger(value) || value < min || value > max) {
    throw new Error(`--${name} must be a whole number from ${min} to ${max}, not "${text}"`);
  }
  return value;
}

function positive(name: string, text: string, max = Number.MAX_VALUE): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0 || value > max) {
    const limit = max === Number.MAX_VALUE ? '>= 0' : `from 0 to ${max}`;
    throw new Error(`--${name} must be a number ${limit}, not "${text}"`);
  }
  return value;
}

function oneOf<T extends string>(name: string, text: string, allowed: readonly T[]): T {
  const found = allowed.find((value) => value === text);
  if (found === undefined) throw new Error(`--${name} must be ${allowed.join(' or ')}, not "${text}"`);
  return found;
}

function expectedKeys(text: string): ExpectedKeys[] {
  if (text === '') return [];
  return text.split(',').map((part) => {
    const [run, connections, count, ...rest] = part.split(':');
    if (count === undefined || rest.length > 0) {
      throw new Error(`--expect takes RUN:CONNECTIONS:COUNT_PER_CONNECTION, not "${part}"`);
    }
    return {
      run: integer('expect (run)', run as string, 0, MAX_RUN),
      connections: integer('expect (connections)', connections as string, 1, MAX_CONNECTIONS),
      count: integer('expect (count)', count, 0, MAX_RUN),
    };
  });
}

const DEFAULTS = {
  mode: 'send',
  host: '127.0.0.1',
  port: '',
  'proxy-port': '0',
  connections: '8',
  'in-flight': '32',
  rate: '0',
  header: 'json',
  body: '1024',
  batch: '1',
  topic: 'ringmq_bench',
  topics: '1',
  queues: '4',
  tag: 'TagA',
  run: '1',
  warmup: '2',
  'warmup-messages': '0',
  seconds: '5',
  ledger: '',
  expect: '',
  group: 'ringmq_bench_consumers',
  sql: '',
  'pull-batch': '32',
  'broker-name': 'broker',
  'from-fraction': '0',
  consumers: '4',
  drain: '60',
  'reply-topic': 'DefaultCluster_REPLY_TOPIC',
  messages: '0',
  'delay-level': '0',
  'timer-delay': '0',
  'deliver-at': '0',
  spread: '0',
};

type TextOption = keyof typeof DEFAULTS;

const TEXT_OPTIONS = Object.fromEntries(
  Object.entries(DEFAULTS).map(([name, value]) => [name, { type: 'string', default: value }]),
) as Record<TextOption, { type: 'string'; default: string }>;

/** What an option means only in other modes would be ignored silently: better an error. */
function checkTogether(options: LoadOptions): void {
  const { mode } = options;
  const refuse = (given: boolean, name: string, needs: string): void => {
    if (given) throw new Error(`--${name} belongs to --mode ${needs}, not ${mode}`);
  };
  const reads = mode === 'pull' || mode === 'pop' || mode === 'collect';
  refuse(reads && options.rate > 0, 'rate', 'send or end-to-end');
  refuse(reads && options.poll, 'poll', 'send or end-to-end');
  refuse(reads && options.batch > 1, 'batch', 'send or end-to-end');
  refuse(reads && options.transaction, 'transaction', 'send or end-to-end');
  refuse((mode === 'send' || mode === 'pop') && options.sql !== '', 'sql', 'pull, end-to-end or collect');
  refuse(mode !== 'pull' && mode !== 'pop' && options.once, 'once', 'pull or pop');
  refuse(mode !== 'pull' && options.fromFraction > 0, 'from-fraction', 'pull');
  refuse(mode !== 'pull' && mode !== 'pop' && options.expect.length > 0, 'expect', 'pull or pop');
  if (options.batch * options.bodyBytes > LARGEST_BODY) {
    throw new Error(`--batch ${options.batch} of --body ${options.bodyBytes} is more than a broker's 4 MiB`);
  }
  checkDue(options, refuse);
  checkRequests(options);
  checkProxy(options);
  if (mode === 'pop' && (options.header !== 'json' || options.topics > 1))
    throw new Error('--mode pop has one topic and JSON headers only');
}

/** Each request is a message of its own, and its reply comes as soon as there is one. */
function checkRequests({ mode, batch, due, transaction, header, messages }: LoadOptions): void {
  if (mode !== 'request') return;
  const later = due.delayLevel + due.timerDelayMillis + due.deliverAt > 0;
  if (batch > 1 || later || transaction || messages > 0) {
    throw new Error('--mode request goes without --batch, --transaction, --messages and times of delivery');
  }
  if (header !== 'json') throw new Error('--mode request has JSON headers only');
}

/** What the proxy's calls are made for. */
function checkProxy({ mode, proxyPort, tls, batch, transaction, topics, due, ledger }: LoadOptions): void {
  if (proxyPort === 0) return;
  if (mode !== 'send' && mode !== 'pop') throw new Error('--proxy-port belongs to --mode send or pop');
  const later = due.delayLevel + due.timerDelayMillis + due.deliverAt > 0;
  if (tls || batch > 1 || transaction || topics > 1 || later || (mode === 'send' && ledger !== ''))
    throw new Error(
      '--proxy-port goes without --tls, --batch, --transaction, --topics and times, sends without --ledger',
    );
}

function checkDue(options: LoadOptions, refuse: (given: boolean, name: string, needs: string) => void): void {
  const { mode, due, messages, connections, batch, rate, transaction } = options;
  const ways = [due.delayLevel, due.timerDelayMillis, due.deliverAt].filter((way) => way > 0).length;
  refuse(
    (mode === 'pull' || mode === 'pop') && ways > 0,
    'delay-level, --timer-delay or --deliver-at',
    'send or end-to-end',
  );
  refuse(mode === 'end-to-end' && due.deliverAt > 0, 'deliver-at', 'send or collect');
  refuse(
    mode !== 'send' && mode !== 'collect' && mode !== 'request' && messages > 0,
    'messages',
    'send or collect',
  );
  if (due.deliverAt > 0 && due.deliverAt < EARLIEST_MILLIS)
    throw new Error('--deliver-at is a time in milliseconds since 1970, of 13 digits');
  if (ways > 1) throw new Error('--delay-level, --timer-delay and --deliver-at exclude each other');
  if ((ways > 0 || transaction) && batch > 1)
    throw new Error('--batch is for messages that come at once: brokers refuse others in batches');
  if (transaction && ways > 0) throw new Error('--transaction does not go with messages that come later');
  if (messages > 0 && rate > 0) throw new Error('--messages are sent in the closed loop: leave --rate out');
  if (messages % (connections * batch) !== 0)
    throw new Error(`--messages ${messages} must be a multiple of --connections times --batch`);
  if (due.spreadMillis > 0 && (due.deliverAt === 0 || messages === 0))
    throw new Error('--spread needs --deliver-at and --messages');
  if (mode === 'collect' && options.ledger === '')
    throw new Error('--mode collect needs the --ledger of what was sent');
}

export function parseLoadOptions(args: string[]): LoadOptions {
  const { values } = parseArgs({
    args,
    options: {
      ...TEXT_OPTIONS,
      keys: { type: 'boolean', default: false },
      once: { type: 'boolean', default: false },
      poll: { type: 'boolean', default: false },
      transaction: { type: 'boolean', default: false },
      tls: { type: 'boolean', default: false },
    },
  });
  const text = (name: TextOption): string => values[name];
  const whole = (name: TextOption, min: number, max: number): number => integer(name, text(name), min, max);
  const messages = whole('messages', 0, MAX_RUN);
  const connections = whole('connections', 1, MAX_CONNECTIONS);
  const due: DuePlan = {
    delayLevel: whole('delay-level', 0, DELAY_LEVELS),
    timerDelayMillis: whole('timer-delay', 0, MAX_RUN),
    deliverAt: whole('deliver-at', 0, LATEST_MILLIS),
    spreadMillis: whole('spread', 0, MAX_RUN),
    messagesEach: messages / connections,
  };
  const options: LoadOptions = {
    mode: oneOf('mode', text('mode'), MODES),
    host: text('host'),
    port: whole('port', 1, 65535),
    proxyPort: whole('proxy-port', 0, 65535),
    tls: values.tls,
    connections,
    inFlight: whole('in-flight', 1, 65536),
    rate: positive('rate', text('rate')),
    header: oneOf('header', text('header'), ['json', 'binary']),
    bodyBytes: whole('body', 1, LARGEST_BODY),
    batch: whole('batch', 1, LARGEST_BODY),
    topic: text('topic'),
    topics: whole('topics', 1, 100_000),
    // a queue id is one patched digit: a leading zero would be a form that no client sends
    queues: whole('queues', 1, 10),
    tag: text('tag'),
    keys: values.keys,
    due,
    transaction: values.transaction,
    messages,
    poll: values.poll,
    run: whole('run', 0, MAX_RUN),
    warmupSeconds: positive('warmup', text('warmup')),
    warmupMessages: whole('warmup-messages', 0, 1e12),
    seconds: positive('seconds', text('seconds')),
    ledger: text('ledger'),
    expect: expectedKeys(text('expect')),
    group: text('group'),
    sql: text('sql'),
    pullBatch: whole('pull-batch', 1, 65536),
    brokerName: text('broker-name'),
    once: values.once,
    fromFraction: positive('from-fraction', text('from-fraction'), 1),
    consumers: whole('consumers', 1, MAX_CONNECTIONS),
    drainSeconds: positive('drain', text('drain')),
    replyTopic: text('reply-topic'),
  };
  checkTogether(options);
  return options;
}
