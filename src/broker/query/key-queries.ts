/**
 * Queries by key wait here for the thread that looks messages up. It has one at a time, and gets the next one while
 * answers can be carried: what is found may be thousands of times as long as the question.
 */
import { Fifo } from '../../lib/fifo.ts';
import { limitRemark, MAX_KEY_QUERIES, MAX_KEY_QUERIES_PER_CONNECTION } from '../../lib/limits.ts';
import { ResponseCode } from '../../protocol/codes.ts';
import { RequestError } from '../../protocol/request-fields.ts';
import type { FoundRecords, KeyQuery } from '../../store/read/key-query.ts';

interface Waiting {
  query: KeyQuery;
  connection: string;
  resolve: (found: FoundRecords) => void;
  reject: (error: unknown) => void;
}

export class KeyQueries {
  readonly #find: (query: KeyQuery) => Promise<FoundRecords>;
  readonly #mayStart: () => boolean;
  readonly #waiting = new Fifo<Waiting>();
  readonly #perConnection = new Map<string, number>();
  #running = false;

  /** After `mayStart` has returned false, `serve` is to be called when it may return true. */
  constructor(find: (query: KeyQuery) => Promise<FoundRecords>, mayStart: () => boolean) {
    this.#find = find;
    this.#mayStart = mayStart;
  }

  /** `connection`: who asks. Throws a RequestError when he, or all together, ask for too much. */
  find(query: KeyQuery, connection: string): Promise<FoundRecords> {
    const own = this.#perConnection.get(connection) ?? 0;
    if (own >= MAX_KEY_QUERIES_PER_CONNECTION) {
      const what = 'queries by key of this connection that are not answered yet';
      throw busy(what, MAX_KEY_QUERIES_PER_CONNECTION, 'MAX_KEY_QUERIES_PER_CONNECTION');
    }
    if (this.#waiting.size >= MAX_KEY_QUERIES)
      throw busy('queries by key that are not answered yet', MAX_KEY_QUERIES, 'MAX_KEY_QUERIES');
    this.#perConnection.set(connection, own + 1);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ query, connection, resolve, reject });
      this.serve();
    });
  }

  /** Starts the next one if it may. */
  serve(): void {
    if (this.#running || this.#waiting.size === 0 || !this.#mayStart()) return;
    const next = this.#waiting.shift() as Waiting;
    this.#running = true;
    void this.#find(next.query)
      .then(next.resolve, next.reject)
      .finally(() => {
        this.#answered(next.connection);
        // By then the answer is on its way, and counts when the next one asks for room.
        setImmediate(() => {
          this.#running = false;
          this.serve();
        });
      });
  }

  #answered(connection: string): void {
    const left = (this.#perConnection.get(connection) ?? 1) - 1;
    if (left > 0) this.#perConnection.set(connection, left);
    else this.#perConnection.delete(connection);
  }
}

function busy(what: string, limit: number, name: string): RequestError {
  return new RequestError(ResponseCode.SYSTEM_BUSY, limitRemark(what, limit, name));
}
