/** The parts of play's picture. Each makes lines of a given width of a state; pure. */
import type { Segment } from './log-files.ts';
import { ENTRIES_PER_QUEUE_FILE } from './play-store.ts';
import type { Line, Span } from './spans.ts';
import type { PlayState, PositionState, ThreadState } from './state.ts';

/** What bars are drawn with. */
export interface Glyphs {
  readonly synced: string;
  readonly written: string;
  readonly room: string;
  readonly none: string;
  readonly damaged: string;
}

export const BLOCKS: Glyphs = { synced: '█', written: '▒', room: '·', none: ' ', damaged: 'X' };
export const ASCII: Glyphs = { synced: '#', written: '=', room: '.', none: ' ', damaged: 'X' };

export interface Panel {
  readonly title: Line;
  /** The most important first; a picture without room leaves out the last. */
  readonly lines: readonly Line[];
}

const number = (value: number): string => value.toLocaleString('en-US');
const percent = (ratio: number): string => {
  if (ratio === 0) return '0 %';
  if (ratio < 0.0001) return '<0.01 %';
  return `${(ratio * 100).toFixed(ratio < 0.0995 ? 2 : 0)} %`;
};

/** From whom to whom; the metrics name one side. */
const RING_ENDS: Readonly<Record<string, (thread: string) => string>> = {
  send: (thread) => `${thread} > writer`,
  replies: (thread) => `writer > ${thread}`,
  arrivals: (thread) => `dispatcher > ${thread}`,
  'link-up': (thread) => `${thread} > control`,
  'link-down': (thread) => `control > ${thread}`,
  questions: (thread) => `${thread} > delivery`,
  answers: (thread) => `delivery > ${thread}`,
};
const NOTHING: Line = [['nothing yet', 'dim']];

export function ringsPanel({ live }: PlayState, width: number, glyphs: Glyphs): Panel {
  const title: Line = [
    ['RINGS', 'title'],
    ['  full now / at the most', 'dim'],
  ];
  if (live === undefined) return { title, lines: [NOTHING] };
  // A message passes by the network thread: its rings first, others when something was in them.
  const used = live.rings.filter(({ thread, peak }) => rank(thread) === 0 || peak > 0);
  const sorted = used.sort((a, b) => rank(a.thread) - rank(b.thread));
  const lines = sorted.map(({ ring, thread, fill, peak }): Line => {
    const ends = RING_ENDS[ring]?.(thread) ?? thread;
    const figures = `${percent(fill)} / ${percent(peak)}`.padStart(17);
    const name = `${ring.padEnd(10)}${ends}`.padEnd(33);
    const room = width - name.length - figures.length - 4;
    if (room < 0) return narrowRing(ring, ends, fill, peak, width);
    const gauge: Span[] = room < 4 ? [] : ['[', bar(fill, room, glyphs), '] '];
    return [name, ...gauge, peak > 0 ? figures : [figures, 'dim']];
  });
  return { title, lines };
}

/** Of 39 columns: there is one network thread, so that its number says nothing. */
function narrowRing(ring: string, ends: string, fill: number, peak: number, width: number): Line {
  const name = `${ring.padEnd(10)}${ends.replaceAll(' ', '').replaceAll('-0', '')} `;
  const figures = `${percent(fill).replace(' %', '')}/${percent(peak)}`;
  return [name, [figures.padStart(width - name.length), peak > 0 ? 'plain' : 'dim']];
}

function rank(thread: string): number {
  return thread.startsWith('network') ? 0 : 1;
}

function bar(ratio: number, width: number, glyphs: Glyphs): string {
  const filled = ratio === 0 ? 0 : Math.max(1, Math.round(ratio * width));
  return glyphs.synced.repeat(Math.min(width, filled)).padEnd(width);
}

export function positionsPanel({ live, disk, flushType, flushMs }: PlayState): Panel {
  const mode = flushType === 'SYNC_FLUSH' ? 'SYNC_FLUSH' : `ASYNC_FLUSH, each ${flushMs / 1000} s`;
  const title: Line = [
    ['POSITIONS', 'title'],
    [`  ${mode}`, 'dim'],
  ];
  if (live === undefined) return { title, lines: [NOTHING] };
  const { positions } = live;
  const { appended, flushed, dispatched, start } = positions;
  const confirmed = flushType === 'SYNC_FLUSH' ? flushed : appended;
  const row = (name: string, position: number, what: string): Line => {
    const behind = appended - position;
    const text = behind > 0 ? `${number(behind)} behind` : what;
    return [name.padEnd(11), number(position).padStart(11), '  ', [text, behind > 0 ? 'warn' : 'dim']];
  };
  const source = flushType === 'SYNC_FLUSH' ? 'FLUSHED' : 'APPENDED';
  return {
    title,
    lines: [
      row('APPENDED', appended, 'writer'),
      row('FLUSHED', flushed, 'flusher'),
      row('DISPATCHED', dispatched, 'dispatcher'),
      row('CONFIRMED', confirmed, `= ${source}`),
      ['checkpoint '.padEnd(11), number(disk.checkpoint).padStart(11), '  ', ['for recovery', 'dim']],
      ['LOG_START'.padEnd(11), number(start).padStart(11)],
    ],
  };
}

export function threadsPanel({ live, process }: PlayState, width: number, glyphs: Glyphs): Panel {
  const title: Line = [
    ['THREADS', 'title'],
    ['  busy, woken a second', 'dim'],
  ];
  if (live === undefined) return { title, lines: [NOTHING] };
  const isDead = process.kind === 'ended';
  const lines = [...live.threads]
    .sort((a, b) => order(a.name) - order(b.name))
    .map((thread) => {
      return isDead ? deadThread(thread) : livingThread(thread, width, glyphs);
    });
  return { title, lines };
}

/** In the order of a message's life; others behind. */
function order(name: string): number {
  const at = ['network-0', 'writer', 'dispatcher', 'flusher', 'control'].indexOf(name);
  return at < 0 ? Number.MAX_SAFE_INTEGER : at;
}

function deadThread({ name, counters }: ThreadState): Line {
  return [name.padEnd(11), ['ended  ', 'bad'], [counters, 'dim']];
}

function livingThread(
  { name, busy, wakeUpsPerSecond, counters }: ThreadState,
  width: number,
  glyphs: Glyphs,
): Line {
  const state: Span = busy > 0.01 ? ['works  ', 'good'] : ['sleeps ', 'dim'];
  const figures = `${`${Math.round(busy * 100)} %`.padStart(5)}${number(Math.round(wakeUpsPerSecond)).padStart(5)}  `;
  const gauge = width >= 70 ? `[${bar(busy, 10, glyphs)}]` : '';
  return [name.padEnd(11), state, gauge, figures, [counters, 'dim']];
}

export function filesPanel(state: PlayState, width: number, glyphs: Glyphs): Panel {
  const { disk, live, process } = state;
  const legend = `  ${glyphs.synced} synced ${glyphs.written} written ${glyphs.room} room`;
  const title: Line = [
    ['FILES', 'title'],
    [legend, 'dim'],
  ];
  const { queueFiles, index, abort, setAside, segments } = disk;
  const aside = setAside > 0 ? `, ${setAside} put aside` : '';
  const others: Line[] = [
    [`queue files ${queueFiles}, index files ${index.files} (${index.entries}/${index.capacity})`],
    [`abort ${abort ? 'is there' : 'is not there'}${aside}`],
  ];
  const isDead = process.kind === 'ended';
  const rows = segments.map((segment) => segmentLine(segment, live?.positions, isDead, width, glyphs));
  // The newest first: where something happens.
  return { title, lines: [...rows.reverse(), ...others] };
}

/** The lines that come behind those of the log's files. */
export const OTHER_FILE_LINES = 2;

function segmentLine(
  segment: Segment,
  positions: PositionState | undefined,
  isDead: boolean,
  width: number,
  glyphs: Glyphs,
): Line {
  const name = number(segment.start).padStart(9);
  const count = segment.records.length;
  const isBad = isDead && segment.damaged.length > 0;
  const share = Math.round(((segment.end - segment.start) / segment.size) * 100);
  const words = isBad ? ' damaged' : `${String(share).padStart(4)} %`;
  const figures = `${words}${String(count).padStart(5)} msg`;
  const room = Math.max(4, width - name.length - figures.length - 3);
  const flushed = positions?.flushed ?? 0;
  const cells = Array.from({ length: room }, (_, i) => {
    const [from, to] = [i, i + 1].map((edge) => segment.start + (edge * segment.size) / room) as [
      number,
      number,
    ];
    return cellOf(segment, from, to, flushed, isDead, glyphs);
  });
  return [name, ' [', cells.join(''), ']', isBad ? [figures, 'bad'] : figures];
}

function cellOf(
  { start, end, allocated, damaged }: Segment,
  from: number,
  to: number,
  flushed: number,
  isDead: boolean,
  glyphs: Glyphs,
): string {
  // What a living broker is just writing is no damage.
  if (isDead && damaged.some(([a, b]) => a < to && b > from)) return glyphs.damaged;
  const middle = (from + to) / 2;
  if (middle < Math.min(end, flushed)) return glyphs.synced;
  if (middle < end) return glyphs.written;
  return middle < start + allocated ? glyphs.room : glyphs.none;
}

export function queuesPanel({ queues, traffic }: PlayState, width: number, glyphs: Glyphs): Panel {
  const wide = width >= 100;
  const heads = `${'QUEUES'.padEnd(25)}${'min'.padStart(8)}${'max'.padStart(8)}${'consumed'.padStart(10)}${'lag'.padStart(8)}`;
  const title: Line = [
    [heads, 'title'],
    [`${'files'.padStart(7)}${wide ? '  newest file' : ''}`, 'title'],
  ];
  if (queues.length === 0) return { title, lines: [NOTHING] };
  const lines = queues.map(({ topic, queueId, min, max, consumed, files }): Line => {
    const lag = consumed === undefined ? undefined : max - consumed;
    const figures = [min, max, consumed, lag].map((value, i) =>
      (value === undefined ? '-' : number(value)).padStart(i === 2 ? 10 : 8),
    );
    const isBehind = (lag ?? 0) > 0 && traffic.consuming;
    const [low, high, done, behind] = figures as [string, string, string, string];
    const name = `${topic.slice(0, 20)}/${queueId}`.padEnd(25);
    const used = (max % ENTRIES_PER_QUEUE_FILE) / ENTRIES_PER_QUEUE_FILE;
    const gauge = wide ? `  [${bar(used, Math.min(40, width - 80), glyphs)}]` : '';
    return [name, low, high, done, isBehind ? [behind, 'warn'] : behind, String(files).padStart(7), gauge];
  });
  return { title, lines };
}
