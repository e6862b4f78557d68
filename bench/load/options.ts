import { parseArgs } from 'node:util';
import type { HeaderFormat } from './send-template.ts';

export interface LoadOptions {
  host: string;
  port: number;
  connections: number;
  /** Requests in flight per connection; in the open loop the most that may wait. */
  inFlight: number;
  /** Messages a second over all connections; 0 = closed loop. */
  rate: number;
  header: HeaderFormat;
  bodyBytes: number;
  topic: string;
  topics: number;
  queues: number;
  tag: string;
  keys: boolean;
  /** Number of this run: part of every unique key, so that no two runs share one. */
  run: number;
  warmupSeconds: number;
  /** The warm-up also ends after so many messages; 0 = by time only. */
  warmupMessages: number;
  seconds: number;
}

export const LOAD_USAGE = `usage: node dist/bench/load/main.js --port PORT [--host 127.0.0.1] [--connections 8] [--in-flight 32]
  [--rate MESSAGES_PER_SECOND] [--header json|binary] [--body BYTES] [--topic NAME] [--topics 1] [--queues 4]
  [--tag TagA] [--keys] [--run N] [--warmup SECONDS] [--warmup-messages N] [--seconds SECONDS]`;

function integer(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new Error(`--${name} must be a whole number from ${min} to ${max}, not "${text}"`);
  }
  return value;
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0) throw new Error(`--${name} must be a number >= 0, not "${text}"`);
  return value;
}

export function parseLoadOptions(args: string[]): LoadOptions {
  const { values } = parseArgs({
    args,
    options: {
      host: { type: 'string', default: '127.0.0.1' },
      port: { type: 'string', default: '' },
      connections: { type: 'string', default: '8' },
      'in-flight': { type: 'string', default: '32' },
      rate: { type: 'string', default: '0' },
      header: { type: 'string', default: 'json' },
      body: { type: 'string', default: '1024' },
      topic: { type: 'string', default: 'ringmq_bench' },
      topics: { type: 'string', default: '1' },
      queues: { type: 'string', default: '4' },
      tag: { type: 'string', default: 'TagA' },
      keys: { type: 'boolean', default: false },
      run: { type: 'string', default: '1' },
      warmup: { type: 'string', default: '2' },
      'warmup-messages': { type: 'string', default: '0' },
      seconds: { type: 'string', default: '5' },
    },
  });
  if (values.header !== 'json' && values.header !== 'binary')
    throw new Error('--header must be json or binary');
  return {
    host: values.host,
    port: integer('port', values.port, 1, 65535),
    connections: integer('connections', values.connections, 1, 4096),
    inFlight: integer('in-flight', values['in-flight'], 1, 65536),
    rate: positive('rate', values.rate),
    header: values.header,
    bodyBytes: integer('body', values.body, 1, 4 << 20),
    topic: values.topic,
    topics: integer('topics', values.topics, 1, 100_000),
    // a queue id is one patched digit: a leading zero would be a form that no client sends
    queues: integer('queues', values.queues, 1, 10),
    tag: values.tag,
    keys: values.keys,
    run: integer('run', values.run, 0, 0x7fffffff),
    warmupSeconds: positive('warmup', values.warmup),
    warmupMessages: integer('warmup-messages', values['warmup-messages'], 0, 1e12),
    seconds: positive('seconds', values.seconds),
  };
}
