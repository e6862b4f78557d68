/**
 * Ends of transactions on their way from a network thread to the delivery agent, and the answers (payloads in machine
 * byte order). The network thread has read and checked the request's fields; what they mean is for the agent to say.
 *
 * Request, type END:
 *
 *      0 slot, generation  i32 each, of the connection
 *      8 opaque       i32
 *     12 flags        i32  END_ONEWAY, END_BINARY, END_COMMITS (else it rolls back), END_ANSWERS_CHECK
 *     16 logOffset    f64  of the half message in the CommitLog
 *     24 queueOffset  f64  of the half message in its queue
 *     32 producer group, UTF-8
 *
 * Answer, type ENDED:
 *
 *      0 slot, generation  i32 each
 *      8 opaque       i32
 *     12 flags        i32  END_BINARY
 *     16 code         i32  response code
 *     20 remark, UTF-8; empty for none
 */
export const END = 1;
export const END_OPAQUE = 8;
export const END_FLAGS = 12;
export const END_LOG_OFFSET = 16;
export const END_QUEUE_OFFSET = 24;
export const END_HEAD = 32;

export const END_ONEWAY = 1;
export const END_BINARY = 2;
export const END_COMMITS = 4;
export const END_ANSWERS_CHECK = 8;

export const ENDED = 1;
export const ENDED_CODE = 16;
export const ENDED_HEAD = 20;
