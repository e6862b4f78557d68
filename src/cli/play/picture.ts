/**
 * The picture of play: a state as lines of text, for a terminal of any size or for a file. Pure.
 *
 *     title                                   what the process is
 *     rings            positions              two columns, from 80 on
 *     threads          files
 *     queues                                  the whole width
 *     what happened                           gets all that is left
 *     traffic                                 what flows
 */
import {
  filesPanel,
  type Glyphs,
  OTHER_FILE_LINES,
  type Panel,
  positionsPanel,
  queuesPanel,
  ringsPanel,
  threadsPanel,
} from './panels.ts';
import { fit, type Line, render, type Span, wrap } from './spans.ts';
import type { PlayState } from './state.ts';

export const LEAST_COLUMNS = 80;
export const LEAST_ROWS = 24;

export interface Frame {
  readonly columns: number;
  /** Undefined: as many as there are lines. */
  readonly rows: number | undefined;
  readonly colours: boolean;
  readonly glyphs: Glyphs;
  /** Stands in the last row. */
  readonly footer?: Line;
}

const GAP = 2;
/** Without limit: what stands above in a file need not be told again. */
const NEWS_IN_FILE = 3;
/** Title, two titles of pairs, title of queues, title of news, traffic; without the footer. */
const FIXED_ROWS = 6;
/** How many lines each part gets at least, and up to how many before the next one gets more. */
const PARTS = {
  upper: { least: 5, most: 9 },
  lower: { least: 5, most: 14 },
  queues: { least: 2, most: 8 },
  news: { least: 5, most: 500 },
} as const;

/** Lines of exactly `columns` cells, `rows` of them when that is given. */
export function picture(state: PlayState, frame: Frame): string[] {
  const { columns, rows, colours } = frame;
  const lines =
    columns < LEAST_COLUMNS || (rows ?? LEAST_ROWS) < LEAST_ROWS
      ? tooSmall(state, frame)
      : whole(state, frame);
  const { footer } = frame;
  const all =
    rows === undefined || footer === undefined ? lines : [...exactly(lines, Math.max(0, rows - 1)), footer];
  return all.map((line) => render(fit(line, columns), colours));
}

function tooSmall(state: PlayState, { columns, rows = LEAST_ROWS, footer }: Frame): Line[] {
  const says = `The picture needs ${LEAST_COLUMNS} columns and ${LEAST_ROWS} rows; here are ${columns} and ${rows}.`;
  const lines: Line[] = [...wrap(says, columns).map((text): Line => [[text, 'warn']]), titleLine(state)];
  const news = newsLines(state, columns, Math.max(0, rows - lines.length - (footer === undefined ? 0 : 1)));
  return exactly([...lines, ...news], rows);
}

function whole(state: PlayState, { columns, rows, glyphs, footer }: Frame): Line[] {
  const right = Math.floor((columns - GAP) / 2);
  const left = columns - GAP - right;
  const upper = [ringsPanel(state, left, glyphs), positionsPanel(state)] as const;
  const lower = [threadsPanel(state, left, glyphs), filesPanel(state, right, glyphs)] as const;
  const queues = queuesPanel(state, columns, glyphs);
  const wanted = {
    upper: longest(upper),
    lower: longest(lower),
    queues: queues.lines.length,
    news: rows === undefined ? Math.min(NEWS_IN_FILE, state.news.length) : PARTS.news.most,
  };
  const share =
    rows === undefined ? wanted : shares(wanted, rows - FIXED_ROWS - (footer === undefined ? 0 : 1));
  const lines = [
    titleLine(state),
    ...pair(upper[0], upper[1], left, right, share.upper),
    ...pair(lower[0], fewFiles(lower[1], share.lower), left, right, share.lower),
    queues.title,
    ...some(queues.lines, share.queues),
    ...(share.news > 0 ? [newsTitle, ...newsLines(state, columns, share.news)] : []),
    trafficLine(state),
  ];
  return rows === undefined ? lines : exactly(lines, rows);
}

const newsTitle: Line = [['WHAT HAPPENED', 'title']];

type Shares = Record<keyof typeof PARTS, number>;

/** Each part what it needs, the first ones before the last; the rest to the news. */
function shares(wanted: Shares, rows: number): Shares {
  const names = Object.keys(PARTS) as (keyof typeof PARTS)[];
  const share = Object.fromEntries(names.map((name) => [name, PARTS[name].least])) as Shares;
  let left = rows - names.reduce((sum, name) => sum + share[name], 0);
  for (const name of names) {
    const more = Math.max(0, Math.min(left, Math.min(wanted[name], PARTS[name].most) - share[name]));
    share[name] += more;
    left -= more;
  }
  return share;
}

function longest(panels: readonly Panel[]): number {
  return Math.max(...panels.map(({ lines }) => lines.length));
}

/** Two panels beside each other, filled to one length. */
function pair(a: Panel, b: Panel, left: number, right: number, rows: number): Line[] {
  const [first, second] = [some(a.lines, rows), some(b.lines, rows)];
  const row = (one: Line, other: Line): Line => [...fit(one, left), ' '.repeat(GAP), ...fit(other, right)];
  return [
    row(a.title, b.title),
    ...Array.from({ length: rows }, (_, i) => row(first[i] ?? [], second[i] ?? [])),
  ];
}

/** So many lines; where some are left out the last one says how many. */
function some(lines: readonly Line[], rows: number): Line[] {
  if (lines.length <= rows) return [...lines];
  const shown = lines.slice(0, Math.max(0, rows - 1));
  return [...shown, [[`... ${lines.length - shown.length} more`, 'dim']]];
}

/** Older files of the log go first, what is told of all others stays. */
function fewFiles({ title, lines }: Panel, rows: number): Panel {
  const others = lines.slice(-OTHER_FILE_LINES);
  return { title, lines: [...some(lines.slice(0, -OTHER_FILE_LINES), rows - others.length), ...others] };
}

function titleLine({ process, nameServer, store }: PlayState): Line {
  const name: Span = ['RingMQ play', 'title'];
  const place: Span = [`  store ${ascii(store)}`, 'dim'];
  switch (process.kind) {
    case 'none':
      return [name, '  no broker yet', place];
    case 'starting':
      return [name, '  ', ['starts', 'warn'], place];
    case 'ended':
      return [name, '  ', [`the process ${process.how}`, 'bad'], '  restart?', place];
    case 'running': {
      const full: Span[] = process.isFull ? ['  ', ['DISK FULL', 'bad']] : [];
      const running = `runs for ${Math.floor(process.seconds)} s, process ${process.pid}`;
      return [name, '  ', [running, 'good'], ...full, `  name server ${nameServer}`, place];
    }
  }
}

function trafficLine({ traffic }: PlayState): Line {
  const { flow, consuming, acknowledged, refused, unanswered, consumed, again } = traffic;
  const on = (isOn: boolean): Span => (isOn ? ['on', 'good'] : ['off', 'dim']);
  const bad = refused + unanswered > 0 ? 'warn' : 'dim';
  return [
    ...['flow ', on(flow), `  acknowledged ${acknowledged}  `],
    [`refused ${refused}  unanswered ${unanswered}`, bad],
    ...['  consumer ', on(consuming), ` ${consumed}${again > 0 ? ` (${again} again)` : ''}`],
  ];
}

/** The last that fit as a whole, wrapped; of one that does not fit alone its beginning. */
function newsLines({ news }: PlayState, columns: number, rows: number): Line[] {
  let lines: Line[] = [];
  for (const text of news.slice(-rows).reverse()) {
    const [first = '', ...rest] = wrap(ascii(text), columns - 2);
    const style = /^(?:error|warn|fatal):/.test(text) ? 'warn' : 'plain';
    const entry: Line[] = [[[first, style]], ...rest.map((part): Line => [[`  ${part}`, style]])];
    if (lines.length + entry.length > rows) return lines.length === 0 ? entry.slice(0, rows) : lines;
    lines = [...entry, ...lines];
  }
  return rows === 0 ? [] : lines;
}

/** Of other characters nobody knows how wide they are. */
function ascii(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, '?');
}

function exactly(lines: readonly Line[], rows: number): Line[] {
  return Array.from({ length: rows }, (_, i) => lines[i] ?? []);
}
