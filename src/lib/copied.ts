/** Memory of its own for bytes that lie in memory which is used again. */

/**
 * bytes[from, to) in memory of its own, never shared with another thread. `bytes.slice` does that for a Uint8Array but
 * not for a Buffer, which is one by its type: there it is a view.
 */
export function copied(bytes: Uint8Array, from = 0, to = bytes.length): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes.subarray(from, to));
}
