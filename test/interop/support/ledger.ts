// Sent against delivered, by message key. The checks name the keys that break the promise.

const SHOWN = 8;

export class Ledger {
  readonly sent = new Set<string>();
  readonly deliveries = new Map<string, number>();
  #missing = 0;

  send(key: string): void {
    if (this.sent.has(key)) return;
    this.sent.add(key);
    if (!this.deliveries.has(key)) this.#missing++;
  }

  deliver(key: string): void {
    const before = this.deliveries.get(key) ?? 0;
    this.deliveries.set(key, before + 1);
    if (before === 0 && this.sent.has(key)) this.#missing--;
  }

  /** How many sent messages have not arrived; cheap enough to ask after every line. */
  get missing(): number {
    return this.#missing;
  }

  complete(): true | undefined {
    return this.#missing === 0 ? true : undefined;
  }

  noneLost(): void {
    const lost = [...this.sent].filter((key) => !this.deliveries.has(key));
    if (lost.length > 0) throw new Error(`${lost.length} of ${this.sent.size} lost: ${some(lost)}`);
  }

  atLeastOnce(): void {
    this.noneLost();
    const strange = [...this.deliveries.keys()].filter((key) => !this.sent.has(key));
    if (strange.length > 0) throw new Error(`${strange.length} delivered that nobody sent: ${some(strange)}`);
  }

  /** `handedOver` may come again: a member that joins may ask for an offset before the other has committed it. */
  exactlyOnce(...handedOver: readonly string[]): void {
    this.atLeastOnce();
    const twice = [...this.deliveries]
      .filter(([key, times]) => times !== 1 && !handedOver.includes(key))
      .map(([key, times]) => `${key} x${times}`);
    if (twice.length > 0) throw new Error(`${twice.length} delivered more than once: ${some(twice)}`);
  }
}

function some(items: readonly string[]): string {
  return items.slice(0, SHOWN).join(', ') + (items.length > SHOWN ? ', …' : '');
}
