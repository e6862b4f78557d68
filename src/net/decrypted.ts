/**
 * What TLS connections have sent, decrypted, until it is read. Node hands it over record by record, and many clients
 * make a record of each request: what came in one round of the event loop is put together and read as a whole, as it
 * is where nothing is encrypted.
 */
import type { Connection } from './connection.ts';

export class Decrypted {
  readonly #buffer: Uint8Array;
  readonly #read: (connection: Connection, length: number) => void;
  #connections: Connection[] = [];
  #soon: NodeJS.Immediate | undefined;

  /** `read` is given bytes [0, length) of the buffer. */
  constructor(buffer: Uint8Array, read: (connection: Connection, length: number) => void) {
    this.#buffer = buffer;
    this.#read = read;
  }

  arrived(connection: Connection, chunk: Buffer): void {
    if (connection.ended) return;
    connection.decrypted.push(chunk);
    if (connection.decrypted.length === 1) this.#connections.push(connection);
    this.#soon ??= setImmediate(() => this.#readAll());
  }

  close(): void {
    if (this.#soon !== undefined) clearImmediate(this.#soon);
  }

  #readAll(): void {
    this.#soon = undefined;
    const connections = this.#connections;
    this.#connections = [];
    for (const connection of connections) this.#readFrom(connection, connection.decrypted.splice(0));
  }

  #readFrom(connection: Connection, chunks: readonly Buffer[]): void {
    const buffer = this.#buffer;
    let used = 0;
    for (const chunk of chunks) {
      for (let at = 0; at < chunk.length; ) {
        if (used === buffer.length) {
          this.#read(connection, used);
          used = 0;
        }
        const taken = Math.min(chunk.length - at, buffer.length - used);
        buffer.set(chunk.subarray(at, at + taken), used);
        used += taken;
        at += taken;
      }
    }
    if (used > 0) this.#read(connection, used);
  }
}
