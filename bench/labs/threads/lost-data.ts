/** What a child of the lab "lost-pages" does, and what it tells before it ends, if it lives to tell it. */
export const SCENES = [
  'truncate',
  'truncate-guarded',
  'truncate-write',
  'unlink',
  'close',
  'detach',
  'full-sparse',
  'full-sparse-guarded',
  'full-write',
  'full-allocate',
  'full-allocated',
] as const;
export type Scene = (typeof SCENES)[number];

/** Bytes of the disk that is filled. */
export const SMALL_DISK_BYTES = 1 << 20;

export interface Told {
  /** What the process saw, in words. */
  seen: string;
  /** µs from the loss until the process knew of it. */
  micros: number;
}
