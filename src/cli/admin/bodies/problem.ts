/** Why a body that is said to be compressed is shown as it is stored. */

/** It is not what it is said to be; `message`: in which way, a few words. */
export class Damaged extends Error {
  override readonly name = 'Damaged';
}

/** Unpacking it would take more memory or time than anybody wants to spend on one message; `message`: behind "and". */
export class TooMuch extends Error {
  override readonly name = 'TooMuch';
}

const MIB = 1024 * 1024;

export function tooLarge(most: number): TooMuch {
  const text = most % MIB === 0 ? `${most / MIB} MiB` : `${most} bytes`;
  return new TooMuch(`more than ${text} when it is unpacked`);
}
