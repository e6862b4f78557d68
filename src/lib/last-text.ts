/** Texts out of bytes where one mostly is the same as the one before: then no new one is made. */
import { copied } from './copied.ts';

export class LastText {
  #bytes = new Uint8Array(0);
  #text = '';

  /** The UTF-8 text in bytes[at, +length). */
  read(bytes: Uint8Array, at: number, length: number): string {
    if (this.#isSame(bytes, at, length)) return this.#text;
    this.#bytes = copied(bytes, at, at + length);
    this.#text = Buffer.from(this.#bytes.buffer, 0, length).toString();
    return this.#text;
  }

  #isSame(bytes: Uint8Array, at: number, length: number): boolean {
    const last = this.#bytes;
    if (last.length !== length) return false;
    for (let i = 0; i < length; i++) if (bytes[at + i] !== last[i]) return false;
    return true;
  }
}
