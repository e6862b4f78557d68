/**
 * The body of an answer that stands in the log: the kernel takes it from the mapping, as far as it takes it at once.
 * What it leaves is copied behind the head and goes the way of all answers.
 */
import type { Gathered } from '../ring/gathered.ts';
import type { Connection } from './connection.ts';

/** What is shorter is copied: it leaves with the other answers of its turn. */
const WORTH_A_CALL = 8 * 1024;

export interface MappedBody {
  readonly totalBytes: number;
  /** Where it stands; undefined when it is to be copied. */
  gather(): Gathered | undefined;
  /** Copies all of it to target[at…]; false when it cannot be read. */
  copyTo(target: Uint8Array, at: number): boolean;
}

/** Where the body stands, when it is to be sent from there. */
export function gatheredBody(connection: Connection, body: MappedBody): Gathered | undefined {
  return body.totalBytes >= WORTH_A_CALL && connection.isDirect ? body.gather() : undefined;
}

/**
 * Sends the body behind its head, which was written last and begins at `start` of the output. False, with neither sent,
 * when it cannot be read.
 */
export function sendBody(connection: Connection, start: number, body: MappedBody, from: Gathered): boolean {
  const { used } = connection;
  const sent = connection.sendWith(from);
  const taken = Math.max(0, sent - used);
  if (taken === from.bytes) return true;
  const at = connection.reserve(from.bytes);
  const { output } = connection;
  if (!body.copyTo(output, at)) {
    connection.trim(Math.max(0, start - sent));
    if (sent <= start) return false;
    // Its peer has a part of an answer that nobody can end.
    connection.socket.destroy();
    return true;
  }
  if (taken > 0) {
    output.copyWithin(at, at + taken, at + from.bytes);
    connection.trim(at + from.bytes - taken);
  }
  return true;
}
