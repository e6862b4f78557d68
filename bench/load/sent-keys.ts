/** What a sending connection notes for the ledger: which keys each request in flight has, and since when. */
import { Chunked } from './chunked.ts';
import type { ConnectionKeys } from './ledger.ts';

export class SentKeys {
  readonly #keys: ConnectionKeys;
  /** First counter of the request in each slot of the window. */
  readonly #first: Float64Array;
  readonly #batch: number;
  readonly #times: Chunked<Float64Array> | undefined;

  /** `timed` = a consumer in this process asks when a message was due. */
  constructor(keys: ConnectionKeys, window: number, batch: number, timed: boolean) {
    this.#keys = keys;
    this.#first = new Float64Array(window);
    this.#batch = batch;
    this.#times = timed ? new Chunked((length) => new Float64Array(length)) : undefined;
  }

  sending(slot: number, first: number, since: number): void {
    this.#first[slot] = first;
    this.#keys.sent = first + this.#batch;
    if (this.#times === undefined) return;
    for (let counter = first; counter < first + this.#batch; counter++) this.#times.set(counter, since);
  }

  acknowledged(slot: number): void {
    this.#keys.acknowledge(this.#first[slot] as number, this.#batch);
  }

  /** When the message was due; 0 when times are not kept. */
  sinceOf(counter: number): number {
    return this.#times?.get(counter) ?? 0;
  }
}
