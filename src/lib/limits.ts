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
