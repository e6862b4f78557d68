/** The people to call when something changes. Called in the order they were added, synchronously. */
export class Listeners<Event> {
  readonly #listeners: ((event: Event) => void)[] = [];

  /** Returns the function that removes the listener again. */
  add(listener: (event: Event) => void): () => void {
    this.#listeners.push(listener);
    return () => {
      const at = this.#listeners.indexOf(listener);
      if (at >= 0) this.#listeners.splice(at, 1);
    };
  }

  /** A copy is walked, so a listener may remove itself. What a listener throws reaches the caller. */
  emit(event: Event): void {
    for (const listener of this.#listeners.slice()) listener(event);
  }
}
