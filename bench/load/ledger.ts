/**
 * Who sent what, and what of it came back. A key is known by run, connection and counter, so a state of two bytes per
 * key says it all: whether it was acknowledged, and in which pass it was seen last.
 */
import { Chunked } from './chunked.ts';
import { readHex8 } from './digits.ts';
import { ADDRESS_NUMBER, CONNECTION_AT, COUNTER_AT, KEY_LENGTH, RUN_AT } from './unique-key.ts';

const ACKNOWLEDGED = 0x8000;
const PASS_MASK = 0x7fff;

/** Passes are counted from 1 on, without end; the mark that a key keeps of them is never 0. */
function markOf(pass: number): number {
  return ((pass - 1) % PASS_MASK) + 1;
}

/** The keys of one connection of one run: counters 0 … sent - 1. */
export class ConnectionKeys {
  readonly run: number;
  readonly connection: number;
  sent = 0;
  /** Acknowledged and not yet seen. */
  missing = 0;
  readonly #states = new Chunked((length) => new Uint16Array(length));

  constructor(run: number, connection: number) {
    this.run = run;
    this.connection = connection;
  }

  acknowledge(first: number, count: number): void {
    for (let counter = first; counter < first + count; counter++) {
      const state = this.#states.get(counter);
      if (state === 0) this.missing++;
      this.#states.set(counter, state | ACKNOWLEDGED);
    }
  }

  isAcknowledged(counter: number): boolean {
    return (this.#states.get(counter) & ACKNOWLEDGED) !== 0;
  }

  /** False when the key had been seen already: ever before in pass 1, else in this pass. */
  see(counter: number, pass: number): boolean {
    const state = this.#states.get(counter);
    const mark = markOf(pass);
    const seen = state & PASS_MASK;
    if (state === ACKNOWLEDGED) this.missing--;
    this.#states.set(counter, (state & ACKNOWLEDGED) | mark);
    return seen === 0 || (pass > 1 && seen !== mark);
  }
}

export class Ledger {
  duplicates = 0;
  foreign = 0;
  readonly #runs = new Map<number, ConnectionKeys[]>();
  #lastRun = -1;
  #lastKeys: ConnectionKeys[] = [];

  has(run: number): boolean {
    return this.#runs.has(run);
  }

  /** The keys of a connection that is about to send. */
  open(run: number, connection: number): ConnectionKeys {
    const keys = new ConnectionKeys(run, connection);
    const connections = this.#runs.get(run) ?? [];
    if (connections[connection] !== undefined) {
      throw new Error(`the ledger already has connection ${connection} of run ${run}`);
    }
    connections[connection] = keys;
    this.#runs.set(run, connections);
    return keys;
  }

  *all(): Generator<ConnectionKeys> {
    for (const connections of this.#runs.values()) {
      for (const keys of connections) if (keys !== undefined) yield keys;
    }
  }

  /** Acknowledged and never seen. */
  get missing(): number {
    let count = 0;
    for (const keys of this.all()) count += keys.missing;
    return count;
  }

  /** Whose key lies at `at`; undefined when nobody here sent it. */
  find(bytes: Uint8Array, at: number, length: number): ConnectionKeys | undefined {
    if (length !== KEY_LENGTH || readHex8(bytes, at) !== ADDRESS_NUMBER) return undefined;
    const run = readHex8(bytes, at + RUN_AT);
    if (run !== this.#lastRun) {
      this.#lastRun = run;
      this.#lastKeys = this.#runs.get(run) ?? [];
    }
    const keys = this.#lastKeys[readHex8(bytes, at + CONNECTION_AT)];
    const counter = readHex8(bytes, at + COUNTER_AT);
    return keys !== undefined && counter >= 0 && counter < keys.sent ? keys : undefined;
  }

  /**
   * Notes the message whose key lies at `at`, seen in pass `pass` of its part of the topic. Returns its sender when it
   * is seen for the first time in that pass.
   */
  see(bytes: Uint8Array, at: number, length: number, pass: number): ConnectionKeys | undefined {
    const keys = this.find(bytes, at, length);
    if (keys === undefined) {
      this.foreign++;
      return undefined;
    }
    if (keys.see(readHex8(bytes, at + COUNTER_AT), pass)) return keys;
    this.duplicates++;
    return undefined;
  }
}
