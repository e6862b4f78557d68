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

/** Fields in the header of a request (RocketMQ's longest has 16). */
export const MAX_HEADER_FIELDS = 64;
/** Longest JSON body of a request, in characters; a broker's registration may fill a frame. */
export const MAX_JSON_BODY = 4 * MIB;
/** Longest text in the JSON body of a request, in characters. */
export const MAX_JSON_TEXT = 64 * KIB;
/** Deepest nesting of a JSON text, our own files included: more than any of them has, and small enough for the stack. */
export const MAX_JSON_DEPTH = 200;
/** Values in the JSON body of a request. What a reference stands for counts again each time. */
export const MAX_JSON_VALUES = 256 * KIB;
/** Values in a broker's registration with the name server: some ten for each of its topics. */
export const MAX_REGISTRATION_VALUES = MIB;

/** The sentence for a request that went over a limit: what is limited, by what number, and which limit it is. */
export function limitRemark(what: string, limit: number, name: string): string {
  return `${what}: more than ${limit} (limit ${name})`;
}
