/**
 * One file of the simulated disk: what the page cache holds, what the platter holds, and how they come apart.
 *
 * A page is dirty while cache and platter differ. A write-back that fails leaves it clean all the same, as ext4 does:
 * from then on a sync passes it over, until somebody writes it again. A page can also be unreadable: whoever looks
 * meets the zeros that the fault guard puts there, and the file says so by its error.
 */
export const PAGE = 4096;
const EIO = 5;

export class SimFile {
  live: Uint8Array;
  image: Uint8Array;
  /** Bytes from the beginning that are allocated: a write behind them needs room of the disk. */
  room: number;
  /** errno of the fault that was met in this file, or 0. */
  fault = 0;
  /** Pages whose write-back failed, with what they held then. */
  readonly #cleanButLost = new Map<number, Uint8Array>();
  /** Unreadable pages, with what stands there. */
  readonly #unreadable = new Map<number, { live: Uint8Array; image: Uint8Array }>();

  constructor(size: number, room = size) {
    this.room = room;
    this.live = new Uint8Array(size);
    this.image = new Uint8Array(size);
  }

  get pages(): number {
    return Math.ceil(this.live.length / PAGE);
  }

  isDirty(page: number): boolean {
    const live = this.#page(this.live, page);
    return Buffer.compare(live, this.#page(this.image, page)) !== 0 && !this.#isClean(page, live);
  }

  /** The range was written, with whatever bytes: its pages are dirty again. */
  wrote(from: number, length: number): void {
    if (length <= 0 || (this.#cleanButLost.size === 0 && this.#unreadable.size === 0)) return;
    for (let page = Math.floor(from / PAGE); page * PAGE < from + length; page++) {
      this.#cleanButLost.delete(page);
      // A disk puts another sector in the place of a bad one when that is written; what stood there is gone.
      this.#unreadable.delete(page);
    }
  }

  /** Carries the dirty pages that [from, to) touches to the platter. */
  sync(from: number, to: number): void {
    const start = from - (from % PAGE);
    const end = Math.min(this.live.length, Math.ceil(to / PAGE) * PAGE);
    if (this.#cleanButLost.size === 0 && this.#unreadable.size === 0) {
      this.image.set(this.live.subarray(start, end), start);
      return;
    }
    for (let page = start / PAGE; page * PAGE < end; page++) {
      if (!this.isDirty(page) || this.#unreadable.has(page)) continue;
      this.#page(this.image, page).set(this.#page(this.live, page));
    }
  }

  /** The sync of the range fails: what was dirty is clean now, and not on the platter. */
  failSync(from: number, to: number): void {
    for (let page = Math.floor(from / PAGE); page * PAGE < Math.min(to, this.live.length); page++) {
      if (this.isDirty(page)) this.#cleanButLost.set(page, this.#page(this.live, page).slice());
    }
  }

  /** The kernel needs memory: clean pages go, and come back as the platter has them. */
  evict(): void {
    for (const [page, content] of this.#cleanButLost) {
      const live = this.#page(this.live, page);
      if (Buffer.compare(live, content) === 0) live.set(this.#page(this.image, page));
    }
    this.#cleanButLost.clear();
  }

  /** The page can be read no more. */
  spoil(page: number): void {
    const live = this.#page(this.live, page);
    this.#unreadable.set(page, { live: live.slice(), image: this.#page(this.image, page).slice() });
    live.fill(0);
    this.fault = EIO;
  }

  /** All pages can be read again. */
  heal(): void {
    for (const [page, content] of this.#unreadable) {
      this.#page(this.live, page).set(content.live);
      this.#page(this.image, page).set(content.image);
    }
    this.#unreadable.clear();
    this.fault = 0;
  }

  isUnreadable(from: number, length: number): boolean {
    if (this.#unreadable.size === 0) return false;
    return [...this.#unreadable.keys()].some(
      (page) => page * PAGE < from + length && (page + 1) * PAGE > from,
    );
  }

  /** The machine starts anew: only the platter is left. */
  reboot(): void {
    this.#cleanButLost.clear();
    this.live = this.image.slice();
    // What was allocated and not synced may be lost.
    this.room = 0;
  }

  grow(size: number): void {
    for (const name of ['live', 'image'] as const) {
      const grown = new Uint8Array(size);
      grown.set(this[name]);
      this[name] = grown;
    }
  }

  #page(bytes: Uint8Array, page: number): Uint8Array {
    return bytes.subarray(page * PAGE, (page + 1) * PAGE);
  }

  #isClean(page: number, live: Uint8Array): boolean {
    const lost = this.#cleanButLost.get(page);
    return lost !== undefined && Buffer.compare(live, lost) === 0;
  }
}
