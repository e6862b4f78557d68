/** Requests on their way, matched to responses by their number. Every one settles exactly once. */
import type { RemotingCommand } from '../protocol/command.ts';
import { RemotingError } from './errors.ts';

interface Pending {
  resolve(response: RemotingCommand): void;
  reject(error: RemotingError): void;
  timer: NodeJS.Timeout;
}

export class PendingRequests {
  readonly #pending = new Map<number, Pending>();
  #lastOpaque = 0;

  get size(): number {
    return this.#pending.size;
  }

  /** A number that no request on its way has; int32, wraps to negative numbers as in RocketMQ. */
  nextOpaque(): number {
    do {
      this.#lastOpaque = (this.#lastOpaque + 1) | 0;
    } while (this.#pending.has(this.#lastOpaque));
    return this.#lastOpaque;
  }

  /** Settles with the response to `opaque`, or rejects with TIMEOUT after `timeoutMs`. */
  expect(opaque: number, timeoutMs: number, what: string): Promise<RemotingCommand> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(opaque);
        reject(new RemotingError('TIMEOUT', `no answer to ${what} within ${timeoutMs} ms`));
      }, timeoutMs);
      this.#pending.set(opaque, { resolve, reject, timer });
    });
  }

  /** False when nobody waits for this response (any more). */
  settle(response: RemotingCommand): boolean {
    const pending = this.#pending.get(response.opaque);
    if (pending === undefined) return false;
    this.#pending.delete(response.opaque);
    clearTimeout(pending.timer);
    pending.resolve(response);
    return true;
  }

  rejectAll(error: RemotingError): void {
    for (const pending of this.#pending.values()) {
      clearTimeout(pending.timer);
      pending.reject(error);
    }
    this.#pending.clear();
  }
}
