/** Times and spans as people write and read them. */
import { systemClock } from '../../lib/clock.ts';
import { UserError } from '../../lib/user-error.ts';

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const SPAN = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;
const DATE = /^\d{4}-\d{2}-\d{2}(?:[ T]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/;
const OF_DAY = /^\d{2}:\d{2}(?::\d{2})?$/;
const EPOCH_MS = /^\d{13}$/;

/** Ms since the epoch, as the clock of this machine says. */
export function now(): number {
  return systemClock.now();
}

/** Ms of `10s`, `1.5h`; undefined for what is none. */
export function spanOf(text: string): number | undefined {
  const [, amount, unit] = SPAN.exec(text) ?? [];
  return unit === undefined ? undefined : Math.round(Number(amount) * (UNITS[unit] as number));
}

/** `what` begins the sentence that says what is wrong: `--delay 5`. */
export function requireSpan(text: string, what: string): number {
  const span = spanOf(text);
  if (span !== undefined) return span;
  throw new UserError(`${what} is not possible: give a span such as 500ms, 10s, 5m, 2h or 1d.`);
}

/** Ms since the epoch of a time of day or date, of a span before `at`, of ms since the epoch; undefined otherwise. */
export function timeOf(text: string, at: number): number | undefined {
  if (text === 'now') return at;
  const span = spanOf(text.replace(/ ?ago$/, ''));
  if (span !== undefined) return at - span;
  if (EPOCH_MS.test(text)) return Number(text);
  if (OF_DAY.test(text)) return valid(new Date(`${localDate(at)}T${text}`));
  if (!DATE.test(text)) return undefined;
  // Without a time, a date alone would be taken for one of UTC.
  return valid(new Date(text.length === 10 ? `${text}T00:00` : text.replace(' ', 'T')));
}

export function requireTime(text: string, what: string): number {
  const time = timeOf(text, now());
  if (time !== undefined) return time;
  throw new UserError(
    `${what} is not possible: give a time such as 2026-01-31, "2026-01-31 18:30", 18:30, 10m (ago) or ms since 1970.`,
  );
}

function valid(date: Date): number | undefined {
  const time = date.getTime();
  return Number.isNaN(time) ? undefined : time;
}

const two = (value: number) => String(value).padStart(2, '0');

function localDate(time: number): string {
  const date = new Date(time);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** In the zone of this machine: `2026-01-31 18:30:00.123`; `-` for none. */
export function timeText(time: number): string {
  if (time <= 0 || Number.isNaN(new Date(time).getTime())) return '-';
  const date = new Date(time);
  const ofDay = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':');
  return `${localDate(time)} ${ofDay}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

/** The two largest units of a span: `850 ms`, `12 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`. */
export function spanText(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  const seconds = Math.floor(ms / 1000);
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ];
  const first = parts.findIndex(([amount]) => amount > 0);
  const shown = parts.slice(first, first + 2).filter(([amount]) => amount > 0);
  return shown.map(([amount, unit]) => `${amount} ${unit}`).join(' ');
}
