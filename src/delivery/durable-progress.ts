/**
 * Progress that control may write to its files. What is delivered under ASYNC_FLUSH is in the log, but a power cut may
 * take it back; a file that said so before would have taken the message with it, which was durable all the time that it
 * waited. So progress is told when everything is durable that the log held when it was noted.
 */
import { APPENDED, FLUSHED, type Positions } from '../ring/positions.ts';

export class DurableProgress<State> {
  readonly #news: () => State | undefined;
  readonly #positions: Positions;
  #noted: { state: State; position: number } | undefined;

  /** `news`: what has changed since it was asked last. */
  constructor(news: () => State | undefined, positions: Positions) {
    this.#news = news;
    this.#positions = positions;
  }

  /** What has become durable since the last call; to be asked now and then. */
  take(): State | undefined {
    const durable = this.#takeDurable();
    if (this.#noted === undefined) {
      const state = this.#news();
      if (state !== undefined) this.#noted = { state, position: this.#positions.get(APPENDED) };
    }
    return durable ?? this.#takeDurable();
  }

  #takeDurable(): State | undefined {
    if (this.#noted === undefined || this.#noted.position > this.#positions.get(FLUSHED)) return undefined;
    const { state } = this.#noted;
    this.#noted = undefined;
    return state;
  }
}
