/** What `npm run bench:threads` may be told. */
import { parseArgs } from 'node:util';
import { count } from '../options.ts';
import { PLACEMENTS, type Placement } from './pinning.ts';
import { SHAPES, type Shape } from './shapes.ts';

export interface ThreadsOptions {
  shapes: Shape[];
  networkThreads: number[];
  header: 'json' | 'binary';
  pin: Placement;
  busyPollMicros: number;
  rounds: number;
  isQuick: boolean;
  json: string | undefined;
  markdown: string | undefined;
}

export const THREADS_USAGE = `usage: npm run bench:threads -- [options]
  CPU a message by thread of RingMQ, with several numbers of network threads by turns; what limits each
  --scenario NAME   ${SHAPES.map(({ name }) => name).join(', ')}; more than once (default all)
  --network N       so many network threads, layout dedicated; more than once (default 1, 2 and 4)
  --header KIND     json (default) or binary, of the requests
  --pin HOW         split: network threads and generator on one processor, the rest on another; together: the
                    broker on one, the generator on another; each: a processor for each thread; none
                    (default: each where there are enough processors, else split)
  --busy-poll N     ringmq.busyPollMicros of the broker (default 0: who waits would count as who works)
  --rounds N        of each (default 3; with --quick 1)
  --quick           shorter: to see that it works, not to quote
  --json FILE       the result as JSON, too
  --markdown FILE   the page, too`;

export function parseThreadsOptions(args: string[]): ThreadsOptions {
  const { values } = parseArgs({
    args,
    options: {
      scenario: { type: 'string', multiple: true, default: [] },
      network: { type: 'string', multiple: true, default: ['1', '2', '4'] },
      header: { type: 'string', default: 'json' },
      pin: { type: 'string', default: 'auto' },
      'busy-poll': { type: 'string', default: '0' },
      rounds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      json: { type: 'string' },
      markdown: { type: 'string' },
    },
  });
  const { scenario, header, json, markdown, quick: isQuick } = values;
  if (header !== 'json' && header !== 'binary') throw new Error('--header must be json or binary');
  const pin = PLACEMENTS.find((placement) => placement === values.pin);
  if (pin === undefined) throw new Error(`--pin must be one of ${PLACEMENTS.join(', ')}`);
  const unknown = scenario.find((name) => !SHAPES.some((shape) => shape.name === name));
  if (unknown !== undefined) throw new Error(`there is no scenario "${unknown}" here`);
  return {
    shapes: SHAPES.filter(({ name }) => scenario.length === 0 || scenario.includes(name)),
    networkThreads: values.network.map((text) => count('network', text, 1)),
    header,
    pin,
    busyPollMicros: count('busy-poll', values['busy-poll'], 0),
    rounds: count('rounds', values.rounds ?? (isQuick ? '1' : '3'), 1),
    isQuick,
    json,
    markdown,
  };
}
