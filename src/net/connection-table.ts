/** The connections of a network thread by slot; a slot's generation tells its successive connections apart. */
import type { Connection } from './connection.ts';

export class ConnectionTable {
  readonly #slots: (Connection | undefined)[] = [];
  readonly #generations: number[] = [];
  readonly #free: number[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Puts what `make` returns for a fresh slot and generation into the table. */
  add(make: (slot: number, generation: number) => Connection): Connection {
    const slot = this.#free.pop() ?? this.#slots.length;
    const generation = ((this.#generations[slot] ?? 0) + 1) & 0x7fffffff;
    this.#generations[slot] = generation;
    const connection = make(slot, generation);
    this.#slots[slot] = connection;
    this.#size++;
    return connection;
  }

  /** The connection in `slot` if it is still of this generation. */
  get(slot: number, generation: number): Connection | undefined {
    const connection = this.#slots[slot];
    return connection?.generation === generation ? connection : undefined;
  }

  remove(connection: Connection): void {
    if (this.#slots[connection.slot] !== connection) return;
    this.#slots[connection.slot] = undefined;
    this.#free.push(connection.slot);
    this.#size--;
  }

  *all(): IterableIterator<Connection> {
    for (const connection of this.#slots) if (connection !== undefined) yield connection;
  }
}
