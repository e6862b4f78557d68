/** Time behind an interface, so that schedules and crashes can be replayed. */
export interface Clock {
  /** Milliseconds since the epoch; may step backwards when the machine's clock is set. */
  now(): number;
  /** Milliseconds of a clock that never steps, for deadlines. */
  monotonic(): number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};
