/**
 * Unique keys, as a client on 127.0.0.1 would make them: `7F000001`, then run, connection and message counter as eight
 * hexadecimal digits each. Whoever knows these numbers knows every key that was sent.
 */

const ADDRESS = '7F000001';
/** A batch has a key of its own, which is stored nowhere and must not be that of one of its messages. */
const BATCH_ADDRESS = '7F000002';

/** First part of every key of a connection, 24 characters; the counter follows. */
export function keyPrefix(run: number, connection: number): string {
  const hex = (value: number): string => value.toString(16).toUpperCase().padStart(8, '0');
  return ADDRESS + hex(run) + hex(connection);
}

export function batchKeyPrefix(prefix: string): string {
  return BATCH_ADDRESS + prefix.slice(ADDRESS.length);
}

export const KEY_LENGTH = 32;
export const ADDRESS_NUMBER = Number.parseInt(ADDRESS, 16);
/** Places of the numbers in a key. */
export const RUN_AT = 8;
export const CONNECTION_AT = 16;
export const COUNTER_AT = 24;
