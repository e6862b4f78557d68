/**
 * What travels between a network thread and control. Frames are forwarded as they are; everything else is small.
 * All payloads that concern a connection begin with its slot and generation (i32 each), so that news of a connection
 * that has gone meanwhile is dropped.
 */

// ---- network → control ----
/** A connection was accepted. Payload behind slot and generation: the peer's `ip:port` as UTF-8. */
export const LINK_OPENED = 1;
/** A frame for control, without its length field; before it, when it came (f64, ms of the monotonic clock). */
export const LINK_FRAME = 2;
/** A connection's client has shown a certificate. Payload behind slot and generation: its subject as UTF-8. */
export const LINK_IDENTIFIED = 3;
/** The connection has ended. */
export const LINK_CLOSED = 4;
/** Progress of a consumer: group id i32, queue id (directory) i32, commit offset f64 or -1, pull offset f64 or -1. */
export const LINK_PROGRESS = 5;
/** A topic or group that must be made first: JSON. Slot and generation are 0. */
export const LINK_ENSURE = 6;
/** A consumer that pulls with its own subscription text: JSON. */
export const LINK_SUBSCRIPTION = 7;
/** A consumer was told the offset that an operator had set: JSON { group, topic, queueId }. */
export const LINK_RESET_TAKEN = 8;
/** Old messages were fetched from the disk for a group: JSON { group, bytes }. */
export const LINK_COLD_READ = 9;
/** What was given to consumers since the last time: JSON [{ group, topic, messages, bytes }]. */
export const LINK_GIVEN = 10;

export const FRAME_CAME = 8;
export const FRAME_HEADER = 16;

export const PROGRESS_GROUP = 8;
export const PROGRESS_QUEUE = 12;
export const PROGRESS_COMMIT = 16;
export const PROGRESS_PULL = 24;
export const PROGRESS_BYTES = 32;

// ---- control → network ----
/** A whole frame for the connection. */
export const LINK_SEND = 1;
/** Close the connection after what was sent. */
export const LINK_CLOSE = 3;
/** A change of the network thread's tables: JSON. Slot is unused, generation holds the version (i32). */
export const LINK_DELTA = 4;

/** slot and generation */
export const LINK_HEADER = 8;
