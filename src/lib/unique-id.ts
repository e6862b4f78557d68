/**
 * Unique message ids in the layout of RocketMQ's clients, for messages that come without one: address (4), process id
 * (2), a number that tells makers of one process apart (4), ms since the first of the month (4), counter (2); 32 upper
 * case hex digits.
 */
import { randomBytes } from 'node:crypto';

export class UniqueIds {
  readonly #prefix: string;
  #counter = 0;
  #monthStart = 0;
  #nextMonth = 0;

  constructor(address: Uint8Array) {
    const head = Buffer.alloc(10);
    head.set(address.subarray(0, 4));
    head.writeUInt16BE(process.pid & 0xffff, 4);
    randomBytes(4).copy(head, 6);
    this.#prefix = head.toString('hex').toUpperCase();
  }

  next(now: number): string {
    if (now >= this.#nextMonth) this.#enterMonth(now);
    const tail = Buffer.alloc(6);
    tail.writeUInt32BE((now - this.#monthStart) >>> 0, 0);
    tail.writeUInt16BE(this.#counter, 4);
    this.#counter = (this.#counter + 1) & 0xffff;
    return this.#prefix + tail.toString('hex').toUpperCase();
  }

  #enterMonth(now: number): void {
    const date = new Date(now);
    this.#monthStart = new Date(date.getFullYear(), date.getMonth(), 1).getTime();
    this.#nextMonth = new Date(date.getFullYear(), date.getMonth() + 1, 1).getTime();
  }
}
