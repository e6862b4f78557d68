/** How runs wait: for time, for a condition, and never longer than until something fails. */

export type LoadPhase = 'warming' | 'measuring' | 'draining';

/** Told before a phase begins; the run waits for the answer. */
export type OnPhase = (phase: LoadPhase) => Promise<void>;

const POLL_MILLIS = 5;

/** The first failure of any connection; every wait of the run ends with it. */
export class Failure {
  readonly promise: Promise<never>;
  #reject: (error: Error) => void = () => {};

  constructor() {
    this.promise = new Promise<never>((_, reject) => {
      this.#reject = reject;
    });
    // the rejection is reported by whichever wait is running; between two waits nobody listens
    this.promise.catch(() => {});
  }

  fail(error: Error): void {
    this.#reject(error);
  }

  /** Resolves when `done` says so or the time is over; rejects as soon as a connection fails. */
  wait(millis: number, done: () => boolean = () => false): Promise<void> {
    const deadline = performance.now() + millis;
    let timer: NodeJS.Timeout | undefined;
    const over = new Promise<void>((resolve) => {
      const check = (): void => {
        const rest = deadline - performance.now();
        if (rest <= 0 || done()) resolve();
        else timer = setTimeout(check, Math.min(rest, POLL_MILLIS));
      };
      check();
    });
    return this.during(over).finally(() => clearTimeout(timer));
  }

  /** The outcome of `work`, or the failure. */
  during<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.promise]);
  }
}
