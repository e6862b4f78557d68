/**
 * Big-endian 64-bit integers as JavaScript numbers. DataView offers them only as BigInt, which allocates; positions
 * and times stay below 2^53, so two 32-bit halves do.
 */
const TWO_32 = 4294967296;

/** Reads a signed 64-bit integer; exact below 2^53 in magnitude. */
export function readInt64(view: DataView, offset: number): number {
  return view.getInt32(offset) * TWO_32 + view.getUint32(offset + 4);
}

/** Writes a signed integer below 2^53 in magnitude. */
export function writeInt64(view: DataView, offset: number, value: number): void {
  const high = Math.floor(value / TWO_32);
  view.setInt32(offset, high);
  view.setUint32(offset + 4, value - high * TWO_32);
}
