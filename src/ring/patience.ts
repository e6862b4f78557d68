/**
 * Whether a thread that has run out of work stays awake for a moment, or goes to sleep at once.
 *
 * Waking a sleeping thread takes 25 to 100 µs on a virtual machine: with one request in flight that is most of its way
 * through a broker. Staying awake takes a core from others instead. So it is tried, goes on while it pays two times out
 * of three, and is left out the more often the more often it was in vain: who gets a message now and then sleeps.
 */

/**
 * After vain tries the next one is at most so many opportunities away. Not more: where everybody sleeps, messages come
 * too slowly for a try to pay, and only threads that happen to try together find out that they would come faster.
 */
const LONGEST_PAUSE = 16;

export class Patience {
  /** How long to stay awake. */
  readonly millis: number;
  #pause = 0;
  #nextPause = 1;

  /** @param micros how long to stay awake; 0 = never */
  constructor(micros: number) {
    this.millis = micros / 1000;
  }

  /** Asked when there is no work left. Once true, `rewarded` or `disappointed` follows. */
  worthwhile(): boolean {
    if (this.millis === 0) return false;
    if (this.#pause === 0) return true;
    this.#pause--;
    return false;
  }

  /** Work came in time. */
  rewarded(): void {
    this.#nextPause = Math.max(this.#nextPause / 2, 1);
  }

  /** No work came in time. */
  disappointed(): void {
    this.#pause = this.#nextPause;
    this.#nextPause = Math.min(this.#nextPause * 4, LONGEST_PAUSE);
  }
}
