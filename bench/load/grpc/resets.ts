/**
 * Calls that the proxy gave up by RST_STREAM. Each is a failed request and is told with its stream and error code; one
 * must not end a run of millions, but a proxy that gives up many of them is not measured.
 */

/** Error codes of HTTP/2, by number. */
const ERRORS = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
  'INADEQUATE_SECURITY',
  'HTTP_1_1_REQUIRED',
];

/** More than these end the run. */
const MOST = 100;

/** As it stands in the result of the run, warm-up included. */
export interface ResetCounts {
  count: number;
  /** So many are borne. */
  most: number;
  /** By method and error. */
  calls: Record<string, number>;
  first: string;
}

export function errorName(code: number): string {
  return `${ERRORS[code] ?? 'unknown error'} (${code})`;
}

/** What was reset, in words. */
export function resetText(what: string, stream: number, code: number): string {
  return `${what} on stream ${stream}: ${errorName(code)}`;
}

export class Resets {
  readonly #most: number;
  readonly #calls = new Map<string, number>();
  #count = 0;
  #first = '';

  constructor(most = MOST) {
    this.#most = most;
  }

  /** A call was reset; throws when that is one too many. */
  note(method: string, stream: number, code: number): void {
    const text = resetText(method, stream, code);
    if (this.#count++ === 0) this.#first = text;
    const kind = `${method} ${errorName(code)}`;
    this.#calls.set(kind, (this.#calls.get(kind) ?? 0) + 1);
    if (this.#count > this.#most)
      throw new Error(`the proxy reset more than ${this.#most} calls, the first was ${this.#first}`);
  }

  /** For the result; nothing when there was none. */
  get counts(): { resets?: ResetCounts } {
    if (this.#count === 0) return {};
    const calls = Object.fromEntries(this.#calls);
    return { resets: { count: this.#count, most: this.#most, calls, first: this.#first } };
  }
}
