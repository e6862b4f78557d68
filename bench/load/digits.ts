/** Numbers as text of fixed width, written in place: patched frames keep their length. */

const DIGIT_ZERO = 0x30;
const HEX = new Uint8Array(16);
for (let value = 0; value < 16; value++) HEX[value] = value.toString(16).toUpperCase().charCodeAt(0);

/** Writes the `width` lowest decimal digits of a number below 2^31, with leading zeros. */
export function writeDecimal(target: Uint8Array, at: number, width: number, value: number): void {
  let rest = value | 0;
  for (let index = at + width - 1; index >= at; index--) {
    const tenth = (rest / 10) | 0;
    target[index] = DIGIT_ZERO + (rest - tenth * 10);
    rest = tenth;
  }
}

/** Writes the `width` lowest hexadecimal digits of an int32, upper case. */
export function writeHex(target: Uint8Array, at: number, width: number, value: number): void {
  let rest = value | 0;
  for (let index = at + width - 1; index >= at; index--) {
    target[index] = HEX[rest & 15] as number;
    rest >>>= 4;
  }
}

/** Writes a time in milliseconds (13 digits until the year 2286) in two halves that each fit an int32. */
export function writeMillis(target: Uint8Array, at: number, millis: number): void {
  const high = Math.floor(millis / 1_000_000);
  writeDecimal(target, at, 7, high);
  writeDecimal(target, at + 7, 6, millis - high * 1_000_000);
}

const HEX_VALUE = new Int8Array(256).fill(-1);
for (let value = 0; value < 16; value++) {
  HEX_VALUE[value.toString(16).charCodeAt(0)] = value;
  HEX_VALUE[HEX[value] as number] = value;
}

/** Reads eight hexadecimal digits; -1 when there is anything else. */
export function readHex8(source: Uint8Array, at: number): number {
  let value = 0;
  for (let index = at; index < at + 8; index++) {
    const digit = HEX_VALUE[source[index] as number] as number;
    if (digit < 0) return -1;
    value = (value << 4) | digit;
  }
  return value >>> 0;
}
