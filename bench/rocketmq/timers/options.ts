/** What `npm run bench:timers` may be told. */
import { parseArgs } from 'node:util';
import { type Contestant, RINGMQ, ROCKETMQ } from '../contestant.ts';
import { count } from '../options.ts';

export interface TimersOptions {
  contestants: Contestant[];
  /** Of all connections together. */
  messages: number;
  /** They are due evenly over so many seconds. */
  spreadSeconds: number;
  /** From the first send until the first one is due: sending, resting and starting again must be over by then. */
  leadSeconds: number;
  /** Plain sends before everything else. */
  warmupSeconds: number;
  /** How long a broker is left alone before it counts as being at rest. */
  settleSeconds: number;
  /** How long the broker is watched at rest. */
  restSeconds: number;
  bodyBytes: number;
  /** The broker is killed and started again while all are pending. */
  kill: boolean;
  heap: string;
  json: string | undefined;
}

export const CONNECTIONS = 8;
/** As fast as the slower broker takes timed messages, and slower. */
const SENDS_A_SECOND = 8000;
/** For the start after kill -9, and what else takes its time. */
const LEAD_BASE_SECONDS = 60;

export const TIMERS_USAGE = `usage: npm run bench:timers -- [options]
  sends timed messages, watches the broker at rest with them, kills it, starts it again, and compares when each message
  comes with when it was due
  --target NAME      ringmq (default), rocketmq or both
  --messages N       how many (default 1000000), a multiple of ${CONNECTIONS}
  --spread SECONDS   over which they are due, evenly (default 60); 0 = all at once
  --lead SECONDS     from the first send until the first is due (default: N / ${SENDS_A_SECOND} + ${LEAD_BASE_SECONDS} + twice --settle + --rest)
  --settle SECONDS   how long the broker is left alone before (default 30)
  --rest SECONDS     how long CPU at rest is measured (default 10)
  --body BYTES       of each message (default 1024)
  --quick            20000 messages over 5 s, 20 s to settle, 4 s at rest: to see that it works, not to quote
  --no-kill          the broker lives on until all are delivered
  --heap SIZE        heap of RocketMQ's broker (default 4g)
  --json FILE        the result as JSON, too`;

const TARGETS: Record<string, Contestant[]> = {
  ringmq: [RINGMQ],
  rocketmq: [ROCKETMQ],
  both: [ROCKETMQ, RINGMQ],
};

/** What --quick changes of the defaults. */
const QUICK = { messages: '20000', spread: '5', settle: '20', rest: '4', base: 20, warmupSeconds: 5 };
const FULL = {
  messages: '1000000',
  spread: '60',
  settle: '30',
  rest: '10',
  base: LEAD_BASE_SECONDS,
  warmupSeconds: 20,
};

export function parseTimersOptions(args: string[]): TimersOptions {
  const { values } = parseArgs({
    args,
    options: {
      target: { type: 'string', default: 'ringmq' },
      messages: { type: 'string' },
      spread: { type: 'string' },
      lead: { type: 'string' },
      settle: { type: 'string' },
      rest: { type: 'string' },
      body: { type: 'string', default: '1024' },
      quick: { type: 'boolean', default: false },
      'no-kill': { type: 'boolean', default: false },
      heap: { type: 'string', default: '4g' },
      json: { type: 'string' },
    },
  });
  const contestants = TARGETS[values.target];
  if (contestants === undefined)
    throw new Error(`--target must be ringmq, rocketmq or both, not "${values.target}"`);
  if (!/^\d+[mg]$/i.test(values.heap)) throw new Error('--heap must be a size such as 4g or 512m');
  const defaults = values.quick ? QUICK : FULL;
  const messages = count('messages', values.messages ?? defaults.messages, CONNECTIONS);
  if (messages % CONNECTIONS !== 0) throw new Error(`--messages must be a multiple of ${CONNECTIONS}`);
  const restSeconds = count('rest', values.rest ?? defaults.rest, 1);
  const settleSeconds = count('settle', values.settle ?? defaults.settle, 0);
  const enough = Math.ceil(messages / SENDS_A_SECOND) + defaults.base + 2 * settleSeconds + restSeconds;
  return {
    contestants,
    messages,
    spreadSeconds: count('spread', values.spread ?? defaults.spread, 0),
    leadSeconds: values.lead === undefined ? enough : count('lead', values.lead, 1),
    warmupSeconds: defaults.warmupSeconds,
    settleSeconds,
    restSeconds,
    bodyBytes: count('body', values.body, 1),
    kill: !values['no-kill'],
    heap: values.heap,
    json: values.json,
  };
}
