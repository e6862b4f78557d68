/** Where a message went: part of the library's types, so apart from what the store is made of. */
export interface Appended {
  /** Offset in its queue. */
  queueOffset: number;
  /** Position in the log. */
  physicalOffset: number;
}
