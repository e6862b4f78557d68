/**
 * Every limit on what a client, or many together, can make this process hold or do. A limit stands here and nowhere
 * else; whoever enforces it names it to the client (`limitRemark`). docs/limits.md lists them for users.
 */

const KIB = 1024;
const MIB = 1024 * KIB;

/** Longest remark of an answer, UTF-8 bytes: remarks quote what clients sent. */
export const MAX_REMARK_BYTES = 1 * KIB;
/** Largest frame in either direction, the length field included (RocketMQ's `frameMaxLength`). */
export const MAX_FRAME_BYTES = 16 * MIB;

/** The sentence for a request that went over a limit: what is limited, by what number, and which limit it is. */
export function limitRemark(what: string, limit: number, name: string): string {
  return `${what}: more than ${limit} (limit ${name})`;
}

/** Posted bytes that may wait for room in a channel to a thread before control takes no more requests. */
export const MAX_CHANNEL_BACKLOG_BYTES = 32 * MIB;
/** What one connection may put before others in a round of control's: bytes, a frame counts 1 KiB and its length. */
export const MAX_CONTROL_SHARE_BYTES = 128 * KIB;
/** Requests that control answers later (its own messages, questions to clients), of one connection. */
export const MAX_REQUESTS_UNDER_WAY = 4096;
/** Same, of all connections together: then control takes no more requests until some are answered. */
export const MAX_ALL_REQUESTS_UNDER_WAY = 16 * 1024;
/** Messages of the broker's own (retries, delays, dead letters) on their way to the log. */
export const MAX_PUTS = 4096;
/** Their bytes: then send-backs are refused, and control takes no more requests that lead to such messages. */
export const MAX_PUT_BYTES = 32 * MIB;

/** Replies that wait on one connection for a client that does not read: it is not served on until it has. */
export const MAX_UNSENT_BYTES = 4 * MIB;
/** Pulls of one connection that wait for messages, and of all connections of a network thread. */
export const MAX_PARKED_PULLS = 32 * 1024;
export const MAX_ALL_PARKED_PULLS = 512 * 1024;
/** Frames that wait until a topic or group has been made: of one name, and of all names of a network thread. */
export const MAX_CREATION_BYTES = 4 * MIB;
export const MAX_ALL_CREATION_BYTES = 64 * MIB;
/** Pulls of one connection whose messages have to be fetched from the disk, and of all of a network thread. */
export const MAX_FETCHES = 256;
export const MAX_ALL_FETCHES = 8 * 1024;
