/** By what a client has compressed a body: bits 8 to 10 of sysFlag. 0 is what old clients write for zlib. */
const SHIFT = 8;
const MASK = 7;
const NAMES: readonly (string | undefined)[] = ['zlib', 'LZ4', 'Zstandard', 'zlib'];

export function compressionNumber(sysFlag: number): number {
  return (sysFlag >> SHIFT) & MASK;
}

/** Undefined for a number that nobody has given a meaning. */
export function compressionName(sysFlag: number): string | undefined {
  return NAMES[compressionNumber(sysFlag)];
}
