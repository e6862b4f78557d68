/**
 * Progress that control may write to its files. What is delivered under ASYNC_FLUSH is in the log, but a power cut may
 * take it back; a file that said so before would have taken the message with it, which was durable all the time that it
 * waited. So progress is told when everything is durable that the log held when it was noted.
 */
import { APPENDED, FLUSHED, type Positions } from '../../ring/positions.ts';
import type { DelayProgress, DelayState } from './delay-progress.ts';

export class DurableProgress {
  readonly #progress: DelayProgress;
  readonly #positions: Positions;
  #wantsTimes = false;
  #noted: { delays: DelayState; position: number } | undefined;

  constructor(progress: DelayProgress, positions: Positions) {
    this.#progress = progress;
    this.#positions = positions;
  }

  /** What has become durable since the last call; to be asked now and then. */
  take(withTimes: boolean): DelayState | undefined {
    let durable: DelayState | undefined;
    if (this.#noted !== undefined && this.#noted.position <= this.#positions.get(FLUSHED)) {
      durable = this.#noted.delays;
      this.#noted = undefined;
    }
    this.#wantsTimes ||= withTimes;
    if (this.#noted === undefined) {
      const delays = this.#progress.take(this.#wantsTimes);
      this.#wantsTimes = false;
      if (delays !== undefined) this.#noted = { delays, position: this.#positions.get(APPENDED) };
    }
    return durable;
  }
}
