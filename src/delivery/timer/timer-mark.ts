/** A moment, of which it can be asked later whether all that was to be delivered by then has been. */
export interface TimerMark {
  /** Ms since the epoch, and ms of elapsed time (`TimerClock`). */
  readonly time: number;
  readonly elapsed: number;
  /** Where the queue of the timer topic ended. */
  readonly queueEnd: number;
}
