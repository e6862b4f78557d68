/** What the single executable carries inside itself; see packaging/binary/loader.cjs, which hands it to modules. */

export interface Embedded {
  /** Loads the native addon, once in each thread. Throws an Error whose message says what to do. */
  addon(): unknown;
  /** A file by its name, undefined where there is none. */
  text(name: string): string | undefined;
}

/** A parameter of the function that a module is inside the single executable; nowhere else. */
declare const RINGMQ_EMBEDDED: Embedded | undefined;

export const embedded = typeof RINGMQ_EMBEDDED === 'undefined' ? undefined : RINGMQ_EMBEDDED;
