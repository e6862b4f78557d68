// What the program needs beside its client: a checksum as Java prints it, and a log that goes to stderr.

const TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = (value & 1) === 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** Node 20 may lack the one of zlib. */
export function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ TABLE[(crc ^ byte) & 0xff];
  return ((crc ^ 0xffffffff) >>> 0).toString(16);
}

const say = (...words) => console.error(...words);
const quiet = () => undefined;
/** The client's own writes into files under the home folder. */
export const LOGGER = { debug: quiet, info: quiet, warn: say, error: say };
