/**
 * Queries by key wait here for the thread that looks messages up. It has one at a time, and gets the next one while
 * answers can be carried: what is found may be thousands of times as long as the question. Connections have their turns
 * one after the other.
 */
import { Fifo } from '../../lib/fifo.ts';
import { limitRemark, MAX_KEY_QUERIES, MAX_KEY_QUERIES_PER_CONNECTION } from '../../lib/limits.ts';
import { ResponseCode } from '../../protocol/codes.ts';
import { RequestError } from '../../protocol/request-fields.ts';
import type { FoundRecords, KeyQuery } from '../../store/read/key-query.ts';

interface Waiting {
  query: KeyQuery;
  resolve: (found: FoundRecords) => void;
  reject: (error: unknown) => void;
}

export class KeyQueries {
  readonly #find: (query: KeyQuery) => Promise<FoundRecords>;
  readonly #mayStart: () => boolean;
  /** By connection, in the order of their turns. */
  readonly #waiting = new Map<string, Fifo<Waiting>>();
  #size = 0;
  #running = false;
  #ended = false;

  /** After `mayStart` has returned false, `serve` is to be called when it may return true. */
  constructor(find: (query: KeyQuery) => Promise<FoundRecords>, mayStart: () => boolean) {
    this.#find = find;
    this.#mayStart = mayStart;
  }

  /** `connection`: who asks. Throws a RequestError when he, or all together, ask for too much. */
  find(query: KeyQuery, connection: string): Promise<FoundRecords> {
    if (this.#ended) throw new RequestError(ResponseCode.SYSTEM_BUSY, 'the broker is stopping');
    const own = this.#waiting.get(connection) ?? new Fifo<Waiting>();
    if (own.size >= MAX_KEY_QUERIES_PER_CONNECTION) {
      const what = 'queries by key of this connection that are not answered yet';
      throw busy(what, MAX_KEY_QUERIES_PER_CONNECTION, 'MAX_KEY_QUERIES_PER_CONNECTION');
    }
    if (this.#size >= MAX_KEY_QUERIES)
      throw busy('queries by key that are not answered yet', MAX_KEY_QUERIES, 'MAX_KEY_QUERIES');
    this.#waiting.set(connection, own);
    this.#size++;
    return new Promise((resolve, reject) => {
      own.push({ query, resolve, reject });
      this.serve();
    });
  }

  /** Starts the next one if it may. */
  serve(): void {
    if (this.#running || this.#size === 0 || !this.#mayStart()) return;
    const { query, resolve, reject } = this.#next();
    this.#running = true;
    void this.#find(query)
      .then(resolve, reject)
      .finally(() => {
        // By then the answer is on its way, and counts when the next one asks for room.
        setImmediate(() => {
          this.#running = false;
          this.serve();
        });
      });
  }

  /** What a connection that is gone has asked for is not looked up any more. */
  closed(connection: string): void {
    for (const { reject } of this.#waiting.get(connection) ?? []) {
      this.#size--;
      reject(new RequestError(ResponseCode.SYSTEM_BUSY, 'the connection is closed'));
    }
    this.#waiting.delete(connection);
  }

  /** Nothing more is looked up. */
  end(): void {
    this.#ended = true;
    for (const connection of this.#waiting.keys()) this.closed(connection);
  }

  #next(): Waiting {
    const [connection, own] = this.#waiting.entries().next().value as [string, Fifo<Waiting>];
    const next = own.shift() as Waiting;
    this.#size--;
    this.#waiting.delete(connection);
    if (own.size > 0) this.#waiting.set(connection, own);
    return next;
  }
}

function busy(what: string, limit: number, name: string): RequestError {
  return new RequestError(ResponseCode.SYSTEM_BUSY, limitRemark(what, limit, name));
}
